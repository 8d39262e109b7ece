//! Runs.

use sea_orm::entity::prelude::*;

/// One execution of a connection.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its connection.
    pub connection: Uuid,
    /// What it is for.
    pub kind: String,
    /// Why it began.
    pub trigger: String,
    /// How it stands. One of a connection goes on at a time.
    pub state: String,
    /// The number of the configuration that it runs with.
    pub version: i64,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// What it came to, as a document.
    pub report: String,
    /// The code of the error that stopped it.
    pub error: Option<String>,
    /// How often it was resumed after its process had ended without putting it down.
    pub cut_off: i64,
    /// When it was resumed last.
    pub resumed_at: Option<i64>,
    /// Whether a process that was told to end has put it down.
    pub put_down: bool,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
