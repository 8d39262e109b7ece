//! Drafts of configurations.

use super::state::State;
use crate::planner::Settings;
use crate::store::{ConnectionId, DraftRow, Error, Result, WorkspaceId};

impl State {
    pub(super) fn draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Option<&DraftRow> {
        self.drafts.get(&(workspace, connection))
    }

    pub(super) fn save_draft(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        expected: Option<u32>,
        based_on: u32,
        settings: &Settings,
    ) -> Result<u32> {
        self.connection(workspace, connection)?;
        let last = self.draft(workspace, connection).map(|draft| draft.edit);
        if last != expected {
            return Err(Error::Conflict);
        }
        let edit = last.unwrap_or_default() + 1;
        let draft = DraftRow { edit, based_on, settings: settings.clone() };
        self.drafts.insert((workspace, connection), draft);
        Ok(edit)
    }

    pub(super) fn discard_draft(&mut self, workspace: WorkspaceId, connection: ConnectionId) {
        self.drafts.remove(&(workspace, connection));
    }
}
