//! What comes by webhook: endpoints and deliveries.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{
    blob, bytes, id, index, key, number, number_or_none, text, text_or_none, unique, within,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(endpoint(db)).await?;
        manager.create_index(unique("endpoint", ["workspace", "account"])).await?;
        // Who posts names no workspace.
        manager.create_index(unique("endpoint", ["id"])).await?;
        manager.create_table(delivery(db)).await?;
        manager.create_index(unique("delivery", ["workspace", "endpoint", "fingerprint"])).await?;
        let due = ["workspace", "endpoint", "state", "next_at"];
        manager.create_index(index("delivery", due)).await?;
        manager.create_index(index("delivery", ["workspace", "endpoint", "id"])).await?;
        // What is due, and what is to be forgotten, is looked for in all workspaces at once.
        manager.create_index(index("delivery", ["state", "next_at"])).await?;
        manager.create_index(index("delivery", ["state", "received_at"])).await
    }
}

fn endpoint(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("endpoint")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("account"))
        .col(number("generation"))
        .col(text(db, "state"))
        .col(text_or_none(db, "remote_id"))
        .col(text(db, "objects"))
        .col(number_or_none("registered_at"))
        .col(number_or_none("expires_at"))
        .col(number_or_none("last_delivery_at"))
        .col(number("created_at"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("account", "account"))
        .take()
}

fn delivery(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("delivery")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("endpoint"))
        .col(id("account"))
        .col(number("received_at"))
        .col(bytes("fingerprint", 32))
        .col(number("times"))
        .col(text(db, "content_type"))
        .col(blob("body"))
        .col(text(db, "state"))
        .col(number("attempts"))
        .col(number_or_none("next_at"))
        .col(text_or_none(db, "error"))
        .col(number("hints"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("endpoint", "endpoint"))
        .foreign_key(&mut within("account", "account"))
        .take()
}
