//! What connections read.

use sea_orm::entity::prelude::*;

/// A feed of a connection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection_feed")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The connection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection: Uuid,
    /// The side that reads it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub side: String,
    /// The feed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: Uuid,
    /// Its place in the side's order of preference.
    pub rank: i64,
    /// The change number up to which it was planned.
    pub planned_to: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
