//! Issues.

use sea_orm::entity::prelude::*;

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issue")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its connection.
    pub connection: Uuid,
    /// What it is.
    pub code: String,
    /// The feed of the record; none where it is about no record.
    pub feed: Option<Uuid>,
    /// The record; none where it is about no record.
    pub remote_id: Option<String>,
    /// The side, where it is about one.
    pub side: Option<String>,
    /// The field, where it is about one.
    pub field: Option<String>,
    /// The run that met it last.
    pub run: Uuid,
    /// When it was met first.
    pub first_at: i64,
    /// When it was met last.
    pub last_at: i64,
    /// How often it was met.
    pub times: i64,
    /// When it was over; none while it is open.
    pub resolved_at: Option<i64>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
