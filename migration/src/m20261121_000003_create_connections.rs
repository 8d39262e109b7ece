//! Connections: their configurations, what they read, and how far they are.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{flag, id, key, number, text, within};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(connection(db)).await?;
        manager.create_table(config_version(db)).await?;
        manager.create_table(connection_feed(db)).await?;
        manager.create_table(sync(db)).await
    }
}

fn connection(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("connection")
        .col(id("workspace"))
        .col(id("id"))
        .col(text(db, "title"))
        .col(number("version"))
        .col(flag("again"))
        .primary_key(&mut key(["workspace", "id"]))
        .take()
}

fn config_version(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("config_version")
        .col(id("workspace"))
        .col(id("connection"))
        .col(number("n"))
        .col(text(db, "document"))
        .primary_key(&mut key(["workspace", "connection", "n"]))
        .foreign_key(&mut within("connection", "connection"))
        .take()
}

fn connection_feed(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("connection_feed")
        .col(id("workspace"))
        .col(id("connection"))
        .col(text(db, "side"))
        .col(id("feed"))
        .col(number("rank"))
        .col(number("planned_to"))
        .primary_key(&mut key(["workspace", "connection", "side", "feed"]))
        .foreign_key(&mut within("connection", "connection"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

fn sync(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("sync")
        .col(id("workspace"))
        .col(id("connection"))
        .col(text(db, "direction"))
        .col(text(db, "progress"))
        .primary_key(&mut key(["workspace", "connection", "direction"]))
        .foreign_key(&mut within("connection", "connection"))
        .take()
}
