//! The end of a connection, with everything that hangs on it.

use std::collections::BTreeSet;
use std::time::Duration;

use entity::{
    config_version, connection, connection_feed, create_intent, create_intent_key, draft, feed,
    hint, issue, link, link_end, op, pending, plan, plan_item, record_outcome, run, seen, seen_key,
    sync,
};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::{connection as connections, feed as feeds, lease};
use crate::store::{ConnectionId, Error, FeedId, LeaseKey, LeaseKind, Result, WorkspaceId};

/// Who holds the lease of a connection that is removed.
const HOLDER: &str = "removal";

pub(super) async fn remove(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<()> {
    // Taken, so that nobody else can begin a run until this transaction ends; with it, it runs out.
    // Its row stays: whoever held it once must never find its own fence again.
    let key = LeaseKey { workspace, kind: LeaseKind::Connection, subject: id.0 };
    let is_free = lease::acquire(tx, &key, HOLDER, Duration::ZERO).await?.is_some();
    connections::lock(tx, workspace, id).await?;
    if !is_free {
        return Err(Error::Conflict);
    }
    let rows = connections::feeds(tx, workspace, id).await?;
    let read: BTreeSet<FeedId> = rows.into_iter().map(|row| row.feed).collect();
    feeds::lock(tx, workspace, &read).await?;
    remove_history(tx, workspace, id).await?;
    let of = [workspace.0, id.0];
    delete::<pending::Entity>(tx, [pending::Column::Workspace, pending::Column::Connection], of)
        .await?;
    delete::<link_end::Entity>(tx, [link_end::Column::Workspace, link_end::Column::Connection], of)
        .await?;
    delete::<link::Entity>(tx, [link::Column::Workspace, link::Column::Connection], of).await?;
    delete::<draft::Entity>(tx, [draft::Column::Workspace, draft::Column::Connection], of).await?;
    delete::<sync::Entity>(tx, [sync::Column::Workspace, sync::Column::Connection], of).await?;
    let versions = [config_version::Column::Workspace, config_version::Column::Connection];
    delete::<config_version::Entity>(tx, versions, of).await?;
    let reads = [connection_feed::Column::Workspace, connection_feed::Column::Connection];
    delete::<connection_feed::Entity>(tx, reads, of).await?;
    delete::<connection::Entity>(tx, [connection::Column::Workspace, connection::Column::Id], of)
        .await?;
    for feed in unread(tx, workspace, read).await? {
        remove_feed(tx, workspace, feed).await?;
    }
    Ok(())
}

/// Removes what was planned and done, what refers to something before that.
async fn remove_history(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<()> {
    let of = [workspace.0, id.0];
    let intents = create_intent::Entity::find()
        .select_only()
        .column(create_intent::Column::Op)
        .filter(create_intent::Column::Workspace.eq(workspace.0))
        .filter(create_intent::Column::Connection.eq(id.0))
        .into_query();
    create_intent_key::Entity::delete_many()
        .filter(create_intent_key::Column::Workspace.eq(workspace.0))
        .filter(create_intent_key::Column::Op.in_subquery(intents))
        .exec(tx)
        .await?;
    let intents = [create_intent::Column::Workspace, create_intent::Column::Connection];
    delete::<create_intent::Entity>(tx, intents, of).await?;
    delete::<op::Entity>(tx, [op::Column::Workspace, op::Column::Connection], of).await?;
    let plans = plan::Entity::find()
        .select_only()
        .column(plan::Column::Id)
        .filter(plan::Column::Workspace.eq(workspace.0))
        .filter(plan::Column::Connection.eq(id.0))
        .into_query();
    plan_item::Entity::delete_many()
        .filter(plan_item::Column::Workspace.eq(workspace.0))
        .filter(plan_item::Column::Plan.in_subquery(plans))
        .exec(tx)
        .await?;
    delete::<plan::Entity>(tx, [plan::Column::Workspace, plan::Column::Connection], of).await?;
    let outcomes = [record_outcome::Column::Workspace, record_outcome::Column::Connection];
    delete::<record_outcome::Entity>(tx, outcomes, of).await?;
    delete::<issue::Entity>(tx, [issue::Column::Workspace, issue::Column::Connection], of).await?;
    delete::<run::Entity>(tx, [run::Column::Workspace, run::Column::Connection], of).await
}

/// Those of these feeds that no connection reads.
async fn unread(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    mut feeds: BTreeSet<FeedId>,
) -> Result<BTreeSet<FeedId>> {
    let read = connection_feed::Entity::find()
        .select_only()
        .column(connection_feed::Column::Feed)
        .filter(connection_feed::Column::Workspace.eq(workspace.0))
        .filter(connection_feed::Column::Feed.is_in(feeds.iter().map(|feed| feed.0)))
        .into_tuple::<Uuid>()
        .all(tx)
        .await?;
    for feed in read {
        feeds.remove(&FeedId(feed));
    }
    Ok(feeds)
}

async fn remove_feed(tx: &DatabaseTransaction, workspace: WorkspaceId, id: FeedId) -> Result<()> {
    let of = [workspace.0, id.0];
    delete::<seen_key::Entity>(tx, [seen_key::Column::Workspace, seen_key::Column::Feed], of)
        .await?;
    delete::<seen::Entity>(tx, [seen::Column::Workspace, seen::Column::Feed], of).await?;
    delete::<hint::Entity>(tx, [hint::Column::Workspace, hint::Column::Feed], of).await?;
    delete::<feed::Entity>(tx, [feed::Column::Workspace, feed::Column::Id], of).await
}

/// Deletes the rows of a table that have these ids in these columns.
async fn delete<E: EntityTrait>(
    tx: &DatabaseTransaction,
    columns: [E::Column; 2],
    ids: [Uuid; 2],
) -> Result<()> {
    let [outer, inner] = columns;
    let [workspace, id] = ids;
    E::delete_many().filter(outer.eq(workspace)).filter(inner.eq(id)).exec(tx).await?;
    Ok(())
}
