//! How a run reads: everything that changed, or only what it was told of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::Runner;
use crate::record::{RemoteId, Side};
use crate::store::{self, EndpointState, Feed, FeedId, RunRow, Trigger, WorkspaceId};

/// How a run reads.
pub(super) struct Reading {
    /// How old the knowledge of removals may be.
    pub(super) removals_every: Duration,
    /// Whether only what somebody hinted at is read: a notification has woken it, and everything was
    /// read before.
    pub(super) only_hints: bool,
    /// The feeds of which the app told every change since the last run: what is found there by reading
    /// was missed by the notifications.
    told: BTreeSet<FeedId>,
}

/// More hints than a feed ever has.
const ALL_HINTS: u64 = 1_000_000;

impl Reading {
    /// How this run reads. `last` is the one before it with the same configuration.
    pub(super) async fn of(
        runner: &Runner,
        run: &RunRow,
        last: Option<&RunRow>,
        feeds: &BTreeMap<FeedId, (Side, Feed)>,
    ) -> store::Result<Self> {
        let removals_every = match run.trigger {
            Trigger::Person => Duration::ZERO,
            Trigger::Schedule | Trigger::Webhook | Trigger::Again => runner.timings.removals,
        };
        let mut told = BTreeSet::new();
        for (_, feed) in feeds.values() {
            let endpoint = runner.store.endpoint_of(feed.workspace, feed.account).await?;
            let registered = endpoint
                .filter(|endpoint| endpoint.state == EndpointState::Registered)
                .and_then(|endpoint| endpoint.registered_at);
            if last.is_some_and(|last| registered.is_some_and(|at| at < last.started_at)) {
                told.insert(feed.id);
            }
        }
        let only_hints = run.trigger == Trigger::Webhook && last.is_some();
        Ok(Self { removals_every, only_hints, told })
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
