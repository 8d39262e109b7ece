//! The journal of ops.

use std::collections::{BTreeMap, BTreeSet};

use entity::op;
use jiff::Timestamp;
use sea_orm::sea_query::{CaseStatement, Expr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::batch::{CHUNK, latest, upsert};
use super::codec::{at_most, from_document, micros, number, op_model, op_row, word};
use super::intent;
use crate::planner::{Counted, History, counted};
use crate::record::{PerSide, RemoteId};
use crate::store::{
    ConnectionId, Error, Intent, OpFilter, OpId, OpRow, OpState, Result, WorkspaceId,
};

/// The states of ops that are still to be settled.
const OPEN: [OpState; 3] = [OpState::Planned, OpState::Sent, OpState::Unknown];

pub(super) async fn write(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    ops: &[OpRow],
    intents: &[Intent],
) -> Result<BTreeSet<OpId>> {
    let refused = intent::held_by_others(tx, workspace, intents).await?;
    let mut rows = Vec::new();
    for op in latest(ops.iter().map(|op| (op.id, op))) {
        if !refused.contains(&op.id) {
            rows.push(op_model(workspace, op)?);
        }
    }
    upsert::<op::Entity>(tx, rows).await?;
    let granted: Vec<Intent> =
        intents.iter().filter(|intent| !refused.contains(&intent.op)).cloned().collect();
    intent::put(tx, workspace, &granted).await?;
    Ok(refused)
}

pub(super) async fn mark_sent(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    ops: &BTreeSet<OpId>,
    at: Timestamp,
) -> Result<()> {
    let ops: Vec<OpId> = ops.iter().copied().collect();
    for page in ops.chunks(CHUNK) {
        op::Entity::update_many()
            .col_expr(op::Column::State, Expr::val(word(&OpState::Sent)?))
            .col_expr(op::Column::SentAt, Expr::val(micros(at)))
            .filter(op::Column::Workspace.eq(workspace.0))
            .filter(op::Column::Id.is_in(page.iter().map(|op| op.0)))
            .exec(tx)
            .await?;
        intent::mark_sent(tx, workspace, page, at).await?;
    }
    Ok(())
}

/// Writes what became of ops: one statement for all that came to the same.
pub(super) async fn settle(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    ops: &BTreeMap<OpId, (OpState, Option<String>)>,
) -> Result<()> {
    let mut groups: BTreeMap<&(OpState, Option<String>), Vec<OpId>> = BTreeMap::new();
    for (id, end) in ops {
        groups.entry(end).or_default().push(*id);
    }
    for ((state, error), ids) in groups {
        for page in ids.chunks(CHUNK) {
            let settled = op::Entity::update_many()
                .col_expr(op::Column::State, Expr::val(word(state)?))
                .col_expr(op::Column::Error, Expr::val(error.clone()))
                .filter(op::Column::Workspace.eq(workspace.0))
                .filter(op::Column::Id.is_in(page.iter().map(|op| op.0)))
                .exec(tx)
                .await?;
            if settled.rows_affected != page.len() as u64 {
                return Err(Error::NotFound("op"));
            }
        }
    }
    Ok(())
}

/// Notes which records ops were done to: one statement for a page of them.
pub(super) async fn name_targets(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    targets: &BTreeMap<OpId, RemoteId>,
) -> Result<()> {
    let targets: Vec<(OpId, &RemoteId)> = targets.iter().map(|(op, id)| (*op, id)).collect();
    for page in targets.chunks(CHUNK) {
        let mut target = CaseStatement::new();
        for (op, id) in page {
            target = target.case(op::Column::Id.eq(op.0), id.as_str());
        }
        let named = op::Entity::update_many()
            .col_expr(op::Column::Target, target.into())
            .filter(op::Column::Workspace.eq(workspace.0))
            .filter(op::Column::Id.is_in(page.iter().map(|(op, _)| op.0)))
            .exec(tx)
            .await?;
        if named.rows_affected != page.len() as u64 {
            return Err(Error::NotFound("op"));
        }
    }
    Ok(())
}

pub(super) async fn open(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Vec<OpRow>> {
    let states: Vec<String> = OPEN.iter().map(word).collect::<Result<_>>()?;
    let models = of(workspace, connection).filter(op::Column::State.is_in(states)).all(db).await?;
    models.into_iter().map(op_row).collect()
}

pub(super) async fn ops(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    after: Option<OpId>,
    limit: u64,
) -> Result<Vec<OpRow>> {
    let mut query = of(workspace, connection).limit(limit);
    if let Some(after) = after {
        query = query.filter(op::Column::Id.gt(after.0));
    }
    query.all(db).await?.into_iter().map(op_row).collect()
}

pub(super) async fn applied_since(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    since: Timestamp,
    first_run_ends: &PerSide<Option<Timestamp>>,
) -> Result<History> {
    let applied = op::Entity::find()
        .filter(op::Column::Workspace.eq(workspace.0))
        .filter(op::Column::Connection.eq(connection.0))
        .filter(op::Column::State.eq(word(&OpState::Applied)?))
        .filter(op::Column::SentAt.gte(micros(since)));
    let mut done = History::default();
    for (side, first_run_end) in first_run_ends.iter() {
        let end = micros(first_run_end.unwrap_or(Timestamp::MAX));
        for (is_first, when) in
            [(true, op::Column::SentAt.lte(end)), (false, op::Column::SentAt.gt(end))]
        {
            let written = applied.clone().filter(op::Column::Side.eq(word(&side)?)).filter(when);
            for (counted, ops) in count(tx, written).await? {
                done.add(side, &counted, is_first, ops);
            }
        }
    }
    // Those of an older version do not say what they count as.
    for model in applied.filter(op::Column::Counted.is_null()).all(tx).await? {
        let row = op_row(model)?;
        let end = first_run_ends.of(row.op.side);
        let is_first = end.is_none_or(|end| row.sent_at.is_none_or(|sent_at| sent_at <= end));
        done.add(row.op.side, &counted(&row.op), is_first, 1);
    }
    Ok(done)
}

/// How many of these ops count as the same.
async fn count(
    tx: &DatabaseTransaction,
    ops: Select<op::Entity>,
) -> Result<Vec<(Vec<Counted>, u64)>> {
    let groups = ops
        .filter(op::Column::Counted.is_not_null())
        .select_only()
        .column(op::Column::Counted)
        .column_as(op::Column::Id.count(), "ops")
        .group_by(op::Column::Counted)
        .into_tuple::<(String, i64)>()
        .all(tx)
        .await?;
    let counts = groups.into_iter();
    counts.map(|(counted, ops)| Ok((from_document(&counted)?, number(ops)?))).collect()
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: OpId,
) -> Result<OpRow> {
    let found = op::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    op_row(found.ok_or(Error::NotFound("op"))?)
}

/// The ops of a connection that are older than one and fit, newest first.
pub(super) async fn before(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    filter: &OpFilter,
    before: Option<OpId>,
    limit: u64,
) -> Result<Vec<OpRow>> {
    let mut query = op::Entity::find()
        .filter(op::Column::Workspace.eq(workspace.0))
        .filter(op::Column::Connection.eq(connection.0))
        .order_by_desc(op::Column::Id)
        .limit(at_most(limit));
    if let Some(before) = before {
        query = query.filter(op::Column::Id.lt(before.0));
    }
    if let Some(run) = filter.run {
        query = query.filter(op::Column::Run.eq(run.0));
    }
    if !filter.feeds.is_empty() {
        query = query.filter(op::Column::Feed.is_in(filter.feeds.iter().map(|feed| feed.0)));
    }
    if let Some(record) = &filter.record {
        query = query.filter(op::Column::Target.eq(record.as_str()));
    }
    query.all(db).await?.into_iter().map(op_row).collect()
}

/// The ops of a connection, oldest first.
fn of(workspace: WorkspaceId, connection: ConnectionId) -> Select<op::Entity> {
    op::Entity::find()
        .filter(op::Column::Workspace.eq(workspace.0))
        .filter(op::Column::Connection.eq(connection.0))
        .order_by_asc(op::Column::Id)
}
