//! What accounts say of themselves.

use sea_orm::entity::prelude::*;

/// The fields and users of an account, as last read.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_description")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Uuid,
    /// What it says, as a document.
    pub document: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
