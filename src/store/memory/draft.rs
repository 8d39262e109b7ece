//! Drafts of configurations.

use super::state::State;
use crate::planner::Settings;
use crate::store::{ConnectionId, DraftRow, Error, PlanState, Result, RunId, WorkspaceId};

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
        let settings = settings.clone();
        let draft = DraftRow { edit, based_on, settings, preview_asked: false };
        self.drafts.insert((workspace, connection), draft);
        self.remove_plans(workspace, connection, PlanState::Preview, None);
        Ok(edit)
    }

    pub(super) fn discard_draft(&mut self, workspace: WorkspaceId, connection: ConnectionId) {
        self.drafts.remove(&(workspace, connection));
        self.remove_plans(workspace, connection, PlanState::Preview, None);
    }

    pub(super) fn ask_preview(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        edit: u32,
    ) -> Result<()> {
        let draft = self.drafts.get_mut(&(workspace, connection));
        draft.filter(|draft| draft.edit == edit).ok_or(Error::Conflict)?.preview_asked = true;
        Ok(())
    }

    pub(super) fn answer_preview(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        draft: &DraftRow,
        plan: Option<RunId>,
    ) -> Result<bool> {
        let known = self.drafts.get_mut(&(workspace, connection));
        let Some(known) = known.filter(|known| *known == draft) else {
            self.remove_plans(workspace, connection, PlanState::Building, None);
            return Ok(false);
        };
        known.preview_asked = false;
        if let Some(plan) = plan {
            self.remove_plans(workspace, connection, PlanState::Preview, None);
            let made = self.plans.get_mut(&(workspace, plan)).ok_or(Error::NotFound("plan"))?;
            made.state = PlanState::Preview;
        }
        Ok(true)
    }
}
