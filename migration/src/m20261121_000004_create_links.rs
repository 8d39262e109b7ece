//! Who belongs together, and who waits.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{id, index, key, number, number_or_none, text, within};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(link(db)).await?;
        manager.create_index(index("link", ["workspace", "connection", "id"])).await?;
        manager.create_index(index("link", ["workspace", "connection", "state"])).await?;
        manager.create_table(link_end(db)).await?;
        manager.create_index(index("link_end", ["workspace", "link"])).await?;
        manager.create_table(pending(db)).await?;
        manager.create_index(index("pending", ["workspace", "connection", "next_at"])).await
    }
}

fn link(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("link")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("connection"))
        .col(text(db, "state"))
        .col(text(db, "document"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("connection", "connection"))
        .take()
}

fn link_end(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("link_end")
        .col(id("workspace"))
        .col(id("connection"))
        .col(id("feed"))
        .col(text(db, "remote_id"))
        .col(id("link"))
        .col(text(db, "side"))
        .primary_key(&mut key(["workspace", "connection", "feed", "remote_id"]))
        .foreign_key(&mut within("link", "link"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

fn pending(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("pending")
        .col(id("workspace"))
        .col(id("connection"))
        .col(id("feed"))
        .col(text(db, "remote_id"))
        .col(text(db, "side"))
        .col(text(db, "reason"))
        .col(number("attempts"))
        .col(number_or_none("next_at"))
        .primary_key(&mut key(["workspace", "connection", "feed", "remote_id"]))
        .foreign_key(&mut within("connection", "connection"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}
