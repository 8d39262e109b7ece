//! Requests that are done once however often they are sent.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{blob_or_none, bytes, id, index, key, number, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(idempotency(db)).await?;
        // What is over is looked for in all workspaces at once.
        manager.create_index(index("idempotency", ["expires_at"])).await
    }
}

fn idempotency(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("idempotency")
        .col(id("workspace"))
        .col(text(db, "actor"))
        .col(text(db, "key"))
        .col(bytes("request_hash", 32))
        .col(number("claimed_at"))
        .col(number("expires_at"))
        .col(blob_or_none("answer"))
        .primary_key(&mut key(["workspace", "actor", "key"]))
        .take()
}
