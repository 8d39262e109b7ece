//! How far syncs are.

use sea_orm::entity::prelude::*;

/// One direction of a connection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its connection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection: Uuid,
    /// The side that it reads.
    #[sea_orm(primary_key, auto_increment = false)]
    pub direction: String,
    /// How far it is, as a document.
    pub progress: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
