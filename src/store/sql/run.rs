//! Runs.

use entity::run;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::batch::insert;
use super::codec::{at_most, document, micros, run_model, run_row, word};
use super::{connection, plan};
use crate::planner::Report;
use crate::store::{
    ConnectionId, CutOff, Error, PlanState, Result, RunEnd, RunId, RunRow, RunState, Trigger,
    WorkspaceId,
};

pub(super) async fn begin(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    run: &RunRow,
) -> Result<RunRow> {
    connection::set_again(tx, workspace, run.connection, false).await?;
    let cut_off = run::Entity::find()
        .filter(run::Column::Workspace.eq(workspace.0))
        .filter(run::Column::Connection.eq(run.connection.0))
        .filter(run::Column::State.eq(word(&RunState::Running)?))
        .one(tx)
        .await?;
    if let Some(model) = cut_off {
        let mut resumed = run_row(model)?;
        resumed.cut_off = resumed.cut_off.resumed(run.started_at);
        set_cut_off(tx, workspace, resumed.id, resumed.cut_off).await?;
        return Ok(resumed);
    }
    insert::<run::Entity>(tx, vec![run_model(workspace, run)?]).await?;
    Ok(run.clone())
}

pub(super) async fn finish(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    end: &RunEnd,
) -> Result<bool> {
    let ended = run::Entity::update_many()
        .set(run::ActiveModel {
            state: ActiveValue::Set(word(&end.state)?),
            ended_at: ActiveValue::Set(Some(micros(end.at))),
            report: ActiveValue::Set(document(&end.report)?),
            error: ActiveValue::Set(end.error.clone()),
            ..Default::default()
        })
        .filter(run::Column::Workspace.eq(workspace.0))
        .filter(run::Column::Id.eq(end.id.0))
        .exec(tx)
        .await?;
    if ended.rows_affected == 0 {
        return Err(Error::NotFound("run"));
    }
    let kept = end.keeps_plan_of();
    plan::remove(tx, workspace, end.connection, PlanState::Building, kept).await?;
    connection::set_progress(tx, workspace, end.connection, &end.progress).await?;
    for (feed, planned_to) in &end.planned_to {
        connection::set_planned_to(tx, workspace, end.connection, *feed, *planned_to).await?;
    }
    Ok(connection::row(tx, workspace, end.connection).await?.again)
}

/// Notes what a run that goes on comes to so far.
pub(super) async fn note_report(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: RunId,
    report: &Report,
) -> Result<()> {
    let noted = run::Entity::update_many()
        .col_expr(run::Column::Report, Expr::val(document(report)?))
        .filter(run::Column::Workspace.eq(workspace.0))
        .filter(run::Column::Id.eq(id.0))
        .filter(run::Column::State.eq(word(&RunState::Running)?))
        .exec(tx)
        .await?;
    if noted.rows_affected > 0 { Ok(()) } else { Err(Error::NotFound("run")) }
}

/// Puts a run down that goes on, to be resumed.
pub(super) async fn put_down(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: RunId,
) -> Result<()> {
    let run = get(tx, workspace, id).await?;
    set_cut_off(tx, workspace, id, CutOff { is_put_down: true, ..run.cut_off }).await
}

async fn set_cut_off(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: RunId,
    cut_off: CutOff,
) -> Result<()> {
    run::Entity::update_many()
        .set(run::ActiveModel {
            cut_off: ActiveValue::Set(cut_off.times.into()),
            resumed_at: ActiveValue::Set(cut_off.resumed_at.map(micros)),
            put_down: ActiveValue::Set(cut_off.is_put_down),
            ..Default::default()
        })
        .filter(run::Column::Workspace.eq(workspace.0))
        .filter(run::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: RunId,
) -> Result<RunRow> {
    let model = run::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    run_row(model.ok_or(Error::NotFound("run"))?)
}

/// The runs of a connection that are older than one, newest first.
pub(super) async fn before(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    before: Option<RunId>,
    limit: u64,
) -> Result<Vec<RunRow>> {
    let mut query = run::Entity::find()
        .filter(run::Column::Workspace.eq(workspace.0))
        .filter(run::Column::Connection.eq(connection.0))
        .order_by_desc(run::Column::Id)
        .limit(at_most(limit));
    if let Some(before) = before {
        query = query.filter(run::Column::Id.lt(before.0));
    }
    query.all(db).await?.into_iter().map(run_row).collect()
}

pub(super) async fn last_full(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Option<RunRow>> {
    let newest = run::Entity::find()
        .filter(run::Column::Workspace.eq(workspace.0))
        .filter(run::Column::Connection.eq(connection.0))
        .filter(run::Column::State.eq(word(&RunState::Finished)?))
        .filter(run::Column::Trigger.ne(word(&Trigger::Webhook)?))
        .order_by_desc(run::Column::Id)
        .one(db)
        .await?;
    newest.map(run_row).transpose()
}
