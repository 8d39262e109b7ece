//! Records that wait.

use sea_orm::entity::prelude::*;

/// A record whose plan did not settle.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The connection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection: Uuid,
    /// The feed of the record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: Uuid,
    /// The record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
    /// The side it is on.
    pub side: String,
    /// Why it waits.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is due; none waits for something else than time.
    pub next_at: Option<i64>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
