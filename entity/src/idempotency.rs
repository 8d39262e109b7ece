//! Requests that are done once however often they are sent.

use sea_orm::entity::prelude::*;

/// A request that was given a key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// Who sent it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: String,
    /// Its key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The hash of the request.
    pub request_hash: Vec<u8>,
    /// When it was begun.
    pub claimed_at: i64,
    /// Until when it is remembered.
    pub expires_at: i64,
    /// Its answer, sealed; none until it is done.
    pub answer: Option<Vec<u8>>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
