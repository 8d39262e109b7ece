//! Drafts of configurations.

use entity::draft::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::batch::upsert;
use super::codec::{document, from_document, number};
use super::connection;
use crate::planner::Settings;
use crate::store::{ConnectionId, DraftRow, Error, Result, WorkspaceId};

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
    };
    upsert::<Entity>(tx, vec![row]).await?;
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
    Ok(())
}
