//! Deliveries.

use std::collections::BTreeMap;

use entity::delivery::{ActiveModel, Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};

use super::batch::{CHUNK, insert};
use super::codec::{at_most, from_word, micros, number, time, word};
use super::endpoint;
use crate::store::{
    AccountId, Delivery, DeliveryEnd, DeliveryId, DeliveryState, EndpointId, Error, Result,
    WorkspaceId,
};

pub(super) async fn add(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    delivery: &Delivery,
) -> Result<DeliveryId> {
    // With the endpoint locked, of two that are the same one is first.
    endpoint::note_delivery(tx, workspace, delivery.endpoint, delivery.received_at).await?;
    let known = Entity::find()
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Endpoint.eq(delivery.endpoint.0))
        .filter(Column::Fingerprint.eq(delivery.fingerprint.to_vec()))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    let Some(known) = known.map(row).transpose()? else {
        insert::<Entity>(tx, vec![model(workspace, delivery)?]).await?;
        return Ok(delivery.id);
    };
    let id = known.id;
    save(tx, workspace, &known.come_again(delivery.received_at)).await?;
    Ok(id)
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Delivery> {
    let model = Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    row(model.ok_or(Error::NotFound("delivery"))?)
}

/// A delivery that nobody else changes until this transaction ends.
async fn lock(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Delivery> {
    let found = Entity::find_by_id((workspace.0, id.0)).lock(LockType::NoKeyUpdate);
    row(found.one(tx).await?.ok_or(Error::NotFound("delivery"))?)
}

pub(super) async fn settle(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: DeliveryId,
    received_at: Timestamp,
    end: &DeliveryEnd,
) -> Result<bool> {
    let known = lock(tx, workspace, id).await?;
    if micros(known.received_at) > micros(received_at) {
        return Ok(false);
    }
    save(tx, workspace, &known.settled(end)).await?;
    Ok(true)
}

pub(super) async fn replay(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Delivery> {
    let replayed = lock(tx, workspace, id).await?.untried(now);
    save(tx, workspace, &replayed).await?;
    Ok(replayed)
}

/// The same as [`replay`] for all that came to an endpoint at a time or later.
pub(super) async fn replay_since(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    endpoint: EndpointId,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64> {
    let replayed = Entity::update_many()
        .set(ActiveModel {
            state: ActiveValue::Set(word(&DeliveryState::Received)?),
            attempts: ActiveValue::Set(0),
            next_at: ActiveValue::Set(Some(micros(now))),
            error: ActiveValue::Set(None),
            ..Default::default()
        })
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Endpoint.eq(endpoint.0))
        .filter(Column::ReceivedAt.gte(micros(since)))
        .exec(tx)
        .await?;
    Ok(replayed.rows_affected)
}

/// The deliveries of an endpoint that are due, oldest first.
pub(super) async fn due(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    endpoint: EndpointId,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Delivery>> {
    let models = all_due(now)?
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Endpoint.eq(endpoint.0))
        .order_by_asc(Column::ReceivedAt)
        .order_by_asc(Column::Id)
        .limit(at_most(limit))
        .all(db)
        .await?;
    models.into_iter().map(row).collect()
}

/// The endpoints of all workspaces that have a delivery that is due.
pub(super) async fn due_endpoints(
    db: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Vec<(WorkspaceId, EndpointId)>> {
    let keys = all_due(now)?
        .select_only()
        .column(Column::Workspace)
        .column(Column::Endpoint)
        .distinct()
        .order_by_asc(Column::Workspace)
        .order_by_asc(Column::Endpoint)
        .into_tuple::<(Uuid, Uuid)>()
        .all(db)
        .await?;
    Ok(keys.into_iter().map(|(ws, endpoint)| (WorkspaceId(ws), EndpointId(endpoint))).collect())
}

/// The deliveries of all workspaces that are to be expanded and due.
fn all_due(now: Timestamp) -> Result<Select<Entity>> {
    Ok(Entity::find()
        .filter(Column::State.eq(word(&DeliveryState::Received)?))
        .filter(Column::NextAt.lte(micros(now))))
}

/// The deliveries of a workspace that are older than one and fit, newest first.
pub(super) async fn before(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    endpoint: Option<EndpointId>,
    state: Option<DeliveryState>,
    before: Option<DeliveryId>,
    limit: u64,
) -> Result<Vec<Delivery>> {
    let mut query = Entity::find()
        .filter(Column::Workspace.eq(workspace.0))
        .order_by_desc(Column::Id)
        .limit(at_most(limit));
    if let Some(endpoint) = endpoint {
        query = query.filter(Column::Endpoint.eq(endpoint.0));
    }
    if let Some(state) = state {
        query = query.filter(Column::State.eq(word(&state)?));
    }
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before.0));
    }
    query.all(db).await?.into_iter().map(row).collect()
}

