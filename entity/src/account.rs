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
    /// Where it is reached, in the app's words.
    pub host: String,
    /// The address of the person who connected it.
    pub owner_email: Option<String>,
    /// The address of the user who is to have connected it.
    pub expected_email: Option<String>,
    /// Its country, in two letters.
    pub region: Option<String>,
    /// Its time zone.
    pub time_zone: Option<String>,
    /// How many credits it has in the time that its app counts them in.
    pub allowance: Option<i64>,
    /// How it stands, as a document.
    pub status: String,
    /// 1 while it holds its place in the workspace, 0 once it is disconnected; the same as in the
    /// document.
    pub is_connected: i64,
    /// When it was connected first.
    pub connected_at: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
