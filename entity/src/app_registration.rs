//! OAuth clients of workspaces.

use sea_orm::entity::prelude::*;

/// An OAuth client that a workspace registered with an app for itself.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_registration")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The app's slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub app: String,
    /// Where in the app it is registered; empty where it is the same everywhere.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    /// Its id.
    pub client_id: String,
    /// Its secret, encrypted.
    pub sealed: Vec<u8>,
}

/// Joins: none, the store reads by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
