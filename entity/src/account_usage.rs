//! What accounts were asked.

use sea_orm::entity::prelude::*;

/// What an account was asked in an hour.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_usage")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace: Uuid,
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Uuid,
    /// When the hour began.
    #[sea_orm(primary_key, auto_increment = false)]
    pub began_at: i64,
    /// Requests that were sent.
    pub calls: i64,
    /// Answers that asked for a pause.
    pub pauses: i64,
    /// How long answers were waited for, in microseconds.
    pub took: i64,
    /// What the requests cost, in the app's credits.
    pub credits: i64,
    /// The credits that were left when the app told last; none if they were enough not to tell.
    #[sea_orm(column_name = "credits_left")]
    pub left: Option<i64>,
    /// When it told last whether there are enough.
    pub told_at: Option<i64>,
}

/// Joins: none, the store reads by account.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
