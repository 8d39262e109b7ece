//! One run: what it holds and what it knows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::approval::{Mode, Planned, awaiting, hold_back};
use super::plan::Dirty;
use super::reading::{Reading, last_alike};
use super::turn::Task;
use super::{RunError, Runner};
use crate::connectors::{self, Connector};
use crate::planner::{Brake, BrakeClass, FirstRun, Report, SyncState};
use crate::record::{ObjectName, PerSide, RecordName, Side};
use crate::store::{
    self, Connection, End, Feed, FeedId, Held, Pending, PendingReason, RunId, RunRow, SyncProgress,
};

pub(super) struct Session<'a> {
    pub(super) runner: &'a Runner,
    pub(super) held: Held,
    pub(super) run: RunId,
    pub(super) connection: Connection,
    pub(super) feeds: BTreeMap<FeedId, (Side, Feed)>,
    pub(super) connectors: &'a PerSide<Arc<dyn Connector>>,
    pub(super) report: Report,
    pub(super) brake: Brake,
    /// What this run may do.
    pub(super) mode: Mode,
    /// What the brake held, by the side that would have been written.
    pub(super) braked: BTreeSet<(Side, BrakeClass)>,
    /// What waits, as it was when the run began to plan.
    pub(super) pending: BTreeMap<End, Pending>,
    /// Whether everything is to be planned anew: the configuration is not the one of the last run.
    pub(super) is_reconfigured: bool,
    /// When the reading of each feed began: what is known of it is no younger.
    pub(super) read_at: BTreeMap<FeedId, Timestamp>,
    /// When all that is planned upon had been read.
    pub(super) observed_at: Timestamp,
    /// How it reads.
    pub(super) reading: Reading,
    /// The records to which it has moved links.
    pub(super) followed: BTreeSet<End>,
    /// The records that others became, or were to become, by what it wrote.
    pub(super) claimed: BTreeSet<End>,
    /// Whether it has written what it got no answer about.
    pub(super) has_unanswered: bool,
    /// The sides whose apps tell nothing of what changes there.
    pub(super) silent: BTreeSet<Side>,
    /// What the plan that is carried out looked at: of each feed all changes up to this.
    pub(super) planned_upon: BTreeMap<FeedId, u64>,
    /// What this run has planned up to; empty until everything below it is settled or waits.
    pub(super) planned_to: BTreeMap<FeedId, u64>,
}

/// How often a record is tried.
const TRIES_MAX: u32 = 10;

/// How many slices of what was told one run takes.
const SLICES_MAX: usize = 100;

impl<'a> Session<'a> {
    pub(super) async fn open(
        runner: &'a Runner,
        held: Held,
        run: &RunRow,
        task: Task,
        mut connection: Connection,
        connectors: &'a PerSide<Arc<dyn Connector>>,
    ) -> Result<Self, RunError> {
        let workspace = connection.workspace;
        let mut feeds = BTreeMap::new();
        for feed in &connection.feeds {
            let row = runner.store.feed(workspace, feed.feed).await?;
            feeds.insert(feed.feed, (feed.side, row));
        }
        let pending = waiting(runner, &connection).await?;
        let about = awaiting(&connection.settings, &connection.progress);
        let version = connection.settings.version;
        let plan = runner.store.approved_plan(workspace, connection.id, version).await?;
        let plan = plan.filter(|_| !about.is_empty());
        // Until somebody has agreed, only the other sync writes.
        if task == Task::Sync && plan.is_none() {
            hold_back(&mut connection.settings, &about);
        }
        let brake = brake(runner, &connection).await?;
        let mode = match (task, plan) {
            (Task::Preview, _) => Mode::Plan(Planned::preview()),
            (Task::Plan, _) => Mode::Plan(Planned::about(about)),
            (Task::Sync, Some(plan)) => {
                let beyond = Box::new(brake.without_first_runs());
                Mode::Approved { plan: plan.id, beyond }
            }
            (Task::Sync, None) => Mode::Write,
        };
        // A preview looks at everything.
        let before = last_alike(runner, &connection).await?.filter(|_| task != Task::Preview);
        let is_reconfigured = before.is_none();
        let reading = Reading::of(runner, run, before.as_ref(), &connection, &feeds).await?;
        Ok(Self {
            runner,
            held,
            run: run.id,
            connection,
            feeds,
            connectors,
            report: Report::default(),
            brake,
            mode,
            braked: BTreeSet::new(),
            pending,
            is_reconfigured,
            read_at: BTreeMap::new(),
            observed_at: Timestamp::MIN,
            reading,
            followed: BTreeSet::new(),
            claimed: BTreeSet::new(),
            has_unanswered: false,
            silent: BTreeSet::new(),
            planned_upon: BTreeMap::new(),
            planned_to: BTreeMap::new(),
        })
    }

