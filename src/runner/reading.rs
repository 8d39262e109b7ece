//! How a run reads: everything that changed, or only what it was told of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::approval::awaiting;
use super::{RunError, Runner};
use crate::record::{RemoteId, Side};
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
}

/// How long a notification may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(30);
/// How far back the last finished run is looked for.
const RUNS_LOOKED_AT: u64 = 100;
/// More hints than a feed ever has.
const ALL_HINTS: u64 = 1_000_000;

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
        let mut told = BTreeSet::new();
        for (_, feed) in feeds.values() {
            let endpoint = runner.store.endpoint_of(feed.workspace, feed.account).await?;
            let registered = endpoint
                .filter(|endpoint| endpoint.state == EndpointState::Registered)
                .and_then(|endpoint| endpoint.registered_at);
            let full = full.as_ref().filter(|_| last.is_some());
            if full.is_some_and(|full| registered.is_some_and(|at| at < full.started_at)) {
                told.insert(feed.id);
            }
        }
        Ok(Self { removals_every, only_hints, told })
    }

    /// Of which of these records a notification may still come, on the heels of the one that has woken
    /// this run: those that nobody knows to have changed long ago.
    pub(super) fn on_their_way(&self, records: &[Observed], now: Timestamp) -> BTreeSet<RemoteId> {
        let is_late = |one: &Observed| {
            let changed_at = one.record.as_ref().and_then(|record| record.modified_at);
            changed_at.is_some_and(|at| at + ON_ITS_WAY < now)
        };
        let fresh = records.iter().filter(|one| self.only_hints && !is_late(one));
        fresh.map(|one| one.id.clone()).collect()
    }

    /// How many of these changes of a feed should have been told, and nobody did.
    pub(super) async fn missed(
        &self,
        runner: &Runner,
        workspace: WorkspaceId,
        feed: FeedId,
        changed: &BTreeSet<RemoteId>,
    ) -> store::Result<u64> {
        if changed.is_empty() || !self.told.contains(&feed) {
            return Ok(0);
        }
        let told = runner.store.due_hints(workspace, feed, Timestamp::MAX, ALL_HINTS).await?;
        Ok(changed.difference(&told).count() as u64)
    }
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
