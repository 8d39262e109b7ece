//! What keeps a person from being made twice.

use sea_orm::entity::prelude::*;

/// A key that is taken while the intent that holds it is not closed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "create_intent_key")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The feed in which the record is made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: Uuid,
    /// The hash of a match key in hex, or the record that is copied.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The intent, by its op.
    pub op: Uuid,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
