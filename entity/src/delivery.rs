//! Deliveries.

use sea_orm::entity::prelude::*;

/// One request that came to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The endpoint.
    pub endpoint: Uuid,
    /// The account of the endpoint.
    pub account: Uuid,
    /// When it came last.
    pub received_at: i64,
    /// The hash of the body. No two of an endpoint have the same.
    pub fingerprint: Vec<u8>,
    /// How often it came.
    pub times: i64,
    /// What the body is said to be.
    pub content_type: String,
    /// The body, sealed.
    pub body: Vec<u8>,
    /// How it stands.
    pub state: String,
    /// How often it was tried in vain.
    pub attempts: i64,
    /// When it is to be expanded; none once it is settled.
    pub next_at: Option<i64>,
    /// The code of the error that the last attempt came to.
    pub error: Option<String>,
    /// How many records it named.
    pub hints: i64,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
