//! Connections: their configurations, what they read, and how far they are.

use std::collections::BTreeSet;

use entity::{config_version, connection, connection_feed, feed, sync};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};

use super::batch::{insert, upsert};
use super::codec::{document, from_document, from_word, number, word};
use super::draft;
use crate::planner::Settings;
use crate::record::{PerSide, Side};
use crate::store::{
    AccountId, Connection, ConnectionFeed, ConnectionId, Error, FeedId, Result, SyncProgress,
    WorkspaceId,
};

pub(super) async fn add(tx: &DatabaseTransaction, connection: &Connection) -> Result<()> {
    let workspace = connection.workspace;
    check_feeds(tx, connection).await?;
    let row = connection::Model {
        workspace: workspace.0,
        id: connection.id.0,
        title: connection.title.clone(),
        version: connection.settings.version.into(),
        again: connection.again,
    };
    insert::<connection::Entity>(tx, vec![row]).await?;
    add_version(tx, workspace, connection.id, &connection.settings).await?;
    let mut feeds = Vec::new();
    for feed in &connection.feeds {
        feeds.push(feed_model(connection, feed)?);
    }
    insert::<connection_feed::Entity>(tx, feeds).await?;
    put_progress(tx, workspace, connection.id, &connection.progress).await
}

async fn check_feeds(tx: &DatabaseTransaction, connection: &Connection) -> Result<()> {
    let named: BTreeSet<Uuid> = connection.feeds.iter().map(|feed| feed.feed.0).collect();
    let known = feed::Entity::find()
        .select_only()
        .column(feed::Column::Id)
        .filter(feed::Column::Workspace.eq(connection.workspace.0))
        .filter(feed::Column::Id.is_in(named.iter().copied()))
        .into_tuple::<Uuid>()
        .all(tx)
        .await?;
    if known.len() == named.len() { Ok(()) } else { Err(Error::NotFound("feed")) }
}

fn feed_model(connection: &Connection, feed: &ConnectionFeed) -> Result<connection_feed::Model> {
    Ok(connection_feed::Model {
        workspace: connection.workspace.0,
        connection: connection.id.0,
        side: word(&feed.side)?,
        feed: feed.feed.0,
        rank: feed.rank.into(),
        planned_to: number(feed.planned_to)?,
    })
}

async fn add_version(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    settings: &Settings,
) -> Result<()> {
    let row = config_version::Model {
        workspace: workspace.0,
        connection: connection.0,
        n: settings.version.into(),
        document: document(settings)?,
    };
    insert::<config_version::Entity>(tx, vec![row]).await
}

async fn put_progress(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    progress: &PerSide<SyncProgress>,
) -> Result<()> {
    let mut rows = Vec::new();
    for (side, progress) in progress.iter() {
        rows.push(sync::Model {
            workspace: workspace.0,
            connection: connection.0,
            direction: word(&side)?,
            progress: document(progress)?,
        });
    }
    upsert::<sync::Entity>(tx, rows).await
}

pub(super) async fn set_progress(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
    progress: &PerSide<SyncProgress>,
) -> Result<()> {
    row(tx, workspace, id).await?;
    put_progress(tx, workspace, id, progress).await
}

