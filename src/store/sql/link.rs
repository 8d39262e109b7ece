//! Links and their ends.

use std::collections::{BTreeMap, BTreeSet};

use entity::{link, link_end};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::batch::{CHUNK, insert, latest, upsert};
use super::codec::{at_most, link_end_models, link_model, link_row, number, word};
use crate::planner::LinkState;
use crate::record::RemoteId;
use crate::store::{ConnectionId, Error, FeedId, LinkId, LinkRow, Result, WorkspaceId};

/// Writes links as they are now. A record that is an end of another link is a conflict.
pub(super) async fn put(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    links: &[LinkRow],
) -> Result<()> {
    let links = latest(links.iter().map(|link| (link.id, link)));
    let mut rows = Vec::new();
    let mut ends = Vec::new();
    for link in &links {
        rows.push(link_model(workspace, link)?);
        ends.extend(link_end_models(workspace, link)?);
    }
    check_ends(tx, &ends).await?;
    upsert::<link::Entity>(tx, rows).await?;
    for page in links.chunks(CHUNK) {
        let old = link_end::Entity::delete_many()
            .filter(link_end::Column::Workspace.eq(workspace.0))
            .filter(link_end::Column::Link.is_in(page.iter().map(|link| link.id.0)));
        old.exec(tx).await?;
    }
    insert::<link_end::Entity>(tx, ends).await
}

async fn check_ends(tx: &DatabaseTransaction, ends: &[link_end::Model]) -> Result<()> {
    type Place<'a> = (Uuid, Uuid, &'a str);
    fn place(end: &link_end::Model) -> Place<'_> {
        (end.connection, end.feed, &end.remote_id)
    }
    let links: BTreeMap<Place<'_>, Uuid> = ends.iter().map(|end| (place(end), end.link)).collect();
    for page in ends.chunks(CHUNK) {
        let Some(first) = page.first() else { continue };
        // Connections and feeds are few: this finds no more than it asks for, or hardly.
        let taken = link_end::Entity::find()
            .filter(link_end::Column::Workspace.eq(first.workspace))
            .filter(link_end::Column::Connection.is_in(distinct(page, |end| end.connection)))
            .filter(link_end::Column::Feed.is_in(distinct(page, |end| end.feed)))
            .filter(link_end::Column::RemoteId.is_in(page.iter().map(|end| end.remote_id.as_str())))
            .all(tx)
            .await?;
        if taken.iter().any(|end| links.get(&place(end)).is_some_and(|link| *link != end.link)) {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

fn distinct(ends: &[link_end::Model], part: fn(&link_end::Model) -> Uuid) -> BTreeSet<Uuid> {
    ends.iter().map(part).collect()
}

pub(super) async fn of_records(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    feed: FeedId,
    ids: &BTreeSet<RemoteId>,
) -> Result<Vec<LinkRow>> {
    let ids: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
    let mut links = BTreeSet::new();
    for page in ids.chunks(CHUNK) {
        let found = link_end::Entity::find()
            .select_only()
            .column(link_end::Column::Link)
            .filter(link_end::Column::Workspace.eq(workspace.0))
            .filter(link_end::Column::Connection.eq(connection.0))
            .filter(link_end::Column::Feed.eq(feed.0))
            .filter(link_end::Column::RemoteId.is_in(page.iter().copied()))
            .into_tuple::<Uuid>()
            .all(tx)
            .await?;
        links.extend(found);
    }
    let links: Vec<Uuid> = links.into_iter().collect();
    let mut rows = Vec::with_capacity(links.len());
    for page in links.chunks(CHUNK) {
        let models = link::Entity::find()
            .filter(link::Column::Workspace.eq(workspace.0))
            .filter(link::Column::Id.is_in(page.iter().copied()))
            .order_by_asc(link::Column::Id)
            .all(tx)
            .await?;
        rows.extend(with_ends(tx, workspace, models).await?);
    }
    Ok(rows)
}

pub(super) async fn after(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    after: Option<LinkId>,
    limit: u64,
) -> Result<Vec<LinkRow>> {
    let mut query = link::Entity::find()
        .filter(link::Column::Workspace.eq(workspace.0))
        .filter(link::Column::Connection.eq(connection.0))
        .order_by_asc(link::Column::Id)
        .limit(at_most(limit));
    if let Some(after) = after {
        query = query.filter(link::Column::Id.gt(after.0));
    }
    let models = query.all(tx).await?;
    with_ends(tx, workspace, models).await
}

async fn with_ends(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    models: Vec<link::Model>,
) -> Result<Vec<LinkRow>> {
    let ids: Vec<Uuid> = models.iter().map(|model| model.id).collect();
    let mut ends: BTreeMap<Uuid, Vec<link_end::Model>> = BTreeMap::new();
    for page in ids.chunks(CHUNK) {
        let found = link_end::Entity::find()
            .filter(link_end::Column::Workspace.eq(workspace.0))
            .filter(link_end::Column::Link.is_in(page.iter().copied()))
            .all(tx)
            .await?;
        for end in found {
            ends.entry(end.link).or_default().push(end);
        }
    }
    let mut rows = Vec::with_capacity(models.len());
    for model in models {
        let ends = ends.remove(&model.id).unwrap_or_default();
        rows.push(link_row(model, ends)?);
    }
    Ok(rows)
}

pub(super) async fn count_active(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<u64> {
    let active = link::Entity::find()
        .select_only()
        .column_as(link::Column::Id.count(), "active")
        .filter(link::Column::Workspace.eq(workspace.0))
        .filter(link::Column::Connection.eq(connection.0))
        .filter(link::Column::State.eq(word(&LinkState::Active)?))
        .into_tuple::<i64>()
        .one(db)
        .await?;
    number(active.unwrap_or_default())
}
