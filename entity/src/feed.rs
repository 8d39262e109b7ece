//! Feeds.

use sea_orm::entity::prelude::*;

/// An account's object, in a collection or not.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account.
    pub account: Uuid,
    /// The object.
    pub object: String,
    /// The collection; empty for none.
    pub collection: String,
    /// Where the next read goes on; none before the first.
    pub cursor: Option<String>,
    /// The number of the last change that was seen in it.
    pub last_change: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
