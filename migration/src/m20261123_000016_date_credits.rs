//! When an app told last how many credits are left: several processes write it down.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::Table;

use crate::table::number_or_none;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = number_or_none("told_at");
        manager.alter_table(Table::alter().table("account_usage").add_column(column).take()).await
    }
}
