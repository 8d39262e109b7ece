//! Drafts of configurations.

use async_graphql::{Context, Object};

use super::{Configuration, Plan};
use crate::graphql::error::read_error;
use crate::graphql::services;
use crate::store::{ConnectionId, DraftRow, WorkspaceId};

/// A configuration that somebody works on.
pub struct ConnectionDraft {
    pub(in crate::graphql) row: DraftRow,
    pub(in crate::graphql) workspace: WorkspaceId,
    pub(in crate::graphql) connection: ConnectionId,
}

/// A configuration that somebody works on.
#[Object]
impl ConnectionDraft {
    /// The number of the last edit; 0 if nothing was edited.
    async fn edit(&self) -> u32 {
        self.row.edit
    }

    /// The version that it was begun from.
    async fn based_on(&self) -> u32 {
        self.row.based_on
    }

    /// What it says.
    async fn configuration(&self) -> Configuration {
        Configuration(self.row.settings.clone())
    }

    /// Whether a preview is asked for and not there yet.
    async fn preview_asked(&self) -> bool {
        self.row.preview_asked
    }

    /// What exactly this would do, as of when it was last asked for; none before. An edit takes it back.
    async fn preview(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Plan>> {
        let plan = services(ctx)?.store.preview(self.workspace, self.connection).await;
        Ok(plan.map_err(read_error)?.map(|plan| Plan(plan, self.workspace)))
    }
}