/// Moves what was planned up to.
pub(super) async fn set_planned_to(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
    feed: FeedId,
    planned_to: u64,
) -> Result<()> {
    connection_feed::Entity::update_many()
        .col_expr(connection_feed::Column::PlannedTo, Expr::val(number::<_, i64>(planned_to)?))
        .filter(connection_feed::Column::Workspace.eq(workspace.0))
        .filter(connection_feed::Column::Connection.eq(id.0))
        .filter(connection_feed::Column::Feed.eq(feed.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// The row of a connection.
pub(super) async fn row(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<connection::Model> {
    let row = connection::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    row.ok_or(Error::NotFound("connection"))
}

/// The row of a connection that nobody else changes until this transaction ends.
pub(super) async fn lock(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<connection::Model> {
    let row = connection::Entity::find_by_id((workspace.0, id.0)).lock(LockType::NoKeyUpdate);
    row.one(tx).await?.ok_or(Error::NotFound("connection"))
}

pub(super) async fn get(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<Connection> {
    whole(tx, row(tx, workspace, id).await?).await
}

pub(super) async fn all(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
) -> Result<Vec<Connection>> {
    let rows = connection::Entity::find()
        .filter(connection::Column::Workspace.eq(workspace.0))
        .order_by_asc(connection::Column::Id)
        .all(tx)
        .await?;
    let mut connections = Vec::with_capacity(rows.len());
    for row in rows {
        connections.push(whole(tx, row).await?);
    }
    Ok(connections)
}

/// The connections that read any feed of an account.
pub(super) async fn of_account(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    account: AccountId,
) -> Result<Vec<ConnectionId>> {
    let feeds = feed::Entity::find()
        .select_only()
        .column(feed::Column::Id)
        .filter(feed::Column::Workspace.eq(workspace.0))
        .filter(feed::Column::Account.eq(account.0))
        .into_query();
    let found = connection_feed::Entity::find()
        .select_only()
        .column(connection_feed::Column::Connection)
        .filter(connection_feed::Column::Workspace.eq(workspace.0))
        .filter(connection_feed::Column::Feed.in_subquery(feeds))
        .into_tuple::<Uuid>()
        .all(db)
        .await?;
    let distinct: BTreeSet<ConnectionId> = found.into_iter().map(ConnectionId).collect();
    Ok(distinct.into_iter().collect())
}

/// A connection with everything that belongs to it.
async fn whole(tx: &DatabaseTransaction, row: connection::Model) -> Result<Connection> {
    let (workspace, id) = (WorkspaceId(row.workspace), ConnectionId(row.id));
    let version = config_version::Entity::find_by_id((workspace.0, id.0, row.version))
        .one(tx)
        .await?
        .ok_or_else(|| Error::Bug("a connection lacks its configuration".to_owned()))?;
    Ok(Connection {
        workspace,
        id,
        title: row.title,
        settings: from_document(&version.document)?,
        feeds: feeds(tx, workspace, id).await?,
        progress: progress(tx, workspace, id).await?,
        again: row.again,
    })
}

/// What a connection reads: the left side first, each in its order of preference.
pub(super) async fn feeds(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<Vec<ConnectionFeed>> {
    let rows = connection_feed::Entity::find()
        .filter(connection_feed::Column::Workspace.eq(workspace.0))
        .filter(connection_feed::Column::Connection.eq(id.0))
        .order_by_asc(connection_feed::Column::Side)
        .order_by_asc(connection_feed::Column::Rank)
        .order_by_asc(connection_feed::Column::Feed)
        .all(db)
        .await?;
    let mut feeds = Vec::new();
    for row in rows {
        feeds.push(ConnectionFeed {
            side: from_word(row.side)?,
            rank: number(row.rank)?,
            feed: FeedId(row.feed),
            planned_to: number(row.planned_to)?,
        });
    }
    Ok(feeds)
}

async fn progress(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<PerSide<SyncProgress>> {
    let rows = sync::Entity::find()
        .filter(sync::Column::Workspace.eq(workspace.0))
        .filter(sync::Column::Connection.eq(id.0))
        .all(db)
        .await?;
    let mut progress: PerSide<SyncProgress> = PerSide::default();
    for row in rows {
        let side: Side = from_word(row.direction)?;
        *progress.of_mut(side) = from_document(&row.progress)?;
    }
    Ok(progress)
}

pub(super) async fn publish(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
    expected: u32,
    settings: &Settings,
) -> Result<u32> {
    // Of two who start from the same version one is refused.
    let row = lock(tx, workspace, id).await?;
    if row.version != i64::from(expected) {
        return Err(Error::Conflict);
    }
    let settings = Settings { version: expected + 1, ..settings.clone() };
    add_version(tx, workspace, id, &settings).await?;
    connection::Entity::update_many()
        .col_expr(connection::Column::Version, Expr::val(i64::from(settings.version)))
        .filter(connection::Column::Workspace.eq(workspace.0))
        .filter(connection::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    draft::discard(tx, workspace, id).await?;
    Ok(settings.version)
}

/// Notes whether another run is asked for.
pub(super) async fn set_again(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
    again: bool,
) -> Result<()> {
    let noted = connection::Entity::update_many()
        .col_expr(connection::Column::Again, Expr::val(again))
        .filter(connection::Column::Workspace.eq(workspace.0))
        .filter(connection::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    if noted.rows_affected > 0 { Ok(()) } else { Err(Error::NotFound("connection")) }
}
