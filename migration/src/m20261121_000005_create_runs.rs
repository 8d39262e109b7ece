//! Runs.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{
    ConditionalStatement, Expr, ExprTrait, Table, TableCreateStatement,
};

use crate::table::{id, index, key, number, number_or_none, text, text_or_none, unique, within};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_database_backend();
        manager.create_table(run(db)).await?;
        manager.create_index(index("run", ["workspace", "connection", "id"])).await?;
        // One run of a connection at a time, whatever its workers believe.
        let mut one = unique("run", ["workspace", "connection"]);
        one.and_where(Expr::col("state").eq("RUNNING"));
        manager.create_index(one).await
    }
}

fn run(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("run")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("connection"))
        .col(text(db, "trigger"))
        .col(text(db, "state"))
        .col(number("version"))
        .col(number("started_at"))
        .col(number_or_none("ended_at"))
        .col(text(db, "report"))
        .col(text_or_none(db, "error"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("connection", "connection"))
        .take()
}
