//! Drafts of configurations.

use sea_orm::entity::prelude::*;

/// A configuration that somebody works on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "draft")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its connection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection: Uuid,
    /// The number of its last edit.
    pub edit: i64,
    /// The number of the configuration that it was made from.
    pub based_on: i64,
    /// The settings, as a document.
    pub document: String,
    /// Whether a preview of it is asked for.
    pub preview_asked: bool,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
