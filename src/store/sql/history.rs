//! What is told to people: each method is one transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqlStore, commit, draft, issue, journal, outcome, plan, removal, run};
use crate::planner::{Report, Settings};
use crate::store::{
    ConnectionId, DraftRow, End, Held, History, IssueId, IssueRow, OpFilter, OpId, OpRow,
    OutcomeFilter, PlanItem, PlanRow, RecordOutcome, Result, RunId, RunRow, WorkspaceId,
};

#[async_trait]
impl History for SqlStore {
    async fn run(&self, workspace: WorkspaceId, id: RunId) -> Result<RunRow> {
        run::get(&self.db, workspace, id).await
    }

    async fn runs_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        before: Option<RunId>,
        limit: u64,
    ) -> Result<Vec<RunRow>> {
        run::before(&self.db, workspace, connection, before, limit).await
    }

    async fn note_report(&self, held: &Held, id: RunId, report: &Report) -> Result<()> {
        let tx = self.fenced(held).await?;
        run::note_report(&tx, held.key.workspace, id, report).await?;
        commit(tx, ()).await
    }

    async fn put_down(&self, held: &Held, id: RunId) -> Result<()> {
        let tx = self.fenced(held).await?;
        run::put_down(&tx, held.key.workspace, id).await?;
        commit(tx, ()).await
    }

    async fn add_plan_items(&self, held: &Held, plan: RunId, items: &[PlanItem]) -> Result<()> {
        let tx = self.fenced(held).await?;
        plan::add_items(&tx, held.key.workspace, plan, items).await?;
        commit(tx, ()).await
    }

    async fn save_plan(&self, held: &Held, plan: &PlanRow) -> Result<()> {
        let tx = self.fenced(held).await?;
        plan::save(&tx, held.key.workspace, plan).await?;
        commit(tx, ()).await
    }

    async fn plan(&self, workspace: WorkspaceId, id: RunId) -> Result<PlanRow> {
        plan::get(&self.db, workspace, id).await
    }

    async fn waiting_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<PlanRow>> {
        plan::waiting(&self.db, workspace, connection).await
    }

    async fn approved_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        version: u32,
    ) -> Result<Option<PlanRow>> {
        plan::approved(&self.db, workspace, connection, version).await
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
        let tx = self.write().await?;
        let plan = plan::decide(&tx, workspace, id, hash, approve, by, at).await?;
        commit(tx, plan).await
    }

    async fn plan_items(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        after: Option<u64>,
        limit: u64,
    ) -> Result<Vec<PlanItem>> {
        plan::items(&self.db, workspace, plan, after, limit).await
    }

    async fn items_in_plan(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        hashes: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>> {
        let tx = self.read().await?;
        let known = plan::known_hashes(&tx, workspace, plan, hashes).await?;
        commit(tx, known).await
    }

    async fn outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OutcomeFilter,
        after: Option<End>,
        limit: u64,
    ) -> Result<Vec<RecordOutcome>> {
        outcome::after(&self.db, workspace, connection, filter, after.as_ref(), limit).await
    }

    async fn outcome_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        end: &End,
    ) -> Result<Option<RecordOutcome>> {
        outcome::of(&self.db, workspace, connection, end).await
    }

    async fn count_outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<BTreeMap<String, u64>> {
        outcome::count(&self.db, workspace, connection).await
    }

    async fn issues(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        open_only: bool,
        before: Option<IssueId>,
        limit: u64,
    ) -> Result<Vec<IssueRow>> {
        issue::before(&self.db, workspace, connection, open_only, before, limit).await
    }

    async fn issue(&self, workspace: WorkspaceId, id: IssueId) -> Result<IssueRow> {
        issue::get(&self.db, workspace, id).await
    }

    async fn resolve_issue(
        &self,
        workspace: WorkspaceId,
        id: IssueId,
        at: Timestamp,
    ) -> Result<IssueRow> {
        let tx = self.write().await?;
        let issue = issue::resolve(&tx, workspace, id, at).await?;
        commit(tx, issue).await
    }

    async fn op(&self, workspace: WorkspaceId, id: OpId) -> Result<OpRow> {
        journal::get(&self.db, workspace, id).await
    }

    async fn ops_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OpFilter,
        before: Option<OpId>,
        limit: u64,
    ) -> Result<Vec<OpRow>> {
        journal::before(&self.db, workspace, connection, filter, before, limit).await
    }

    async fn draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<DraftRow>> {
        draft::get(&self.db, workspace, connection).await
    }

    async fn save_draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        expected: Option<u32>,
        based_on: u32,
        settings: &Settings,
    ) -> Result<u32> {
        let tx = self.write().await?;
        let edit = draft::save(&tx, workspace, connection, expected, based_on, settings).await?;
        commit(tx, edit).await
    }

    async fn discard_draft(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<()> {
        let tx = self.write().await?;
        draft::discard(&tx, workspace, connection).await?;
        commit(tx, ()).await
    }

    async fn ask_preview(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        edit: u32,
    ) -> Result<()> {
        let tx = self.write().await?;
        draft::ask_preview(&tx, workspace, connection, edit).await?;
        commit(tx, ()).await
    }

    async fn preview_asked(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<bool> {
        draft::preview_asked(&self.db, workspace, connection).await
    }

    async fn answer_preview(
        &self,
        held: &Held,
        draft: &DraftRow,
        plan: Option<RunId>,
    ) -> Result<bool> {
        let tx = self.fenced(held).await?;
        let (workspace, connection) = (held.key.workspace, held.connection());
        let is_same = draft::answer_preview(&tx, workspace, connection, draft, plan).await?;
        commit(tx, is_same).await
    }

    async fn preview(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<PlanRow>> {
        plan::preview(&self.db, workspace, connection).await
    }

    async fn remove_connection(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
        let tx = self.write().await?;
        removal::remove(&tx, workspace, id).await?;
        commit(tx, ()).await
    }
}