/// Deletes deliveries in a state that came last before a time. What comes again meanwhile waits until
/// they are locked, or is left out.
pub(super) async fn forget(
    tx: &DatabaseTransaction,
    state: DeliveryState,
    before: Timestamp,
    limit: u64,
) -> Result<u64> {
    let over = Entity::find()
        .select_only()
        .column(Column::Workspace)
        .column(Column::Id)
        .filter(Column::State.eq(word(&state)?))
        .filter(Column::ReceivedAt.lt(micros(before)))
        .order_by_asc(Column::ReceivedAt)
        .order_by_asc(Column::Id)
        .limit(at_most(limit))
        .lock(LockType::Update)
        .into_tuple::<(Uuid, Uuid)>()
        .all(tx)
        .await?;
    let mut by_workspace: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (workspace, id) in over {
        by_workspace.entry(workspace).or_default().push(id);
    }
    let mut forgotten = 0;
    for (workspace, ids) in by_workspace {
        for page in ids.chunks(CHUNK) {
            let deleted = Entity::delete_many()
                .filter(Column::Workspace.eq(workspace))
                .filter(Column::Id.is_in(page.iter().copied()))
                .exec(tx)
                .await?;
            forgotten += deleted.rows_affected;
        }
    }
    Ok(forgotten)
}

/// Writes how a delivery stands that is locked. What came with it stays.
async fn save(tx: &DatabaseTransaction, workspace: WorkspaceId, row: &Delivery) -> Result<()> {
    Entity::update_many()
        .set(ActiveModel {
            received_at: ActiveValue::Set(micros(row.received_at)),
            times: ActiveValue::Set(row.times.into()),
            state: ActiveValue::Set(word(&row.state)?),
            attempts: ActiveValue::Set(row.attempts.into()),
            next_at: ActiveValue::Set(row.next_at.map(micros)),
            error: ActiveValue::Set(row.error.clone()),
            hints: ActiveValue::Set(row.hints.into()),
            ..Default::default()
        })
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Id.eq(row.id.0))
        .exec(tx)
        .await?;
    Ok(())
}

fn model(workspace: WorkspaceId, row: &Delivery) -> Result<Model> {
    Ok(Model {
        workspace: workspace.0,
        id: row.id.0,
        endpoint: row.endpoint.0,
        account: row.account.0,
        received_at: micros(row.received_at),
        fingerprint: row.fingerprint.to_vec(),
        times: row.times.into(),
        content_type: row.content_type.clone(),
        body: row.body.clone(),
        state: word(&row.state)?,
        attempts: row.attempts.into(),
        next_at: row.next_at.map(micros),
        error: row.error.clone(),
        hints: row.hints.into(),
    })
}

fn row(model: Model) -> Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId(model.id),
        endpoint: EndpointId(model.endpoint),
        account: AccountId(model.account),
        received_at: time(model.received_at)?,
        fingerprint: model
            .fingerprint
            .try_into()
            .map_err(|_| Error::Bug("not a fingerprint".to_owned()))?,
        times: number(model.times)?,
        content_type: model.content_type,
        body: model.body,
        state: from_word(model.state)?,
        attempts: number(model.attempts)?,
        next_at: model.next_at.map(time).transpose()?,
        error: model.error,
        hints: number(model.hints)?,
    })
}
