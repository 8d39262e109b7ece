//! What is read of the accounts: feeds, observations with their keys, and hints.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{bytes, id, index, key, number, reference, text, text_or_none, unique, within};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(feed(db)).await?;
        manager
            .create_index(unique("feed", ["workspace", "account", "object", "collection"]))
            .await?;
        manager.create_table(seen(db)).await?;
        manager.create_index(unique("seen", ["workspace", "feed", "change_no"])).await?;
        // Records are wide: the live ones are counted in here.
        manager.create_index(index("seen", ["workspace", "feed", "presence"])).await?;
        manager.create_table(seen_key(db)).await?;
        manager.create_index(index("seen_key", ["workspace", "feed", "remote_id"])).await?;
        manager.create_table(hint(db)).await?;
        manager.create_index(index("hint", ["workspace", "feed", "due_at"])).await
    }
}

fn feed(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("feed")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("account"))
        .col(text(db, "object"))
        .col(text(db, "collection"))
        .col(text_or_none(db, "cursor"))
        .col(number("last_change"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("account", "account"))
        .take()
}

fn seen(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("seen")
        .col(id("workspace"))
        .col(id("feed"))
        .col(text(db, "remote_id"))
        .col(number("change_no"))
        .col(text(db, "presence"))
        .col(text(db, "record"))
        .col(bytes("hash", 32))
        .primary_key(&mut key(["workspace", "feed", "remote_id"]))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

fn seen_key(db: DbBackend) -> TableCreateStatement {
    let record = ["workspace", "feed", "remote_id"];
    Table::create()
        .table("seen_key")
        .col(id("workspace"))
        .col(id("feed"))
        .col(bytes("key", 16))
        .col(text(db, "remote_id"))
        .primary_key(&mut key(["workspace", "feed", "key", "remote_id"]))
        .foreign_key(&mut reference(record, "seen", record))
        .take()
}

fn hint(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("hint")
        .col(id("workspace"))
        .col(id("feed"))
        .col(text(db, "remote_id"))
        .col(number("due_at"))
        .primary_key(&mut key(["workspace", "feed", "remote_id"]))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}
