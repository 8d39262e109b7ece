//! Observations.

use sea_orm::entity::prelude::*;

/// A record as last observed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seen")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its feed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: Uuid,
    /// Its id in the app.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
    /// The number of its last change in the feed.
    pub change_no: i64,
    /// Whether it is still there.
    pub presence: String,
    /// What it is now, if it has left, as a document.
    pub became: Option<String>,
    /// What was read of it, as a document.
    pub record: String,
    /// The fingerprint of what is compared.
    pub hash: Vec<u8>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
