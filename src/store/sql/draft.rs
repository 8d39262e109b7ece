//! Drafts of configurations.

use entity::draft::{Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};

use super::batch::upsert;
use super::codec::{document, from_document, number};
use super::{connection, plan};
use crate::planner::Settings;
use crate::store::{ConnectionId, DraftRow, Error, PlanState, Result, RunId, WorkspaceId};

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Option<DraftRow>> {
    let model = Entity::find_by_id((workspace.0, connection.0)).one(db).await?;
    model.map(row).transpose()
}

fn row(model: Model) -> Result<DraftRow> {
    Ok(DraftRow {
        edit: number(model.edit)?,
        based_on: number(model.based_on)?,
        settings: from_document(&model.document)?,
        preview_asked: model.preview_asked,
    })
}

pub(super) async fn save(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    expected: Option<u32>,
    based_on: u32,
    settings: &Settings,
) -> Result<u32> {
    // Of two who start from the same edit, or from none, one is refused.
    connection::lock(tx, workspace, connection).await?;
    let last = get(tx, workspace, connection).await?.map(|draft| draft.edit);
    if last != expected {
        return Err(Error::Conflict);
    }
    let edit = last.unwrap_or_default() + 1;
    let row = Model {
        workspace: workspace.0,
        connection: connection.0,
        edit: edit.into(),
        based_on: based_on.into(),
        document: document(settings)?,
        preview_asked: false,
    };
    upsert::<Entity>(tx, vec![row]).await?;
    plan::remove(tx, workspace, connection, PlanState::Preview, None).await?;
    Ok(edit)
}

pub(super) async fn discard(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<()> {
    Entity::delete_many()
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Connection.eq(connection.0))
        .exec(tx)
        .await?;
    // After it: a preview that was just made of it is seen by now.
    plan::remove(tx, workspace, connection, PlanState::Preview, None).await
}

pub(super) async fn ask_preview(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    edit: u32,
) -> Result<()> {
    let is_noted = set_preview_asked(tx, workspace, connection, edit, true).await?;
    if is_noted { Ok(()) } else { Err(Error::Conflict) }
}

pub(super) async fn preview_asked(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<bool> {
    let asked = Entity::find_by_id((workspace.0, connection.0))
        .select_only()
        .column(Column::PreviewAsked)
        .into_tuple::<bool>()
        .one(db)
        .await?;
    Ok(asked.unwrap_or_default())
}

pub(super) async fn answer_preview(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    draft: &DraftRow,
    plan: Option<RunId>,
) -> Result<bool> {
    // Nobody edits it meanwhile; who discards it waits for what is written here.
    connection::lock(tx, workspace, connection).await?;
    let is_same = get(tx, workspace, connection).await?.as_ref() == Some(draft)
        && set_preview_asked(tx, workspace, connection, draft.edit, false).await?;
    if !is_same {
        plan::remove(tx, workspace, connection, PlanState::Building, None).await?;
        return Ok(false);
    }
    if let Some(plan) = plan {
        plan::remove(tx, workspace, connection, PlanState::Preview, None).await?;
        plan::set_state(tx, workspace, plan, PlanState::Preview).await?;
    }
    Ok(true)
}

/// Notes whether a preview of an edit is asked for. False if that edit is not there.
async fn set_preview_asked(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    edit: u32,
    asked: bool,
) -> Result<bool> {
    let noted = Entity::update_many()
        .col_expr(Column::PreviewAsked, Expr::val(asked))
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Connection.eq(connection.0))
        .filter(Column::Edit.eq(i64::from(edit)))
        .exec(tx)
        .await?;
    Ok(noted.rows_affected > 0)
}
