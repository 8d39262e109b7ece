//! The journal: what is to be written, and what keeps a person from being made twice.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{id, index, key, number, number_or_none, reference, text, text_or_none, within};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(op(db)).await?;
        manager.create_index(index("op", ["workspace", "connection", "state"])).await?;
        manager.create_index(index("op", ["workspace", "connection", "sent_at"])).await?;
        manager.create_table(create_intent(db)).await?;
        manager
            .create_index(index("create_intent", ["workspace", "connection", "resolve_at"]))
            .await?;
        manager.create_index(index("create_intent", ["workspace", "connection", "state"])).await?;
        manager.create_table(create_intent_key(db)).await?;
        manager.create_index(index("create_intent_key", ["workspace", "op"])).await
    }
}

fn op(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("op")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("run"))
        .col(id("connection"))
        .col(id("account"))
        .col(id("feed"))
        .col(text_or_none(db, "source"))
        .col(text(db, "item"))
        .col(text(db, "document"))
        .col(text_or_none(db, "planned"))
        .col(text(db, "state"))
        .col(number_or_none("sent_at"))
        .col(text_or_none(db, "error"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("run", "run"))
        .foreign_key(&mut within("connection", "connection"))
        .foreign_key(&mut within("account", "account"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

fn create_intent(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("create_intent")
        .col(id("workspace"))
        .col(id("op"))
        .col(id("connection"))
        .col(id("feed"))
        .col(text(db, "source"))
        .col(text(db, "keys"))
        .col(text(db, "state"))
        .col(number_or_none("sent_at"))
        .col(number_or_none("resolve_at"))
        .col(number("attempts"))
        .primary_key(&mut key(["workspace", "op"]))
        .foreign_key(&mut within("op", "op"))
        .foreign_key(&mut within("connection", "connection"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

/// The primary key refuses to make the same person twice, for as long as the first is not closed.
fn create_intent_key(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("create_intent_key")
        .col(id("workspace"))
        .col(id("feed"))
        .col(text(db, "key"))
        .col(id("op"))
        .primary_key(&mut key(["workspace", "feed", "key"]))
        .foreign_key(&mut reference(["workspace", "op"], "create_intent", ["workspace", "op"]))
        .take()
}
