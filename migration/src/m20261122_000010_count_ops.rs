//! What ops count as, so that the brake need not read them.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::Table;

use crate::table::text_or_none;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        for column in ["side", "counted"] {
            let column = text_or_none(db, column);
            // One after the other: SQLite adds one column at a time.
            manager.alter_table(Table::alter().table("op").add_column(column).take()).await?;
        }
        Ok(())
    }
}
