//! Workspaces by name; how accounts stand, their credentials, and what they say of themselves.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{
    ColumnDef, ConditionalStatement, Expr, ExprTrait, Index, Table, TableCreateStatement,
};

use crate::table::{blob_or_none, id, key, number, reference, text, text_or_none, unique};

/// How an account stood before anybody wrote it down.
const CONNECTED: &str = r#"{"state":"connected"}"#;

/// What an account is told apart by, and the name of the index that does it.
const PLACE: [&str; 4] = ["workspace", "app", "environment", "remote_id"];
const PLACE_INDEX: &str = "account_workspace_app_environment_remote_id";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(workspace(db)).await?;
        manager.create_index(unique("workspace", ["name"])).await?;
        // One after the other: SQLite adds one column at a time.
        for column in new_columns(db) {
            manager.alter_table(Table::alter().table("account").add_column(column).take()).await?;
        }
        manager.drop_index(Index::drop().name(PLACE_INDEX).table("account").to_owned()).await?;
        // An account that is disconnected leaves its place to another.
        let mut one = unique("account", PLACE);
        one.and_where(Expr::col("is_connected").eq(1));
        manager.create_index(one).await?;
        manager.create_table(account_secret()).await?;
        manager.create_table(account_description(db)).await
    }
}

fn workspace(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("workspace")
        .col(id("id"))
        .col(text(db, "name"))
        .primary_key(&mut key(["id"]))
        .take()
}

/// The new columns of accounts, with what holds for those that are there already.
fn new_columns(db: DbBackend) -> [ColumnDef; 7] {
    [
        text(db, "host").default("").take(),
        text_or_none(db, "owner_email"),
        text_or_none(db, "region"),
        text_or_none(db, "time_zone"),
        text(db, "status").default(CONNECTED).take(),
        number("is_connected").default(1).take(),
        number("connected_at").default(0).take(),
    ]
}

fn account_secret() -> TableCreateStatement {
    Table::create()
        .table("account_secret")
        .col(id("workspace"))
        .col(id("account"))
        .col(number("generation"))
        .col(blob_or_none("sealed"))
        .primary_key(&mut key(["workspace", "account"]))
        .foreign_key(&mut reference(["workspace", "account"], "account", ["workspace", "id"]))
        .take()
}

fn account_description(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("account_description")
        .col(id("workspace"))
        .col(id("account"))
        .col(text(db, "document"))
        .primary_key(&mut key(["workspace", "account"]))
        .foreign_key(&mut reference(["workspace", "account"], "account", ["workspace", "id"]))
        .take()
}
