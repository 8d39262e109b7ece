//! Records that wait, and when anything is due next.

use std::collections::{BTreeMap, BTreeSet};

use entity::{create_intent, pending};
use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::batch::{CHUNK, latest, upsert};
use super::codec::{micros, pending_model, pending_row, time};
use super::{connection, feed};
use crate::store::{ConnectionId, End, FeedId, Pending, Result, WorkspaceId};

pub(super) async fn put(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    rows: &[Pending],
) -> Result<()> {
    let mut models = Vec::new();
    for row in latest(rows.iter().map(|row| ((row.connection, &row.end), row))) {
        models.push(pending_model(workspace, row)?);
    }
    upsert::<pending::Entity>(tx, models).await
}

pub(super) async fn clear(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    records: &BTreeSet<(ConnectionId, End)>,
) -> Result<()> {
    let mut groups: BTreeMap<(ConnectionId, FeedId), Vec<&str>> = BTreeMap::new();
    for (connection, end) in records {
        groups.entry((*connection, end.feed)).or_default().push(end.id.as_str());
    }
    for ((connection, feed), ids) in groups {
        for page in ids.chunks(CHUNK) {
            pending::Entity::delete_many()
                .filter(pending::Column::Workspace.eq(workspace.0))
                .filter(pending::Column::Connection.eq(connection.0))
                .filter(pending::Column::Feed.eq(feed.0))
                .filter(pending::Column::RemoteId.is_in(page.iter().copied()))
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}

pub(super) async fn all(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Vec<Pending>> {
    let models = of(workspace, connection).all(db).await?;
    models.into_iter().map(pending_row).collect()
}

pub(super) async fn due(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<Vec<Pending>> {
    let is_due = pending::Column::NextAt.lte(micros(now));
    let models = of(workspace, connection).filter(is_due).all(db).await?;
    models.into_iter().map(pending_row).collect()
}

fn of(workspace: WorkspaceId, connection: ConnectionId) -> Select<pending::Entity> {
    pending::Entity::find()
        .filter(pending::Column::Workspace.eq(workspace.0))
        .filter(pending::Column::Connection.eq(connection.0))
        .order_by_asc(pending::Column::Feed)
        .order_by_asc(pending::Column::RemoteId)
}

/// When the next hint, intent or waiting record of a connection is due.
pub(super) async fn next_due(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<Option<Timestamp>> {
    connection::row(tx, workspace, id).await?;
    let feeds = connection::feeds(tx, workspace, id).await?;
    let feeds = feeds.into_iter().map(|feed| feed.feed.0).collect();
    let hint = feed::next_hint(tx, workspace, feeds).await?;
    let intent = create_intent::Entity::find()
        .select_only()
        .column_as(create_intent::Column::ResolveAt.min(), "next")
        .filter(create_intent::Column::Workspace.eq(workspace.0))
        .filter(create_intent::Column::Connection.eq(id.0))
        .into_tuple::<Option<i64>>()
        .one(tx)
        .await?;
    let waiting = pending::Entity::find()
        .select_only()
        .column_as(pending::Column::NextAt.min(), "next")
        .filter(pending::Column::Workspace.eq(workspace.0))
        .filter(pending::Column::Connection.eq(id.0))
        .into_tuple::<Option<i64>>()
        .one(tx)
        .await?;
    let soonest = [hint, intent.flatten(), waiting.flatten()].into_iter().flatten().min();
    soonest.map(time).transpose()
}
