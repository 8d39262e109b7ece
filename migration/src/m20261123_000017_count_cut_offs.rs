//! How often a run was cut off: one that takes its process down each time has to rest in between.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::Table;

use crate::table::{flag, number, number_or_none};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            number("cut_off").default(0).take(),
            number_or_none("resumed_at"),
            flag("put_down").default(false).take(),
        ];
        // SQLite adds one column at a time.
        for column in columns {
            let table = Table::alter().table("run").add_column(column).take();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
