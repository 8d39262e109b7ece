//! Plans and their items.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::State;
use crate::store::{ConnectionId, Error, PlanItem, PlanRow, PlanState, Result, RunId, WorkspaceId};

impl State {
    pub(super) fn add_plan_items(
        &mut self,
        workspace: WorkspaceId,
        plan: RunId,
        items: &[PlanItem],
    ) -> Result<()> {
        self.plan(workspace, plan)?;
        for item in items {
            self.plan_items.insert((workspace, plan, item.number), item.clone());
        }
        Ok(())
    }

    pub(super) fn save_plan(&mut self, workspace: WorkspaceId, plan: &PlanRow) -> Result<()> {
        self.run(workspace, plan.id)?;
        if plan.state == PlanState::Building {
            self.remove_plans(workspace, plan.connection, PlanState::Building, Some(plan.id));
        }
        if plan.state == PlanState::Waiting {
            for ((ws, _), other) in &mut self.plans {
                if *ws == workspace
                    && other.connection == plan.connection
                    && other.state == PlanState::Waiting
                {
                    other.state = PlanState::Superseded;
                }
            }
        }
        self.plans.insert((workspace, plan.id), plan.clone());
        Ok(())
    }

    /// Removes the plans of a connection that stand so, with their items, but for the one of this run.
    /// Nobody will complete one that is still being built by another.
    pub(super) fn remove_plans(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        state: PlanState,
        but: Option<RunId>,
    ) {
        let removed: BTreeSet<RunId> = self
            .plans
            .iter()
            .filter(|((ws, id), row)| {
                (*ws, row.connection) == (workspace, connection)
                    && row.state == state
                    && Some(*id) != but
            })
            .map(|((_, id), _)| *id)
            .collect();
        self.plan_items.retain(|(ws, plan, _), _| *ws != workspace || !removed.contains(plan));
        self.plans.retain(|(ws, id), _| *ws != workspace || !removed.contains(id));
    }

    pub(super) fn plan(&self, workspace: WorkspaceId, id: RunId) -> Result<&PlanRow> {
        self.plans.get(&(workspace, id)).ok_or(Error::NotFound("plan"))
    }

    /// The newest plan of a connection that passes a test.
    pub(super) fn newest_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        test: impl Fn(&PlanRow) -> bool,
    ) -> Option<PlanRow> {
        self.plans
            .iter()
            .rev()
            .find(|((ws, _), row)| *ws == workspace && row.connection == connection && test(row))
            .map(|(_, row)| row.clone())
    }

    pub(super) fn decide_plan(
        &mut self,
        workspace: WorkspaceId,
        id: RunId,
        hash: &str,
        approve: bool,
        by: &str,
        at: Timestamp,
    ) -> Result<PlanRow> {
        let plan = self.plans.get_mut(&(workspace, id)).ok_or(Error::NotFound("plan"))?;
        if plan.state != PlanState::Waiting || plan.hash != hash {
            return Err(Error::Conflict);
        }
        plan.state = if approve { PlanState::Approved } else { PlanState::Refused };
        plan.decided_at = Some(at);
        plan.decided_by = Some(by.to_owned());
        Ok(plan.clone())
    }

    pub(super) fn plan_items(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        after: Option<u64>,
    ) -> impl Iterator<Item = &PlanItem> {
        self.plan_items
            .range((workspace, plan, 0)..=(workspace, plan, u64::MAX))
            .map(|(_, item)| item)
            .filter(move |item| Some(item.number) > after)
    }

    pub(super) fn items_in_plan(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        hashes: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let all = self.plan_items(workspace, plan, None).map(|item| &item.hash);
        all.filter(|hash| hashes.contains(*hash)).cloned().collect()
    }
}
