//! Leases. Their times are the database's, and are compared inside its statements.

use std::time::Duration;

use entity::lease::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend,
    EntityTrait, QueryFilter, QuerySelect,
};

use super::codec::number;
use crate::store::{Error, Held, LeaseKey, Result};

/// Takes a lease, in one statement: two that try at once can't both succeed.
pub(super) async fn acquire(
    tx: &DatabaseTransaction,
    key: &LeaseKey,
    holder: &str,
    ttl: Duration,
) -> Result<Option<Held>> {
    let mut statement = Query::insert();
    statement
        .into_table(Entity)
        .columns([
            Column::Workspace,
            Column::Kind,
            Column::Subject,
            Column::Holder,
            Column::Fence,
            Column::ExpiresAt,
        ])
        .values([
            Expr::val(key.workspace.0),
            Expr::val(key.kind.as_str()),
            Expr::val(key.subject),
            Expr::val(holder),
            Expr::val(1_i64),
            end_of(tx, ttl)?,
        ])
        .map_err(|_| Error::Bug("a lease has as many values as columns".to_owned()))?
        .on_conflict(take_over(tx))
        .returning_col(Column::Fence);
    let rows = tx.query_all(&statement).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let fence = number(row.try_get_by_index::<i64>(0)?)?;
    Ok(Some(Held { key: *key, fence }))
}

/// One that ran out, or is held by the same holder, is taken again with a larger fence.
fn take_over(tx: &DatabaseTransaction) -> OnConflict {
    let stored = |column: Column| Expr::col((Entity, column));
    let holder = Expr::col(("excluded", Column::Holder));
    OnConflict::columns([Column::Workspace, Column::Kind, Column::Subject])
        .update_columns([Column::Holder, Column::ExpiresAt])
        .value(Column::Fence, stored(Column::Fence).add(1_i64))
        .action_and_where(
            stored(Column::ExpiresAt).lte(now(tx)).or(stored(Column::Holder).eq(holder)),
        )
        .to_owned()
}

/// Moves the end of a lease. False once it is lost.
pub(super) async fn renew(tx: &DatabaseTransaction, held: &Held, ttl: Duration) -> Result<bool> {
    let renewed = Entity::update_many()
        .col_expr(Column::ExpiresAt, end_of(tx, ttl)?)
        .filter(this(held)?)
        .filter(runs(tx))
        .exec(tx)
        .await?;
    Ok(renewed.rows_affected > 0)
}

/// Lets a lease run out. Its row stays, so that its fence only grows.
pub(super) async fn release(tx: &DatabaseTransaction, held: &Held) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::val(0_i64))
        .filter(this(held)?)
        .exec(tx)
        .await?;
    Ok(())
}

/// Whether anybody holds a lease now.
pub(super) async fn is_held(db: &DatabaseConnection, key: &LeaseKey) -> Result<bool> {
    let row = Entity::find().filter(named(key)).filter(runs(db)).one(db).await?;
    Ok(row.is_some())
}

/// Refuses once the lease is lost. Until this transaction ends, nobody else can take it.
pub(super) async fn check(tx: &DatabaseTransaction, held: &Held) -> Result<()> {
    let row = Entity::find().filter(this(held)?).filter(runs(tx)).lock_exclusive().one(tx).await?;
    row.map(|_| ()).ok_or(Error::Fenced)
}

/// The lease as it was taken: not taken since.
fn this(held: &Held) -> Result<Condition> {
    Ok(named(&held.key).add(Column::Fence.eq(number::<_, i64>(held.fence)?)))
}

/// The lease, whoever has taken it.
fn named(key: &LeaseKey) -> Condition {
    Condition::all()
        .add(Column::Workspace.eq(key.workspace.0))
        .add(Column::Kind.eq(key.kind.as_str()))
        .add(Column::Subject.eq(key.subject))
}

/// It has not run out.
fn runs(db: &impl ConnectionTrait) -> Expr {
    Expr::col((Entity, Column::ExpiresAt)).gt(now(db))
}

/// When a lease that is taken now runs out.
fn end_of(tx: &DatabaseTransaction, ttl: Duration) -> Result<Expr> {
    Ok(now(tx).add(number::<_, i64>(ttl.as_micros())?))
}

/// Now, in microseconds. Not the beginning of the transaction, which may have waited since.
fn now(db: &impl ConnectionTrait) -> Expr {
    Expr::cust(match db.get_database_backend() {
        DbBackend::Postgres => "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint",
        _ => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    })
}