    /// The whole run.
    pub(super) async fn run(&mut self) -> Result<(), RunError> {
        if !matches!(self.mode, Mode::Plan(_)) {
            return self.write().await;
        }
        self.plan().await
    }

    async fn plan(&mut self) -> Result<(), RunError> {
        self.begin_plan().await?;
        self.observe().await?;
        self.begin_syncs().await?;
        let dirty = self.dirty().await?;
        let rest = self.plan_linked(&dirty).await?;
        self.plan_unlinked(rest, &dirty.gone).await?;
        self.finish_plan().await
    }

    async fn write(&mut self) -> Result<(), RunError> {
        self.resume().await?;
        if self.reading.only_hints {
            return self.write_told().await;
        }
        self.observe().await?;
        self.resolve().await?;
        self.begin_syncs().await?;
        let dirty = self.dirty().await?;
        self.carry(dirty).await?;
        for source in Side::BOTH {
            if self.connection.settings.running(source).is_some() {
                let now = self.now();
                let progress = self.connection.progress.of_mut(source);
                progress.first_run_done_at.get_or_insert(now);
            }
        }
        Ok(())
    }

    /// What was told, some of it at a time and the newest first: whoever was just edited does not wait
    /// for all that is told of what we wrote ourselves. Who is new, or gone, waits until everything
    /// that changed was read: the other side may have the same person by now without having told, and
    /// a side that loses many stops everything.
    async fn write_told(&mut self) -> Result<(), RunError> {
        self.resolve().await?;
        let mut last = Dirty::default();
        let mut is_all_read = false;
        for _ in 0..SLICES_MAX {
            let is_any = self.observe_told().await?;
            let dirty = self.dirty_again().await?;
            last.extend(self.plan_whole_pairs(dirty).await?);
            if !is_any {
                is_all_read = last.ends.is_empty();
                break;
            }
        }
        if !is_all_read {
            self.observe().await?;
            // What we made ourselves, and have no answer about, is no new person.
            self.resolve().await?;
            last.extend(self.dirty_again().await?);
        }
        self.carry(last).await
    }

    /// What is dirty by now and was not planned by this run.
    async fn dirty_again(&mut self) -> Result<Dirty, RunError> {
        self.look_up_unanswered().await?;
        self.pending = waiting(self.runner, &self.connection).await?;
        let dirty = self.dirty().await?;
        for feed in &mut self.connection.feeds {
            feed.planned_to = dirty.up_to.get(&feed.feed).copied().unwrap_or(feed.planned_to);
        }
        Ok(dirty)
    }

    /// Plans and writes what is dirty.
    async fn carry(&mut self, dirty: Dirty) -> Result<(), RunError> {
        self.planned_upon.clone_from(&dirty.up_to);
        let rest = self.plan_linked(&dirty).await?;
        self.plan_unlinked(rest, &dirty.gone).await?;
        self.planned_to = dirty.up_to;
        Ok(())
    }

    /// A NEW_ONLY sync that runs for the first time takes what is there for its baseline.
    async fn begin_syncs(&mut self) -> Result<(), RunError> {
        let mut is_new = false;
        for source in Side::BOTH {
            let settings = &self.connection.settings;
            let sync = settings.running(source).filter(|sync| sync.first_run == FirstRun::NewOnly);
            if sync.is_none() || self.connection.progress.of(source).baseline.is_some() {
                continue;
            }
            let mut baseline = BTreeMap::new();
            for id in self.feeds.keys() {
                let feed = self.runner.store.feed(self.connection.workspace, *id).await?;
                baseline.insert(*id, feed.last_change);
            }
            self.connection.progress.of_mut(source).baseline = Some(baseline);
            is_new = true;
        }
        // What was there when it was started stays the baseline, however long somebody thinks about it.
        // A preview starts nothing.
        if is_new && !self.is_preview() {
            let progress: &PerSide<SyncProgress> = &self.connection.progress;
            self.runner.store.set_progress(&self.held, self.connection.id, progress).await?;
        }
        Ok(())
    }

    /// Whether it only tells what a draft would do.
    pub(super) fn is_preview(&self) -> bool {
        matches!(&self.mode, Mode::Plan(planned) if planned.is_preview)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.runner.clock.now()
    }

    /// Before each call to an app: holds on to the lease, or stops.
    pub(super) async fn hold(&self) -> Result<(), RunError> {
        self.runner.check_stopping()?;
        if self.runner.store.renew(&self.held, self.runner.timings.lease).await? {
            Ok(())
        } else {
            Err(store::Error::Fenced.into())
        }
    }

    pub(super) fn connector(&self, side: Side) -> &dyn Connector {
        self.connectors.of(side).as_ref()
    }

