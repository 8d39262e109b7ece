//! The trait of what is told to people: what runs were, what is planned, how records stand, and the
//! configuration that somebody works on.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::*;
use crate::planner::{Report, Settings};

/// The part of a store that people ask. Each store is one.
#[async_trait]
pub trait History: Send + Sync {
    /// A run.
    async fn run(&self, workspace: WorkspaceId, id: RunId) -> Result<RunRow>;

    /// The runs of a connection that are older than one, newest first.
    async fn runs_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        before: Option<RunId>,
        limit: u64,
    ) -> Result<Vec<RunRow>>;

    /// Notes what a run comes to so far. [`Error::NotFound`](super::Error::NotFound) once it has
    /// ended.
    async fn note_report(&self, held: &Held, id: RunId, report: &Report) -> Result<()>;

    /// Puts a run down that is to be resumed, because the process is told to end.
    async fn put_down(&self, held: &Held, id: RunId) -> Result<()>;

    /// Adds items to a plan, in the place of those that have their numbers.
    async fn add_plan_items(&self, held: &Held, plan: RunId, items: &[PlanItem]) -> Result<()>;

    /// Writes a plan as it is now. One that waits takes the place of the one of its connection that
    /// waited before; one that is being built, of all that were, with their items.
    async fn save_plan(&self, held: &Held, plan: &PlanRow) -> Result<()>;

    /// A plan.
    async fn plan(&self, workspace: WorkspaceId, id: RunId) -> Result<PlanRow>;

    /// The plan of a connection that waits for a person.
    async fn waiting_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<PlanRow>>;

    /// The newest plan of a connection that was approved for a version of its configuration.
    async fn approved_plan(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        version: u32,
    ) -> Result<Option<PlanRow>>;

    /// Decides upon a plan. [`Error::Conflict`](super::Error::Conflict) if it does not wait, or
    /// `hash` is not its own: then something else was seen.
    async fn decide_plan(
        &self,
        workspace: WorkspaceId,
        id: RunId,
        hash: &str,
        approve: bool,
        by: &str,
        at: Timestamp,
    ) -> Result<PlanRow>;

    /// The items of a plan, by number, page by page.
    async fn plan_items(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        after: Option<u64>,
        limit: u64,
    ) -> Result<Vec<PlanItem>>;

    /// Those of these fingerprints that an item of the plan has.
    async fn items_in_plan(
        &self,
        workspace: WorkspaceId,
        plan: RunId,
        hashes: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>>;

    /// How records of a connection stand, by feed and id, page by page.
    async fn outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OutcomeFilter,
        after: Option<End>,
        limit: u64,
    ) -> Result<Vec<RecordOutcome>>;

    /// How one record stands, if there is something to tell.
    async fn outcome_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        end: &End,
    ) -> Result<Option<RecordOutcome>>;

    /// How many records of a connection stand how, by the name of the outcome.
    async fn count_outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<BTreeMap<String, u64>>;

    /// The issues of a connection that are older than one, newest first.
    async fn issues(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        open_only: bool,
        before: Option<IssueId>,
        limit: u64,
    ) -> Result<Vec<IssueRow>>;

    /// An issue.
    async fn issue(&self, workspace: WorkspaceId, id: IssueId) -> Result<IssueRow>;

    /// Ends an issue. One that has ended stays as it is.
    async fn resolve_issue(
        &self,
        workspace: WorkspaceId,
        id: IssueId,
        at: Timestamp,
    ) -> Result<IssueRow>;

    /// An op.
    async fn op(&self, workspace: WorkspaceId, id: OpId) -> Result<OpRow>;

    /// The ops of a connection that are older than one, newest first.
    async fn ops_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OpFilter,
        before: Option<OpId>,
        limit: u64,
    ) -> Result<Vec<OpRow>>;

    /// The configuration of a connection that somebody works on.
    async fn draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<DraftRow>>;

    /// Writes a draft; `expected` is the edit it was made from, none for the first
    /// ([`Error::Conflict`](super::Error::Conflict) if it is not the last one). No preview of it is asked
    /// for, and that of the edit before is removed with its items. Gives the new edit.
    async fn save_draft(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        expected: Option<u32>,
        based_on: u32,
        settings: &Settings,
    ) -> Result<u32>;

    /// Throws a draft away with its preview, if there is one.
    async fn discard_draft(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<()>;

    /// Asks for a preview of an edit of a draft. [`Error::Conflict`](super::Error::Conflict) if it is
    /// not the last one.
    async fn ask_preview(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        edit: u32,
    ) -> Result<()>;

    /// Whether a preview of a connection's draft is asked for.
    async fn preview_asked(&self, workspace: WorkspaceId, connection: ConnectionId)
    -> Result<bool>;

    /// Answers the request for a preview of this draft: by this plan, which takes the place of the one
    /// before with its items, or by none. False if the draft is another by now: then the request
    /// stays as it is, and the plan is removed with its items.
    async fn answer_preview(
        &self,
        held: &Held,
        draft: &DraftRow,
        plan: Option<RunId>,
    ) -> Result<bool>;

    /// The preview of the draft of a connection, as it is now.
    async fn preview(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<PlanRow>>;

    /// Removes a connection with everything that hangs on it; of its feeds, those that no other
    /// connection reads, with all that was seen in them. [`Error::Conflict`](super::Error::Conflict)
    /// while somebody holds its lease.
    async fn remove_connection(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()>;
}
