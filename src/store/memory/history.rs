//! What is told to people, method by method.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use crate::planner::{Report, Settings};
use crate::store::{
    ConnectionId, DraftRow, End, Held, History, IssueId, IssueRow, OpFilter, OpId, OpRow,
    OutcomeFilter, PlanItem, PlanRow, PlanState, RecordOutcome, Result, RunId, RunRow, WorkspaceId,
};

/// The first rows of a list.
pub(super) fn page<'a, T: Clone + 'a>(rows: impl Iterator<Item = &'a T>, limit: u64) -> Vec<T> {
    rows.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
}

#[async_trait]
impl History for MemoryStore {
    async fn run(&self, workspace: WorkspaceId, id: RunId) -> Result<RunRow> {
        self.transact(|state, _| state.run(workspace, id).cloned()).await
    }

    async fn runs_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        before: Option<RunId>,
        limit: u64,
    ) -> Result<Vec<RunRow>> {
        self.transact(|state, _| Ok(page(state.runs_before(workspace, connection, before), limit)))
            .await
    }

    async fn note_report(&self, held: &Held, id: RunId, report: &Report) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.note_report(held.key.workspace, id, report)
        })
        .await
    }

    async fn put_down(&self, held: &Held, id: RunId) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.put_down(held.key.workspace, id)
        })
        .await
    }

    async fn add_plan_items(&self, held: &Held, plan: RunId, items: &[PlanItem]) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.add_plan_items(held.key.workspace, plan, items)
        })
        .await
    }

    async fn save_plan(&self, held: &Held, plan: &PlanRow) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.save_plan(held.key.workspace, plan)
        })
        .await
    }

    async fn plan(&self, workspace: WorkspaceId, id: RunId) -> Result<PlanRow> {
        self.transact(|state, _| state.plan(workspace, id).cloned()).await
    }

    async fn waiting_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<PlanRow>> {
        let waits = |row: &PlanRow| row.state == PlanState::Waiting;
        self.transact(|state, _| Ok(state.newest_plan(workspace, connection, waits))).await
    }

    async fn approved_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        version: u32,
    ) -> Result<Option<PlanRow>> {
        let fits = |row: &PlanRow| row.state == PlanState::Approved && row.version == version;
        self.transact(|state, _| Ok(state.newest_plan(workspace, connection, fits))).await
    }

    async fn decide_plan(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        hash: &str,
        approve: bool,
        by: &str,
        at: Timestamp,
    ) -> Result<PlanRow> {
        self.transact(|state, _| state.decide_plan(workspace, id, hash, approve, by, at)).await
    }

    async fn plan_items(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        after: Option<u64>,
        limit: u64,
    ) -> Result<Vec<PlanItem>> {
        self.transact(|state, _| Ok(page(state.plan_items(workspace, plan, after), limit))).await
    }

    async fn items_in_plan(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        hashes: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>> {
        self.transact(|state, _| Ok(state.items_in_plan(workspace, plan, hashes))).await
    }

    async fn outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OutcomeFilter,
        after: Option<End>,
        limit: u64,
    ) -> Result<Vec<RecordOutcome>> {
        self.transact(|state, _| {
            let rows = state.outcomes(workspace, connection, filter, after.as_ref());
            Ok(page(rows, limit))
        })
        .await
    }

    async fn outcome_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        end: &End,
    ) -> Result<Option<RecordOutcome>> {
        self.transact(|state, _| Ok(state.outcome_of(workspace, connection, end).cloned())).await
    }

    async fn count_outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<BTreeMap<String, u64>> {
        self.transact(|state, _| Ok(state.count_outcomes(workspace, connection))).await
    }

    async fn issues(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        open_only: bool,
        before: Option<IssueId>,
        limit: u64,
    ) -> Result<Vec<IssueRow>> {
        self.transact(|state, _| {
            Ok(page(state.issues(workspace, connection, open_only, before), limit))
        })
        .await
    }

    async fn issue(&self, workspace: WorkspaceId, id: IssueId) -> Result<IssueRow> {
        self.transact(|state, _| state.issue(workspace, id).cloned()).await
    }

    async fn resolve_issue(
        &self,
        workspace: WorkspaceId,
        id: IssueId,
        at: Timestamp,
    ) -> Result<IssueRow> {
        self.transact(|state, _| state.resolve_issue(workspace, id, at)).await
    }

    async fn op(&self, workspace: WorkspaceId, id: OpId) -> Result<OpRow> {
        self.transact(|state, _| state.op(workspace, id).cloned()).await
    }

    async fn ops_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OpFilter,
        before: Option<OpId>,
        limit: u64,
    ) -> Result<Vec<OpRow>> {
        self.transact(|state, _| {
            Ok(page(state.ops_before(workspace, connection, filter, before), limit))
        })
        .await
    }

    async fn draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<DraftRow>> {
        self.transact(|state, _| Ok(state.draft(workspace, connection).cloned())).await
    }

    async fn save_draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        expected: Option<u32>,
        based_on: u32,
        settings: &Settings,
    ) -> Result<u32> {
        self.transact(|state, _| {
            state.save_draft(workspace, connection, expected, based_on, settings)
        })
        .await
    }

    async fn discard_draft(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<()> {
        self.transact(|state, _| {
            state.discard_draft(workspace, connection);
            Ok(())
        })
        .await
    }

    async fn ask_preview(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        edit: u32,
    ) -> Result<()> {
        self.transact(|state, _| state.ask_preview(workspace, connection, edit)).await
    }

    async fn preview_asked(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<bool> {
        self.transact(|state, _| {
            Ok(state.draft(workspace, connection).is_some_and(|draft| draft.preview_asked))
        })
        .await
    }

    async fn answer_preview(
        &self,
        held: &Held,
        draft: &DraftRow,
        plan: Option<RunId>,
    ) -> Result<bool> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.answer_preview(held.key.workspace, held.connection(), draft, plan)
        })
        .await
    }

    async fn preview(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<PlanRow>> {
        let is_one = |row: &PlanRow| row.state == PlanState::Preview;
        self.transact(|state, _| Ok(state.newest_plan(workspace, connection, is_one))).await
    }

    async fn remove_connection(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
        self.transact(|state, now| state.remove_connection(workspace, id, now)).await
    }
}
