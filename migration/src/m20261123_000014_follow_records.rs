//! What records have become that left their object.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::Table;

use crate::table::text_or_none;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = text_or_none(manager.get_database_backend(), "became");
        manager.alter_table(Table::alter().table("seen").add_column(column).take()).await
    }
}
