//! That a person was sent to an app to give consent, with which client, and who it is to be.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{Table, TableCreateStatement};

use crate::table::{
    blob, bytes, id, id_or_none, index, key, number, text, text_or_none, unique, within,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(authorization_request(db)).await?;
        // Who comes back names no workspace.
        manager.create_index(unique("authorization_request", ["state_hash"])).await?;
        // What is over is looked for in all workspaces at once.
        manager.create_index(index("authorization_request", ["expires_at"])).await?;
        manager.create_table(app_registration(db)).await?;
        let expected = text_or_none(db, "expected_email");
        manager.alter_table(Table::alter().table("account").add_column(expected).take()).await
    }
}

fn app_registration(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("app_registration")
        .col(id("workspace"))
        .col(text(db, "app"))
        .col(text(db, "place"))
        .col(text(db, "client_id"))
        .col(blob("sealed"))
        .primary_key(&mut key(["workspace", "app", "place"]))
        .take()
}

fn authorization_request(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("authorization_request")
        .col(id("workspace"))
        .col(bytes("state_hash", 32))
        .col(text(db, "actor"))
        .col(text(db, "app"))
        .col(id_or_none("account"))
        .col(text_or_none(db, "label"))
        .col(text_or_none(db, "email"))
        .col(text_or_none(db, "place"))
        .col(text(db, "redirect_uri"))
        .col(text_or_none(db, "return_url"))
        .col(number("expires_at"))
        .primary_key(&mut key(["workspace", "state_hash"]))
        .foreign_key(&mut within("account", "account"))
        .take()
}
