//! What a person has to agree to first: a run that only plans, and one that writes what was approved.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::RunError;
use super::execute::Work;
use super::session::Session;
use crate::planner::{Approval, Brake, Item, Settings, SyncState};
use crate::record::{PerSide, Side};
use crate::store::{self, Connection, PlanItem, PlanRow, PlanState, RunId, Store, SyncProgress};

/// For how long a person may think about a plan before it is made anew.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// What a run may do.
pub(super) enum Mode {
    /// Write.
    Write,
    /// Write what a plan has; what is new or different since only as far as this brake lets it.
    Approved {
        /// The plan.
        plan: RunId,
        /// A brake that excuses no first run.
        beyond: Box<Brake>,
    },
    /// Plan, and write nothing.
    Plan(Planned),
}

/// A plan that is being made.
#[derive(Default)]
pub(super) struct Planned {
    items: u64,
    /// All items taken together, in whatever order they come.
    sum: [u8; 32],
    /// Whether it is only looked at, and nobody is to decide upon it.
    pub(super) is_preview: bool,
    /// The syncs that it is about, by the sides that they read.
    about: BTreeSet<Side>,
}

impl Planned {
    /// A plan of what these syncs would do, by the sides that they read.
    pub(super) fn about(sources: BTreeSet<Side>) -> Self {
        Self { about: sources, ..Self::default() }
    }

    /// A plan of what all syncs would do.
    pub(super) fn preview() -> Self {
        Self { is_preview: true, ..Self::about(Side::BOTH.into()) }
    }

    /// Whether anything of this item is written by a sync that the plan is about.
    fn is_about(&self, item: &Item) -> bool {
        item.ops.iter().any(|op| self.about.contains(&op.side.other()))
    }
}

/// The syncs, by the sides that they read, that run for the first time and of which a person wants to
/// see what they would do.
pub(super) fn awaiting(settings: &Settings, progress: &PerSide<SyncProgress>) -> BTreeSet<Side> {
    let is_first = |source: &Side| {
        settings.running(*source).is_some() && progress.of(*source).first_run_done_at.is_none()
    };
    let asks = settings.approval == Approval::FirstRun;
    Side::BOTH.into_iter().filter(|source| asks && is_first(source)).collect()
}

/// Whether a connection does nothing until a person has agreed: none of its syncs may write before.
pub(super) fn awaits_for_all(known: &Connection, awaiting: &BTreeSet<Side>) -> bool {
    let is_running = |source: &Side| known.settings.running(*source).is_some();
    Side::BOTH.iter().filter(|source| is_running(source)).all(|s| awaiting.contains(s))
}

/// Until when the plan that a person is thinking about stays as it is: what they agree to is what they
/// have seen, however busy the apps are. The brake judges what came after it. None if it is to be made
/// now.
pub(super) async fn kept_until(
    store: &dyn Store,
    known: &Connection,
    now: Timestamp,
) -> store::Result<Option<Timestamp>> {
    let waiting = store.waiting_plan(known.workspace, known.id).await?;
    let of_now = waiting.filter(|plan| plan.version == known.settings.version);
    let until = of_now.and_then(|plan| plan.made_at.checked_add(KEPT).ok());
    Ok(until.filter(|until| *until > now))
}

/// Until when there is nothing to do for a connection, because all it would do is make the plan anew
/// that a person is thinking about. None if it has something to do.
///
/// # Errors
/// The store can't be read.
pub async fn awaits_answer_until(
    store: &dyn Store,
    known: &Connection,
    now: Timestamp,
) -> store::Result<Option<Timestamp>> {
    let mut known = known.clone();
    known.forget_what_was_taken_back();
    let awaiting = awaiting(&known.settings, &known.progress);
    if awaiting.is_empty() || !awaits_for_all(&known, &awaiting) {
        return Ok(None);
    }
    kept_until(store, &known, now).await
}

/// Makes these syncs as if they had not been started yet.
pub(super) fn hold_back(settings: &mut Settings, sources: &BTreeSet<Side>) {
    for source in sources {
        if let Some(sync) = settings.syncs.of_mut(*source) {
            sync.state = SyncState::Draft;
        }
    }
}

