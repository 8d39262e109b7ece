//! Accounts, and the leases under which they and everything else are worked on.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{id, key, number, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(account(db)).await?;
        manager
            .create_index(unique("account", ["workspace", "app", "environment", "remote_id"]))
            .await?;
        manager.create_table(lease(db)).await
    }
}

fn account(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("account")
        .col(id("workspace"))
        .col(id("id"))
        .col(text(db, "app"))
        .col(text(db, "environment"))
        .col(text(db, "remote_id"))
        .col(text(db, "label"))
        .primary_key(&mut key(["workspace", "id"]))
        .take()
}

fn lease(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("lease")
        .col(id("workspace"))
        .col(text(db, "kind"))
        .col(id("subject"))
        .col(text(db, "holder"))
        .col(number("fence"))
        .col(number("expires_at"))
        .primary_key(&mut key(["workspace", "kind", "subject"]))
        .take()
}
