//! How records stand.

use sea_orm::entity::prelude::*;

/// How a record of a connection stands, where there is something to tell.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_outcome")]
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
    /// The name of the outcome; the same as in the document.
    pub outcome: String,
    /// The outcome, as a document.
    pub document: String,
    /// What a person should know, as a document.
    pub findings: String,
    /// The app's code, where the app refused it.
    pub code: Option<String>,
    /// The run that found it so last.
    pub run: Uuid,
    /// Since when it has had this outcome.
    pub since: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
