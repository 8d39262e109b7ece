//! Feeds and hints.

use std::collections::{BTreeMap, BTreeSet};

use entity::{account, feed, hint};
use jiff::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::batch::{CHUNK, insert, write};
use super::codec::{at_most, feed_row, micros};
use crate::record::{ObjectName, RemoteId};
use crate::store::{AccountId, End, Error, Feed, FeedId, Result, WorkspaceId};

pub(super) async fn open(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    account: AccountId,
    object: &ObjectName,
    collection: &str,
    id: FeedId,
) -> Result<Feed> {
    // Locked, so that two who open the same feed get the same one.
    account::Entity::find_by_id((workspace.0, account.0))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or(Error::NotFound("account"))?;
    let known = feed::Entity::find()
        .filter(feed::Column::Workspace.eq(workspace.0))
        .filter(feed::Column::Account.eq(account.0))
        .filter(feed::Column::Object.eq(object.as_str()))
        .filter(feed::Column::Collection.eq(collection))
        .one(tx)
        .await?;
    if let Some(model) = known {
        return feed_row(model);
    }
    let model = feed::Model {
        workspace: workspace.0,
        id: id.0,
        account: account.0,
        object: object.as_str().to_owned(),
        collection: collection.to_owned(),
        cursor: None,
        last_change: 0,
    };
    insert::<feed::Entity>(tx, vec![model.clone()]).await?;
    feed_row(model)
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: FeedId,
) -> Result<Feed> {
    let model = feed::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    feed_row(model.ok_or(Error::NotFound("feed"))?)
}

/// Feeds that nobody else changes until this transaction ends. Those that are not there are left
/// out.
pub(super) async fn lock(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    feeds: &BTreeSet<FeedId>,
) -> Result<BTreeMap<FeedId, feed::Model>> {
    if feeds.is_empty() {
        return Ok(BTreeMap::new());
    }
    let models = feed::Entity::find()
        .filter(feed::Column::Workspace.eq(workspace.0))
        .filter(feed::Column::Id.is_in(feeds.iter().map(|feed| feed.0)))
        // Whoever locks several does it in this order: nobody waits for a waiting one.
        .order_by_asc(feed::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    Ok(models.into_iter().map(|model| (FeedId(model.id), model)).collect())
}

/// One feed that nobody else changes until this transaction ends.
pub(super) async fn lock_one(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: FeedId,
) -> Result<feed::Model> {
    let mut models = lock(tx, workspace, &BTreeSet::from([id])).await?;
    models.remove(&id).ok_or(Error::NotFound("feed"))
}

/// Writes how far a feed is.
pub(super) async fn save(tx: &DatabaseTransaction, feed: feed::Model) -> Result<()> {
    feed::Entity::update_many()
        .col_expr(feed::Column::Cursor, Expr::val(feed.cursor))
        .col_expr(feed::Column::LastChange, Expr::val(feed.last_change))
        .filter(feed::Column::Workspace.eq(feed.workspace))
        .filter(feed::Column::Id.eq(feed.id))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn add_hints(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    feed: FeedId,
    ids: &BTreeSet<RemoteId>,
    due: Timestamp,
) -> Result<()> {
    lock_one(tx, workspace, feed).await?;
    let hints: Vec<(End, Timestamp)> =
        ids.iter().map(|id| (End { feed, id: id.clone() }, due)).collect();
    put_hints(tx, workspace, &hints).await
}

/// Adds hints to feeds that are locked. Of two for one record, the later one stays.
pub(super) async fn put_hints(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    hints: &[(End, Timestamp)],
) -> Result<()> {
    let mut latest: BTreeMap<&End, Timestamp> = BTreeMap::new();
    for (end, due) in hints {
        let at = latest.entry(end).or_insert(*due);
        *at = (*at).max(*due);
    }
    let rows = latest.into_iter().map(|(end, due)| hint::Model {
        workspace: workspace.0,
        feed: end.feed.0,
        remote_id: end.id.as_str().to_owned(),
        due_at: micros(due),
    });
    let is_later = Expr::col(("excluded", hint::Column::DueAt))
        .gt(Expr::col((hint::Entity, hint::Column::DueAt)));
    let clash =
        OnConflict::columns([hint::Column::Workspace, hint::Column::Feed, hint::Column::RemoteId])
            .update_column(hint::Column::DueAt)
            .action_and_where(is_later)
            .to_owned();
    write::<hint::Entity>(tx, rows.collect(), Some(clash)).await
}

/// Takes hints back that a page has answered.
pub(super) async fn answer(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    feed: FeedId,
    ids: &BTreeSet<RemoteId>,
    up_to: Timestamp,
) -> Result<()> {
    let ids: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
    for page in ids.chunks(CHUNK) {
        hint::Entity::delete_many()
            .filter(hint::Column::Workspace.eq(workspace.0))
            .filter(hint::Column::Feed.eq(feed.0))
            .filter(hint::Column::RemoteId.is_in(page.iter().copied()))
            .filter(hint::Column::DueAt.lte(micros(up_to)))
            .exec(tx)
            .await?;
    }
    Ok(())
}

pub(super) async fn due_hints(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    feed: FeedId,
    now: Timestamp,
    limit: u64,
) -> Result<BTreeSet<RemoteId>> {
    let ids = hint::Entity::find()
        .select_only()
        .column(hint::Column::RemoteId)
        .filter(hint::Column::Workspace.eq(workspace.0))
        .filter(hint::Column::Feed.eq(feed.0))
        .filter(hint::Column::DueAt.lte(micros(now)))
        .order_by_desc(hint::Column::DueAt)
        .order_by_asc(hint::Column::RemoteId)
        .limit(at_most(limit))
        .into_tuple::<String>()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(RemoteId::new).collect())
}

pub(super) async fn hinted(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    feed: FeedId,
    ids: &BTreeSet<RemoteId>,
) -> Result<BTreeSet<RemoteId>> {
    let ids: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
    let mut hinted = BTreeSet::new();
    for page in ids.chunks(CHUNK) {
        let found = hint::Entity::find()
            .select_only()
            .column(hint::Column::RemoteId)
            .filter(hint::Column::Workspace.eq(workspace.0))
            .filter(hint::Column::Feed.eq(feed.0))
            .filter(hint::Column::RemoteId.is_in(page.iter().copied()))
            .into_tuple::<String>()
            .all(db)
            .await?;
        hinted.extend(found.into_iter().map(RemoteId::new));
    }
    Ok(hinted)
}

/// When the next hint of these feeds is due.
pub(super) async fn next_hint(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    feeds: Vec<Uuid>,
) -> Result<Option<i64>> {
    let soonest = hint::Entity::find()
        .select_only()
        .column_as(hint::Column::DueAt.min(), "due_at")
        .filter(hint::Column::Workspace.eq(workspace.0))
        .filter(hint::Column::Feed.is_in(feeds))
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?;
    Ok(soonest.flatten())
}
