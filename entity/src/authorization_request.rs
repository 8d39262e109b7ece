//! Authorization requests.

use sea_orm::entity::prelude::*;

/// That a person was sent to an app to give consent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization_request")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The hash of its state; no two of all workspaces have the same.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    /// Who began it.
    pub actor: String,
    /// The app's slug.
    pub app: String,
    /// The account that is to be reconnected.
    pub account: Option<Uuid>,
    /// The name for people of an account that is new.
    pub label: Option<String>,
    /// The e-mail address of the user who is to give access.
    pub email: Option<String>,
    /// Where the account is said to be.
    pub place: Option<String>,
    /// Where the app sends the person back to.
    pub redirect_uri: String,
    /// Where the server sends the person on to.
    pub return_url: Option<String>,
    /// Until when the person may come back.
    pub expires_at: i64,
}

/// Joins: none, the store reads by hash.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
