//! What is in plans.

use sea_orm::entity::prelude::*;

/// One item of a plan.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plan_item")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The plan.
    #[sea_orm(primary_key, auto_increment = false)]
    pub plan: Uuid,
    /// Its place in the plan.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The fingerprint of the item.
    pub hash: String,
    /// The item, as a document.
    pub document: String,
}

/// Joins: none, the store reads by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
