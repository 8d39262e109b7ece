//! How a run reads: everything that changed, or only what it was told of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::approval::awaiting;
use super::{RunError, Runner};
use crate::record::{PerSide, RemoteId, Side};
use crate::store::{
    self, Connection, EndpointState, Feed, FeedId, Observed, RunKind, RunRow, RunState, Trigger,
    WorkspaceId,
};

/// How a run reads.
pub(super) struct Reading {
    /// How old the knowledge of removals may be.
    pub(super) removals_every: Duration,
    /// Whether only what somebody hinted at is read, unless somebody is new or gone: a notification has
    /// woken it, and everything was read before.
    pub(super) only_hints: bool,
    /// The feeds of which the app told every change since the last run that read everything: what is
    /// found there by reading was missed by the notifications.
    told: BTreeSet<FeedId>,
    /// Those of them of which nothing at all was told since then, although something was missed already
    /// then: with when that run began.
    silent: BTreeMap<FeedId, Timestamp>,
    /// The sides of which it can't be said that something was told since then.
    quiet: BTreeSet<Side>,
}

/// What was found by reading, and should have been told.
#[derive(Default)]
pub(super) struct Missed {
    changes: AtomicU64,
    /// Whether it was long ago, and nothing else was told of that side either.
    is_silent: PerSide<AtomicBool>,
}

/// How long a notification may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(30);
/// How far back the last finished run is looked for.
const RUNS_LOOKED_AT: u64 = 100;

impl Reading {
    /// How this run of a connection reads. `last` is the one before it with the same configuration.
    pub(super) async fn of(
        runner: &Runner,
        run: &RunRow,
        last: Option<&RunRow>,
        connection: &Connection,
        feeds: &BTreeMap<FeedId, (Side, Feed)>,
    ) -> store::Result<Self> {
        let removals_every = match run.trigger {
            Trigger::Person => Duration::ZERO,
            Trigger::Schedule | Trigger::Webhook | Trigger::Again => runner.timings.removals,
        };
        let only_hints = run.trigger == Trigger::Webhook
            && last.is_some()
            && !connection.again
            && !has_lost_a_side(runner, connection).await?;
        let full = runner.store.last_full_run(connection.workspace, connection.id).await?;
        let (mut told, mut silent, mut quiet) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        for (side, feed) in feeds.values() {
            let endpoint = runner.store.endpoint_of(feed.workspace, feed.account).await?;
            let posts = endpoint.filter(|known| {
                known.state == EndpointState::Registered && known.objects.contains(&feed.object)
            });
            let full = full.as_ref().filter(|_| last.is_some());
            let Some(endpoint) = posts else { continue };
            let is_before = |at: Timestamp| full.is_none_or(|full| at < full.started_at);
            let is_quiet = endpoint.last_delivery_at.is_none_or(is_before);
            if is_quiet {
                quiet.insert(*side);
            }
            let Some(full) = full else { continue };
            if endpoint.registered_at.is_some_and(is_before) {
                told.insert(feed.id);
                // One that was missed may have been told too late.
                if is_quiet && full.report.missed_by_webhooks > 0 {
                    silent.insert(feed.id, full.started_at);
                }
            }
        }
        Ok(Self { removals_every, only_hints, told, silent, quiet })
    }

    /// The sides of which it can't be said that their apps tell what changes there.
    pub(super) fn may_be_silent(&self) -> impl Iterator<Item = Side> {
        self.quiet.iter().copied()
    }

    /// Of which of these records a notification may still come, on the heels of the one that has woken
    /// this run: those that nobody knows to have changed long ago.
    pub(super) fn on_their_way(&self, records: &[Observed], now: Timestamp) -> BTreeSet<RemoteId> {
        let fresh = records.iter().filter(|one| self.only_hints && !is_late(one, now));
        fresh.map(|one| one.id.clone()).collect()
    }

    /// Which of these records an app that has told nothing at all should have told of by now.
    pub(super) fn overdue(
        &self,
        feed: FeedId,
        records: &[Observed],
        now: Timestamp,
    ) -> BTreeSet<RemoteId> {
        let Some(since) = self.silent.get(&feed) else { return BTreeSet::new() };
        let is_new = |one: &&Observed| {
            let changed_at = one.record.as_ref().and_then(|record| record.modified_at);
            changed_at.is_some_and(|at| at > *since) && is_late(one, now)
        };
        records.iter().filter(is_new).map(|one| one.id.clone()).collect()
    }

