//! Whether somebody wants to see what a draft would do.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::Table;

use crate::table::flag;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let asked = flag("preview_asked").default(false).take();
        manager.alter_table(Table::alter().table("draft").add_column(asked).take()).await
    }
}
