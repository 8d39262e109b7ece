//! Credentials of accounts.

use sea_orm::entity::prelude::*;

/// The credentials of an account, sealed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_secret")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Uuid,
    /// How often they were given. It only grows.
    pub generation: i64,
    /// The credentials; none once they are taken away.
    pub sealed: Option<Vec<u8>>,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
