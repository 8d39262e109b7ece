//! What is told to people: plans, how records stand, issues and drafts; what runs are for, and which
//! records ops were done to.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::sea_query::{
    ConditionalStatement, Expr, ExprTrait, Table, TableCreateStatement,
};

use crate::table::{
    id, id_or_none, index, key, number, number_or_none, text, text_or_none, unique, within,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        extend_run(manager).await?;
        extend_op(manager).await?;
        create_plan(manager).await?;
        create_record_outcome(manager).await?;
        create_issue(manager).await?;
        manager.create_table(draft(manager.get_database_backend())).await
    }
}

async fn extend_run(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let kind = text(manager.get_database_backend(), "kind").default("SYNC").take();
    manager.alter_table(Table::alter().table("run").add_column(kind).take()).await
}

async fn extend_op(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_database_backend();
    let target = text_or_none(db, "target");
    manager.alter_table(Table::alter().table("op").add_column(target).take()).await?;
    manager.get_connection().execute_unprepared(known_targets(db)).await?;
    manager.create_index(index("op", ["workspace", "connection", "id"])).await?;
    manager.create_index(index("op", ["workspace", "run", "id"])).await?;
    manager.create_index(index("op", ["workspace", "connection", "feed", "target", "id"])).await
}

/// What was changed before this step was named in the document of its op; what was made was not.
fn known_targets(db: DbBackend) -> &'static str {
    match db {
        // PostgreSQL reads no document that has an escaped NUL anywhere in it.
        DbBackend::Postgres => {
            r"UPDATE op SET target = document::json ->> 'id' WHERE strpos(document, '\u0000') = 0"
        }
        _ => "UPDATE op SET target = json_extract(document, '$.id')",
    }
}

async fn create_plan(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_database_backend();
    manager.create_table(plan(db)).await?;
    manager.create_index(index("plan", ["workspace", "connection", "state", "id"])).await?;
    // One plan of a connection waits at a time, whatever its workers believe.
    let mut one = unique("plan", ["workspace", "connection"]);
    one.and_where(Expr::col("state").eq("WAITING"));
    manager.create_index(one).await?;
    manager.create_table(plan_item(db)).await?;
    manager.create_index(index("plan_item", ["workspace", "plan", "hash"])).await
}

async fn create_record_outcome(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager.create_table(record_outcome(manager.get_database_backend())).await?;
    let by_outcome = ["workspace", "connection", "outcome", "feed", "remote_id"];
    manager.create_index(index("record_outcome", by_outcome)).await
}

async fn create_issue(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager.create_table(issue(manager.get_database_backend())).await?;
    manager.create_index(index("issue", ["workspace", "connection", "id"])).await?;
    // Open ones are few among many that are over, and are asked for most.
    let mut open = index("issue", ["workspace", "connection", "id"]);
    open.name("issue_open").and_where(Expr::col("resolved_at").is_null());
    manager.create_index(open).await?;
    let mut of_record = index("issue", ["workspace", "connection", "feed", "remote_id"]);
    of_record.and_where(Expr::col("resolved_at").is_null());
    manager.create_index(of_record).await
}

fn plan(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("plan")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("connection"))
        .col(number("version"))
        .col(text(db, "hash"))
        .col(text(db, "report"))
        .col(text(db, "state"))
        .col(number("made_at"))
        .col(number_or_none("decided_at"))
        .col(text_or_none(db, "decided_by"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("id", "run"))
        .foreign_key(&mut within("connection", "connection"))
        .take()
}

fn plan_item(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("plan_item")
        .col(id("workspace"))
        .col(id("plan"))
        .col(number("number"))
        .col(text(db, "hash"))
        .col(text(db, "document"))
        .primary_key(&mut key(["workspace", "plan", "number"]))
        .foreign_key(&mut within("plan", "plan"))
        .take()
}

fn record_outcome(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("record_outcome")
        .col(id("workspace"))
        .col(id("connection"))
        .col(id("feed"))
        .col(text(db, "remote_id"))
        .col(text(db, "side"))
        .col(text(db, "outcome"))
        .col(text(db, "document"))
        .col(text(db, "findings"))
        .col(text_or_none(db, "code"))
        .col(id("run"))
        .col(number("since"))
        .primary_key(&mut key(["workspace", "connection", "feed", "remote_id"]))
        .foreign_key(&mut within("connection", "connection"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

fn issue(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("issue")
        .col(id("workspace"))
        .col(id("id"))
        .col(id("connection"))
        .col(text(db, "code"))
        .col(id_or_none("feed"))
        .col(text_or_none(db, "remote_id"))
        .col(text_or_none(db, "side"))
        .col(text_or_none(db, "field"))
        .col(id("run"))
        .col(number("first_at"))
        .col(number("last_at"))
        .col(number("times"))
        .col(number_or_none("resolved_at"))
        .primary_key(&mut key(["workspace", "id"]))
        .foreign_key(&mut within("connection", "connection"))
        .foreign_key(&mut within("feed", "feed"))
        .take()
}

fn draft(db: DbBackend) -> TableCreateStatement {
    Table::create()
        .table("draft")
        .col(id("workspace"))
        .col(id("connection"))
        .col(number("edit"))
        .col(number("based_on"))
        .col(text(db, "document"))
        .primary_key(&mut key(["workspace", "connection"]))
        .foreign_key(&mut within("connection", "connection"))
        .take()
}
