//! Configurations of connections, all of them.

use sea_orm::entity::prelude::*;

/// One configuration of a connection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "config_version")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its connection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection: Uuid,
    /// Its number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub n: i64,
    /// The settings, as a document.
    pub document: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
