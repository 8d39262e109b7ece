//! Ends of links.

use sea_orm::entity::prelude::*;

/// An end of a link. A record is an end of one link of a connection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_end")]
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
    /// The link.
    pub link: Uuid,
    /// The side it is on.
    pub side: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
