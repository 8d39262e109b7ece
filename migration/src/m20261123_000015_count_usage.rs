//! What accounts were asked, hour by hour, and how much they may be asked.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{id, key, number, number_or_none, within};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let allowance = number_or_none("allowance");
        manager.alter_table(Table::alter().table("account").add_column(allowance).take()).await?;
        manager.create_table(account_usage()).await
    }
}

fn account_usage() -> TableCreateStatement {
    Table::create()
        .table("account_usage")
        .col(id("workspace"))
        .col(id("account"))
        .col(number("began_at"))
        .col(number("calls"))
        .col(number("pauses"))
        .col(number("took"))
        .col(number("credits"))
        .col(number_or_none("credits_left"))
        .primary_key(&mut key(["workspace", "account", "began_at"]))
        .foreign_key(&mut within("account", "account"))
        .take()
}
