//! Leases.

use sea_orm::entity::prelude::*;

/// The right to work on something, for a while.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    /// The workspace of its subject.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// What it is about.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The connection or account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: Uuid,
    /// Who holds it, or did last.
    pub holder: String,
    /// How often it was taken. It only grows.
    pub fence: i64,
    /// When it runs out, by the clock of the database.
    pub expires_at: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