    pub(super) fn side(&self, feed: FeedId) -> Option<Side> {
        self.feeds.get(&feed).map(|(side, _)| *side)
    }

    /// What a side reads, in the order in which it is read: the most preferred object last, so that it
    /// holds by then what records of others have become.
    pub(super) fn feeds_of(&self, side: Side) -> Vec<FeedId> {
        let mut feeds = self.connection.feeds.clone();
        feeds.retain(|feed| feed.side == side);
        feeds.sort_by_key(|feed| Reverse(feed.rank));
        feeds.into_iter().map(|feed| feed.feed).collect()
    }

    /// The feed of an object of a side.
    pub(super) fn feed_of(&self, side: Side, object: &ObjectName) -> Option<&Feed> {
        let of_side = self.feeds.values().filter(|(of, _)| *of == side);
        of_side.map(|(_, feed)| feed).find(|feed| feed.object == *object)
    }

    /// A record of a side as the end of a link; none if that object is not read.
    pub(super) fn end(&self, side: Side, name: &RecordName) -> Option<End> {
        Some(End { feed: self.feed_of(side, &name.object)?.id, id: name.id.clone() })
    }

    /// Whether a side has records of several objects.
    pub(super) fn has_several_objects(&self, side: Side) -> bool {
        self.connection.settings.sides.of(side).objects.len() > 1
    }

    /// How often in a row a record was tried before. Waiting for the answer of a try is none.
    fn tries(&self, end: &End) -> u32 {
        let tried = [PendingReason::Failed, PendingReason::Unknown];
        let before = self.pending.get(end).filter(|row| tried.contains(&row.reason));
        before.map_or(0, |row| row.attempts)
    }

    /// Whether a record that fails once more is not tried again: it waits for itself, the mapping or a
    /// person to change, and that is told.
    pub(super) fn is_used_up(&self, end: &End) -> bool {
        self.tries(end) + 1 >= TRIES_MAX
    }

    /// The row that makes a record wait. Each time it waits twice as long as before; in the end as if
    /// the app had refused it.
    pub(super) fn wait(&self, end: &End, reason: PendingReason) -> Option<Pending> {
        let is_given_up = reason == PendingReason::Failed && self.is_used_up(end);
        let reason = if is_given_up { PendingReason::Refused } else { reason };
        let is_try = reason != PendingReason::Unknown;
        let attempts = self.tries(end).saturating_add(u32::from(is_try));
        let timings = &self.runner.timings;
        let wait = timings.retry.saturating_mul(1 << attempts.min(16)).min(timings.retry_max);
        let next_at = match reason {
            PendingReason::Failed => Some(later(self.now(), wait)),
            // It is looked for at times of its own.
            PendingReason::Unknown => {
                Some(later(self.now(), timings.resolve.get(1).copied().unwrap_or(wait)))
            }
            PendingReason::Brake => Some(later(self.now(), timings.retry_max)),
            PendingReason::Refused
            | PendingReason::Ambiguous
            | PendingReason::Conflict
            | PendingReason::Doubt => None,
        };
        Some(Pending {
            connection: self.connection.id,
            end: end.clone(),
            side: self.side(end.feed)?,
            reason,
            attempts,
            next_at,
        })
    }
}

/// The time after this much.
pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// An error of a side's app, as it stops a run.
pub(super) fn app_error(side: Side) -> impl Fn(connectors::Error) -> RunError {
    move |error| RunError::App { side, error }
}

/// What waits of a connection.
async fn waiting(
    runner: &Runner,
    connection: &Connection,
) -> Result<BTreeMap<End, Pending>, RunError> {
    let waiting = runner.store.pending(connection.workspace, connection.id).await?;
    Ok(waiting.into_iter().map(|row| (row.end.clone(), row)).collect())
}

/// The brake, with what was done in the last 24 hours.
async fn brake(runner: &Runner, connection: &Connection) -> Result<Brake, RunError> {
    let (workspace, id) = (connection.workspace, connection.id);
    let links = runner.store.count_links(workspace, id).await?;
    let day_ago =
        runner.clock.now().checked_sub(Duration::from_secs(24 * 60 * 60)).unwrap_or(Timestamp::MIN);
    // By the side that is written: the sync that writes there reads the other.
    let first_run = PerSide::from_fn(|written| {
        let source = written.other();
        let settings = &connection.settings;
        settings.sync(source).is_some_and(|sync| sync.state == SyncState::Running)
            && connection.progress.of(source).first_run_done_at.is_none()
    });
    // What a first run did was guarded by its plan, and counts for nothing afterwards.
    let ends =
        PerSide::from_fn(|written| connection.progress.of(written.other()).first_run_done_at);
    let done = runner.store.applied_since(workspace, id, day_ago, &ends).await?;
    Ok(Brake::new(connection.settings.brake, links, first_run, done))
}
