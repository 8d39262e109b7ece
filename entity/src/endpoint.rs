//! Endpoints.

use sea_orm::entity::prelude::*;

/// The address at which one account's app posts notifications.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id; no two of all workspaces have the same.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account.
    pub account: Uuid,
    /// Which of its secrets is in force.
    pub generation: i64,
    /// Whether the app posts here, as a document.
    pub state: String,
    /// How the app names the registration; none where it does not.
    pub remote_id: Option<String>,
    /// The objects that the app tells of, as a document.
    pub objects: String,
    /// Since when the app posts here without a gap, as far as is known.
    pub registered_at: Option<i64>,
    /// When the app forgets the registration.
    pub expires_at: Option<i64>,
    /// When something came last.
    pub last_delivery_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
