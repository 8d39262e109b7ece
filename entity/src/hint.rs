//! Hints.

use sea_orm::entity::prelude::*;

/// A record that is to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hint")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its feed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: Uuid,
    /// The record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
    /// When, at the earliest.
    pub due_at: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
