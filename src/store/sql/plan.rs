//! Plans and their items.

use std::collections::BTreeSet;

use entity::{plan, plan_item};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};

use super::batch::{CHUNK, latest, upsert};
use super::codec::{at_most, document, from_document, from_word, micros, number, time, word};
use super::run;
use crate::store::{ConnectionId, Error, PlanItem, PlanRow, PlanState, Result, RunId, WorkspaceId};

pub(super) async fn add_items(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    plan: RunId,
    items: &[PlanItem],
) -> Result<()> {
    get(tx, workspace, plan).await?;
    let mut rows = Vec::with_capacity(items.len());
    for item in latest(items.iter().map(|item| (item.number, item))) {
        rows.push(plan_item::Model {
            workspace: workspace.0,
            plan: plan.0,
            number: number(item.number)?,
            hash: item.hash.clone(),
            document: document(&item.item)?,
        });
    }
    upsert::<plan_item::Entity>(tx, rows).await
}

pub(super) async fn save(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    plan: &PlanRow,
) -> Result<()> {
    run::get(tx, workspace, plan.id).await?;
    if plan.state == PlanState::Building {
        remove(tx, workspace, plan.connection, PlanState::Building, Some(plan.id)).await?;
    }
    if plan.state == PlanState::Waiting {
        plan::Entity::update_many()
            .col_expr(plan::Column::State, Expr::val(word(&PlanState::Superseded)?))
            .filter(plan::Column::Workspace.eq(workspace.0))
            .filter(plan::Column::Connection.eq(plan.connection.0))
            .filter(plan::Column::State.eq(word(&PlanState::Waiting)?))
            .filter(plan::Column::Id.ne(plan.id.0))
            .exec(tx)
            .await?;
    }
    upsert::<plan::Entity>(tx, vec![model(workspace, plan)?]).await
}

/// Removes the plans of a connection that stand so, with their items, but for the one of this run.
/// Nobody will complete one that is still being built by another.
pub(super) async fn remove(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    state: PlanState,
    but: Option<RunId>,
) -> Result<()> {
    let mut removed = Condition::all()
        .add(plan::Column::Workspace.eq(workspace.0))
        .add(plan::Column::Connection.eq(connection.0))
        .add(plan::Column::State.eq(word(&state)?));
    if let Some(but) = but {
        removed = removed.add(plan::Column::Id.ne(but.0));
    }
    let ids = plan::Entity::find()
        .select_only()
        .column(plan::Column::Id)
        .filter(removed.clone())
        .into_query();
    plan_item::Entity::delete_many()
        .filter(plan_item::Column::Workspace.eq(workspace.0))
        .filter(plan_item::Column::Plan.in_subquery(ids))
        .exec(tx)
        .await?;
    plan::Entity::delete_many().filter(removed).exec(tx).await?;
    Ok(())
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: RunId,
) -> Result<PlanRow> {
    let model = plan::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    row(model.ok_or(Error::NotFound("plan"))?)
}

pub(super) async fn set_state(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: RunId,
    state: PlanState,
) -> Result<()> {
    let noted = plan::Entity::update_many()
        .col_expr(plan::Column::State, Expr::val(word(&state)?))
        .filter(plan::Column::Workspace.eq(workspace.0))
        .filter(plan::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    if noted.rows_affected > 0 { Ok(()) } else { Err(Error::NotFound("plan")) }
}

pub(super) async fn preview(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Option<PlanRow>> {
    let newest = newest(workspace, connection, PlanState::Preview)?.one(db).await?;
    newest.map(row).transpose()
}

pub(super) async fn waiting(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Option<PlanRow>> {
    let newest = newest(workspace, connection, PlanState::Waiting)?.one(db).await?;
    newest.map(row).transpose()
}

pub(super) async fn approved(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    version: u32,
) -> Result<Option<PlanRow>> {
    let newest = newest(workspace, connection, PlanState::Approved)?
        .filter(plan::Column::Version.eq(i64::from(version)))
        .one(db)
        .await?;
    newest.map(row).transpose()
}

/// The plans of a connection that stand so, newest first.
fn newest(
    workspace: WorkspaceId,
    connection: ConnectionId,
    state: PlanState,
) -> Result<Select<plan::Entity>> {
    Ok(plan::Entity::find()
        .filter(plan::Column::Workspace.eq(workspace.0))
        .filter(plan::Column::Connection.eq(connection.0))
        .filter(plan::Column::State.eq(word(&state)?))
        .order_by_desc(plan::Column::Id))
}

pub(super) async fn decide(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: RunId,
    hash: &str,
    approve: bool,
    by: &str,
    at: Timestamp,
) -> Result<PlanRow> {
    // Locked, so that of two who decide at once one is refused.
    let found = plan::Entity::find_by_id((workspace.0, id.0)).lock(LockType::NoKeyUpdate);
    let plan = row(found.one(tx).await?.ok_or(Error::NotFound("plan"))?)?;
    if plan.state != PlanState::Waiting || plan.hash != hash {
        return Err(Error::Conflict);
    }
    let decided = PlanRow {
        state: if approve { PlanState::Approved } else { PlanState::Refused },
        decided_at: Some(at),
        decided_by: Some(by.to_owned()),
        ..plan
    };
    upsert::<plan::Entity>(tx, vec![model(workspace, &decided)?]).await?;
    Ok(decided)
}

pub(super) async fn items(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    plan: RunId,
    after: Option<u64>,
    limit: u64,
) -> Result<Vec<PlanItem>> {
    let mut query = plan_item::Entity::find()
        .filter(plan_item::Column::Workspace.eq(workspace.0))
        .filter(plan_item::Column::Plan.eq(plan.0))
        .order_by_asc(plan_item::Column::Number)
        .limit(at_most(limit));
    if let Some(after) = after {
        query = query.filter(plan_item::Column::Number.gt(number::<_, i64>(after)?));
    }
    query.all(db).await?.into_iter().map(item).collect()
}

pub(super) async fn known_hashes(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    plan: RunId,
    hashes: &BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    let mut known = BTreeSet::new();
    for page in hashes.chunks(CHUNK) {
        let found = plan_item::Entity::find()
            .select_only()
            .column(plan_item::Column::Hash)
            .filter(plan_item::Column::Workspace.eq(workspace.0))
            .filter(plan_item::Column::Plan.eq(plan.0))
            .filter(plan_item::Column::Hash.is_in(page.iter().copied()))
            .into_tuple::<String>()
            .all(tx)
            .await?;
        known.extend(found);
    }
    Ok(known)
}

fn model(workspace: WorkspaceId, row: &PlanRow) -> Result<plan::Model> {
    Ok(plan::Model {
        workspace: workspace.0,
        id: row.id.0,
        connection: row.connection.0,
        version: row.version.into(),
        hash: row.hash.clone(),
        report: document(&row.report)?,
        state: word(&row.state)?,
        made_at: micros(row.made_at),
        decided_at: row.decided_at.map(micros),
        decided_by: row.decided_by.clone(),
    })
}

fn row(model: plan::Model) -> Result<PlanRow> {
    Ok(PlanRow {
        id: RunId(model.id),
        connection: ConnectionId(model.connection),
        version: number(model.version)?,
        hash: model.hash,
        report: from_document(&model.report)?,
        state: from_word(model.state)?,
        made_at: time(model.made_at)?,
        decided_at: model.decided_at.map(time).transpose()?,
        decided_by: model.decided_by,
    })
}

fn item(model: plan_item::Model) -> Result<PlanItem> {
    Ok(PlanItem {
        number: number(model.number)?,
        hash: model.hash,
        item: from_document(&model.document)?,
    })
}
