//! What a person should look at.

use std::collections::{BTreeMap, BTreeSet};

use entity::issue::{Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::batch::{CHUNK, upsert};
use super::codec::{at_most, from_word, micros, number, time, word};
use crate::record::{FieldId, RemoteId};
use crate::store::{
    ConnectionId, End, Error, FeedId, IssueId, IssueRow, IssuesOf, Result, RunId, WorkspaceId,
};

/// Writes what was found of records and of the connection: what is new, what goes on, and what is over, in one statement.
pub(super) async fn put(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    issues: &[IssuesOf],
) -> Result<()> {
    let mut open = lock_open(tx, workspace, connection, issues).await?;
    let mut changed: BTreeMap<IssueId, IssueRow> = BTreeMap::new();
    for of in issues {
        let before = open.remove(&of.end).unwrap_or_default();
        for row in of.compare(connection, before) {
            if row.resolved_at.is_none() {
                open.entry(of.end.clone()).or_default().push(row.clone());
            }
            changed.insert(row.id, row);
        }
    }
    let mut rows = Vec::with_capacity(changed.len());
    for row in changed.values() {
        rows.push(model(workspace, row)?);
    }
    upsert::<Entity>(tx, rows).await
}

/// The open issues of these records, and of the connection if that is named. Until this transaction ends, nobody else ends them.
async fn lock_open(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    issues: &[IssuesOf],
) -> Result<BTreeMap<Option<End>, Vec<IssueRow>>> {
    let mut records: BTreeMap<FeedId, BTreeSet<&str>> = BTreeMap::new();
    for end in issues.iter().filter_map(|of| of.end.as_ref()) {
        records.entry(end.feed).or_default().insert(end.id.as_str());
    }
    let mut found: Vec<Model> = Vec::new();
    let open = || {
        Entity::find()
            .filter(Column::Workspace.eq(workspace.0))
            .filter(Column::Connection.eq(connection.0))
            .filter(Column::ResolvedAt.is_null())
            .order_by_asc(Column::Id)
            .lock(LockType::NoKeyUpdate)
    };
    if issues.iter().any(|of| of.end.is_none()) {
        found.extend(open().filter(Column::Feed.is_null()).all(tx).await?);
    }
    for (feed, ids) in records {
        let ids: Vec<&str> = ids.into_iter().collect();
        for page in ids.chunks(CHUNK) {
            let of_records = open()
                .filter(Column::Feed.eq(feed.0))
                .filter(Column::RemoteId.is_in(page.iter().copied()));
            found.extend(of_records.all(tx).await?);
        }
    }
    let mut open: BTreeMap<Option<End>, Vec<IssueRow>> = BTreeMap::new();
    for model in found {
        let row = row(model)?;
        open.entry(row.end.clone()).or_default().push(row);
    }
    Ok(open)
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: IssueId,
) -> Result<IssueRow> {
    let found = Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    row(found.ok_or(Error::NotFound("issue"))?)
}

/// The issues of a connection that are older than one, newest first.
pub(super) async fn before(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    open_only: bool,
    before: Option<IssueId>,
    limit: u64,
) -> Result<Vec<IssueRow>> {
    let mut query = Entity::find()
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Connection.eq(connection.0))
        .order_by_desc(Column::Id)
        .limit(at_most(limit));
    if open_only {
        query = query.filter(Column::ResolvedAt.is_null());
    }
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before.0));
    }
    query.all(db).await?.into_iter().map(row).collect()
}

pub(super) async fn resolve(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: IssueId,
    at: Timestamp,
) -> Result<IssueRow> {
    let found = Entity::find_by_id((workspace.0, id.0)).lock(LockType::NoKeyUpdate);
    let issue = row(found.one(tx).await?.ok_or(Error::NotFound("issue"))?)?;
    if issue.resolved_at.is_some() {
        return Ok(issue);
    }
    Entity::update_many()
        .col_expr(Column::ResolvedAt, Expr::val(micros(at)))
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(IssueRow { resolved_at: Some(at), ..issue })
}

fn model(workspace: WorkspaceId, row: &IssueRow) -> Result<Model> {
    Ok(Model {
        workspace: workspace.0,
        id: row.id.0,
        connection: row.connection.0,
        code: row.code.clone(),
        feed: row.end.as_ref().map(|end| end.feed.0),
        remote_id: row.end.as_ref().map(|end| end.id.as_str().to_owned()),
        side: row.side.as_ref().map(word).transpose()?,
        field: row.field.as_ref().map(|field| field.as_str().to_owned()),
        run: row.run.0,
        first_at: micros(row.first_at),
        last_at: micros(row.last_at),
        times: row.times.into(),
        resolved_at: row.resolved_at.map(micros),
    })
}

fn row(model: Model) -> Result<IssueRow> {
    let end = model.feed.zip(model.remote_id);
    Ok(IssueRow {
        id: IssueId(model.id),
        connection: ConnectionId(model.connection),
        code: model.code,
        end: end.map(|(feed, id)| End { feed: FeedId(feed), id: RemoteId::new(id) }),
        side: model.side.map(from_word).transpose()?,
        field: model.field.map(FieldId::new),
        run: RunId(model.run),
        first_at: time(model.first_at)?,
        last_at: time(model.last_at)?,
        times: number(model.times)?,
        resolved_at: model.resolved_at.map(time).transpose()?,
    })
}
