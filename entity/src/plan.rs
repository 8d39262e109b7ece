//! Plans.

use sea_orm::entity::prelude::*;

/// What a run would do, put before a person.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plan")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The preview run that made it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its connection.
    pub connection: Uuid,
    /// The number of the configuration that it was made with.
    pub version: i64,
    /// A fingerprint of all of it.
    pub hash: String,
    /// What it comes to, as a document.
    pub report: String,
    /// How it stands. One of a connection waits at a time.
    pub state: String,
    /// When it was made.
    pub made_at: i64,
    /// When somebody decided.
    pub decided_at: Option<i64>,
    /// Who decided.
    pub decided_by: Option<String>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
