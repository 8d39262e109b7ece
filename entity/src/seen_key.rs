//! What observed records are recognised by.

use sea_orm::entity::prelude::*;

/// A key of a live record. It may stand twice: duplicates are real.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seen_key")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its feed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: Uuid,
    /// The keyed hash.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    /// The record that carries it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