    /// Which of these changes of a feed should have been told, and nobody did.
    pub(super) async fn untold(
        &self,
        runner: &Runner,
        workspace: WorkspaceId,
        feed: FeedId,
        changed: BTreeSet<RemoteId>,
    ) -> store::Result<BTreeSet<RemoteId>> {
        if changed.is_empty() || !self.told.contains(&feed) {
            return Ok(BTreeSet::new());
        }
        let told = runner.store.hinted(workspace, feed, &changed).await?;
        Ok(changed.difference(&told).cloned().collect())
    }
}

impl Missed {
    /// Counts what was not told of a side. Of those that are overdue somebody should have told by now.
    pub(super) fn count(
        &self,
        side: Side,
        untold: &BTreeSet<RemoteId>,
        overdue: &BTreeSet<RemoteId>,
    ) {
        self.changes.fetch_add(untold.len() as u64, Ordering::Relaxed);
        if !untold.is_disjoint(overdue) {
            self.is_silent.of(side).store(true, Ordering::Relaxed);
        }
    }

    /// How many they are.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// The sides whose apps have told nothing.
    pub(super) fn silent(&self) -> impl Iterator<Item = Side> {
        let is_silent = |side: &Side| self.is_silent.of(*side).load(Ordering::Relaxed);
        Side::BOTH.into_iter().filter(is_silent)
    }
}

/// Whether it is known that a record was changed so long ago that somebody would have told of it by now.
fn is_late(one: &Observed, now: Timestamp) -> bool {
    let changed_at = one.record.as_ref().and_then(|record| record.modified_at);
    changed_at.is_some_and(|at| at + ON_ITS_WAY < now)
}

impl Runner {
    /// Whether a run that a notification wakes now would read only what was told: not so while
    /// everything has to be looked at, or a person waits for something else.
    ///
    /// # Errors
    /// [`RunError::Store`].
    pub async fn reads_only_what_was_told(&self, known: &Connection) -> Result<bool, RunError> {
        let mut known = known.clone();
        known.forget_what_was_taken_back();
        let is_free = !known.again
            && awaiting(&known.settings, &known.progress).is_empty()
            && !self.store.preview_asked(known.workspace, known.id).await?
            && !has_lost_a_side(self, &known).await?;
        Ok(is_free && last_alike(self, &known).await?.is_some())
    }
}

/// Whether a run was stopped because so many were gone at once, and none got past that since: until it
/// is weighed again nothing is written.
async fn has_lost_a_side(runner: &Runner, connection: &Connection) -> store::Result<bool> {
    let runs = runner.store.runs(connection.workspace, connection.id, RUNS_LOOKED_AT).await?;
    let is_lost = |row: &RunRow| row.error.as_deref() == Some(RunError::SIDE_LOST);
    let is_sync = |row: &RunRow| row.kind == RunKind::Sync;
    let last = runs
        .into_iter()
        .filter(is_sync)
        .find(|row| row.state == RunState::Finished || is_lost(row));
    Ok(last.is_some_and(|row| is_lost(&row)))
}

/// The last run that finished with this configuration. None if everything is to be looked at: the
/// configuration is another, or a sync runs for the first time and looks at what the other has long
/// been through with.
pub(super) async fn last_alike(
    runner: &Runner,
    connection: &Connection,
) -> Result<Option<RunRow>, RunError> {
    let has_first_run = Side::BOTH.iter().any(|source| {
        connection.settings.running(*source).is_some()
            && connection.progress.of(*source).first_run_done_at.is_none()
    });
    if has_first_run {
        return Ok(None);
    }
    let runs = runner.store.runs(connection.workspace, connection.id, RUNS_LOOKED_AT).await?;
    let is_done = |row: &RunRow| row.state == RunState::Finished && row.kind == RunKind::Sync;
    let last = runs.into_iter().find(is_done);
    Ok(last.filter(|row| row.version == connection.settings.version))
}
