//! The journal.

use sea_orm::entity::prelude::*;

/// One intended write.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "op")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The run that planned it.
    pub run: Uuid,
    /// Its connection.
    pub connection: Uuid,
    /// The account that is written.
    pub account: Uuid,
    /// The feed that is written.
    pub feed: Uuid,
    /// The record that it was done to; none until it is known.
    pub target: Option<String>,
    /// The record that it comes from, as a document.
    pub source: Option<String>,
    /// The fingerprint of its item.
    pub item: String,
    /// What is to be written, and why, as a document.
    pub document: String,
    /// The side that is written; none in ops of a version that did not say it here.
    pub side: Option<String>,
    /// What the brake counts it as, as a document; none where the side is none.
    pub counted: Option<String>,
    /// The link as it will be once its item is written, as a document.
    pub planned: Option<String>,
    /// How it stands.
    pub state: String,
    /// When it was sent.
    pub sent_at: Option<i64>,
    /// The code of the error it came to.
    pub error: Option<String>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
