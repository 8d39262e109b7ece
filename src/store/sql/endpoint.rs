//! Endpoints.

use entity::endpoint::{ActiveModel, Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::account;
use super::batch::insert;
use super::codec::{document, from_document, micros, number, time};
use crate::store::{AccountId, Endpoint, EndpointId, Error, Result, WorkspaceId};

pub(super) async fn add(tx: &DatabaseTransaction, endpoint: &Endpoint) -> Result<()> {
    account::get(tx, endpoint.workspace, endpoint.account).await?;
    insert::<Entity>(tx, vec![model(endpoint)?]).await
}

/// The endpoint of this id, in whatever workspace.
pub(super) async fn at(db: &impl ConnectionTrait, id: EndpointId) -> Result<Option<Endpoint>> {
    let model = Entity::find().filter(Column::Id.eq(id.0)).one(db).await?;
    model.map(row).transpose()
}

pub(super) async fn of_account(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    account: AccountId,
) -> Result<Option<Endpoint>> {
    let model = Entity::find()
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Account.eq(account.0))
        .one(db)
        .await?;
    model.map(row).transpose()
}

pub(super) async fn all(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
) -> Result<Vec<Endpoint>> {
    let models = Entity::find()
        .filter(Column::Workspace.eq(workspace.0))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    models.into_iter().map(row).collect()
}

/// Changes what may change of an endpoint of the generation that was seen, but for when something came
/// last.
pub(super) async fn save(tx: &DatabaseTransaction, endpoint: &Endpoint, seen: u32) -> Result<()> {
    let key = (endpoint.workspace.0, endpoint.id.0);
    let changed = Entity::update_many()
        .set(ActiveModel {
            generation: ActiveValue::Set(endpoint.generation.into()),
            state: ActiveValue::Set(document(&endpoint.state)?),
            remote_id: ActiveValue::Set(endpoint.remote_id.clone()),
            objects: ActiveValue::Set(document(&endpoint.objects)?),
            registered_at: ActiveValue::Set(endpoint.registered_at.map(micros)),
            expires_at: ActiveValue::Set(endpoint.expires_at.map(micros)),
            ..Default::default()
        })
        .filter(Column::Workspace.eq(key.0))
        .filter(Column::Id.eq(key.1))
        .filter(Column::Generation.eq(i64::from(seen)))
        .exec(tx)
        .await?;
    if changed.rows_affected > 0 {
        return Ok(());
    }
    let known = Entity::find_by_id(key).one(tx).await?;
    Err(if known.is_some() { Error::Conflict } else { Error::NotFound("endpoint") })
}

/// Notes that something came. Until this transaction ends, nothing else comes to this endpoint.
pub(super) async fn note_delivery(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: EndpointId,
    at: Timestamp,
) -> Result<()> {
    let found = Entity::find_by_id((workspace.0, id.0)).lock(LockType::NoKeyUpdate);
    let model = found.one(tx).await?.ok_or(Error::NotFound("endpoint"))?;
    let last = model.last_delivery_at.max(Some(micros(at)));
    Entity::update_many()
        .col_expr(Column::LastDeliveryAt, Expr::val(last))
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

fn model(row: &Endpoint) -> Result<Model> {
    Ok(Model {
        workspace: row.workspace.0,
        id: row.id.0,
        account: row.account.0,
        generation: row.generation.into(),
        state: document(&row.state)?,
        remote_id: row.remote_id.clone(),
        objects: document(&row.objects)?,
        registered_at: row.registered_at.map(micros),
        expires_at: row.expires_at.map(micros),
        last_delivery_at: row.last_delivery_at.map(micros),
        created_at: micros(row.created_at),
    })
}

fn row(model: Model) -> Result<Endpoint> {
    Ok(Endpoint {
        id: EndpointId(model.id),
        workspace: WorkspaceId(model.workspace),
        account: AccountId(model.account),
        generation: number(model.generation)?,
        state: from_document(&model.state)?,
        remote_id: model.remote_id,
        objects: from_document(&model.objects)?,
        registered_at: model.registered_at.map(time).transpose()?,
        expires_at: model.expires_at.map(time).transpose()?,
        last_delivery_at: model.last_delivery_at.map(time).transpose()?,
        created_at: time(model.created_at)?,
    })
}