impl Session<'_> {
    /// Takes these items into the plan.
    pub(super) async fn note(&mut self, works: &[Work]) -> Result<(), RunError> {
        if let Mode::Plan(planned) = &self.mode {
            let tolls = self.tolls(works.iter().filter(|work| planned.is_about(&work.item)));
            let all = self.report.tolls.get_or_insert_default();
            Side::BOTH.into_iter().for_each(|side| *all.of_mut(side) += *tolls.of(side));
        }
        let mut items = Vec::new();
        for work in works {
            let Mode::Plan(planned) = &mut self.mode else { continue };
            if !planned.is_about(&work.item) {
                // What the other sync writes is nobody's to decide upon.
                self.report.add(&Item { ops: Vec::new(), ..work.item.clone() });
                continue;
            }
            self.report.add(&work.item);
            let hash = work.item.hash();
            planned.items += 1;
            for (sum, byte) in planned.sum.iter_mut().zip(hash.as_bytes()) {
                *sum ^= byte;
            }
            let (number, hash) = (planned.items, hash.to_hex().to_string());
            items.push(PlanItem { number, hash, item: work.item.clone() });
        }
        self.runner.store.add_plan_items(&self.held, self.run, &items).await?;
        self.note_progress().await
    }

    /// A plan to which items can be added.
    pub(super) async fn begin_plan(&mut self) -> Result<(), RunError> {
        self.report.tolls = Some(PerSide::default());
        self.save_plan(String::new(), PlanState::Building).await
    }

    /// The plan is complete: it waits for a person, unless the same one waits already.
    pub(super) async fn finish_plan(&mut self) -> Result<(), RunError> {
        let Mode::Plan(planned) = &self.mode else { return Ok(()) };
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let hash: String = planned.sum.iter().map(|byte| format!("{byte:02x}")).collect();
        let waiting = store.waiting_plan(workspace, self.connection.id).await?;
        let version = self.connection.settings.version;
        let is_known = waiting.is_some_and(|plan| plan.hash == hash && plan.version == version);
        if planned.is_preview || is_known {
            return self.save_plan(hash, PlanState::Building).await;
        }
        // Nobody has to agree to nothing.
        if planned.items == 0 {
            self.save_plan(hash, PlanState::Approved).await?;
            return Ok(store.ask_again(workspace, self.connection.id).await?);
        }
        self.save_plan(hash, PlanState::Waiting).await
    }

    async fn save_plan(&self, hash: String, state: PlanState) -> Result<(), RunError> {
        let is_decided = state == PlanState::Approved;
        let plan = PlanRow {
            id: self.run,
            connection: self.connection.id,
            version: self.connection.settings.version,
            hash,
            report: self.report.clone(),
            state,
            made_at: self.now(),
            decided_at: is_decided.then(|| self.now()),
            decided_by: is_decided.then(|| "nothing to write".to_owned()),
        };
        Ok(self.runner.store.save_plan(&self.held, &plan).await?)
    }

    /// Which of these items go beyond the plan that was approved.
    pub(super) async fn hold_beyond(&mut self, works: &mut [Work]) -> Result<(), RunError> {
        let Mode::Approved { plan, .. } = &self.mode else { return Ok(()) };
        let hash = |work: &Work| work.item.hash().to_hex().to_string();
        let hashes = works.iter().filter(|work| !work.item.ops.is_empty()).map(hash).collect();
        let workspace = self.connection.workspace;
        let approved = self.runner.store.items_in_plan(workspace, *plan, &hashes).await?;
        for work in works {
            work.is_approved = approved.contains(&hash(work));
        }
        Ok(())
    }

    /// How many of the records that are gone were in the plan that was approved, at most.
    pub(super) async fn losses_agreed_to(&self) -> Result<u64, RunError> {
        let Mode::Approved { plan, .. } = &self.mode else { return Ok(0) };
        let plan = self.runner.store.plan(self.connection.workspace, *plan).await?;
        Ok(plan.report.losses())
    }

    /// Tells how far the run is.
    pub(super) async fn note_progress(&self) -> Result<(), RunError> {
        Ok(self.runner.store.note_report(&self.held, self.run, &self.report).await?)
    }
}
