//! Accounts.

use sea_orm::entity::prelude::*;

/// An authorised account in an app.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The app's slug.
    pub app: String,
    /// Production or sandbox, in the app's words.
    pub environment: String,
    /// Its id in the app.
    pub remote_id: String,
    /// Its name for people.
    pub label: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
