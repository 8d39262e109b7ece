//! Workspaces.

use entity::workspace;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QueryOrder};

use super::batch::insert;
use crate::store::{Result, Workspace, WorkspaceId};

pub(super) async fn add(tx: &DatabaseTransaction, workspace: &Workspace) -> Result<()> {
    let row = workspace::Model { id: workspace.id.0, name: workspace.name.clone() };
    insert::<workspace::Entity>(tx, vec![row]).await
}

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Workspace>> {
    let models = workspace::Entity::find().order_by_asc(workspace::Column::Name).all(db).await?;
    let row = |model: workspace::Model| Workspace { id: WorkspaceId(model.id), name: model.name };
    Ok(models.into_iter().map(row).collect())
}
