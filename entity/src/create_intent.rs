//! Intentions to make records.

use sea_orm::entity::prelude::*;

/// The intention to make a record.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "create_intent")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The op that makes it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub op: Uuid,
    /// Its connection.
    pub connection: Uuid,
    /// The feed in which it is made.
    pub feed: Uuid,
    /// The record that it comes from, as a document.
    pub source: String,
    /// What the new record will be recognised by, as a document.
    pub keys: String,
    /// How it stands.
    pub state: String,
    /// When it was sent.
    pub sent_at: Option<i64>,
    /// When it is to be looked for next.
    pub resolve_at: Option<i64>,
    /// How often it was looked for.
    pub attempts: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
