//! Connections.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, FeedId, WorkspaceId};
use crate::planner::{Settings, SyncState};
use crate::record::{PerSide, Side};

/// A connection with its live configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: ConnectionId,
    /// Its name for people.
    pub title: String,
    /// The live configuration, with its version.
    pub settings: Settings,
    /// What each side reads, in order of preference.
    pub feeds: Vec<ConnectionFeed>,
    /// How far each sync is, by the side that it reads.
    pub progress: PerSide<SyncProgress>,
    /// Whether another run was asked for.
    pub again: bool,
}

impl Connection {
    /// Whether a sync of it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let state = |side| self.settings.sync(side).map(|sync| sync.state);
        Side::BOTH.into_iter().any(|side| state(side) == Some(SyncState::Running))
    }

    /// Forgets how far syncs were that have been taken back since: started again, they begin anew.
    pub fn forget_what_was_taken_back(&mut self) {
        for source in Side::BOTH {
            let since = self.settings.sync(source).map_or(0, |sync| sync.since);
            let progress = self.progress.of_mut(source);
            if progress.since != since {
                *progress = SyncProgress { since, ..SyncProgress::default() };
            }
        }
    }
}

/// A feed of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFeed {
    /// The side that reads it.
    pub side: Side,
    /// Its place in the side's order of preference.
    pub rank: u32,
    /// The feed.
    pub feed: FeedId,
    /// The change number up to which it was planned.
    pub planned_to: u64,
}

/// How far a sync is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncProgress {
    /// The `since` of the sync that came so far: it says nothing of one that begins anew.
    #[serde(default)]
    pub since: u32,
    /// When its first run was done; since a backup was put back, the first one after that.
    pub first_run_done_at: Option<Timestamp>,
    /// When the very first was done, where a backup was put back since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_done_before: Option<Timestamp>,
    /// For a NEW_ONLY sync: the change number of each feed when it began. What has not changed since
    /// was there before.
    pub baseline: Option<BTreeMap<FeedId, u64>>,
}

impl SyncProgress {
    /// When its very first run was done.
    #[must_use]
    pub fn began_at(&self) -> Option<Timestamp> {
        self.first_done_before.or(self.first_run_done_at)
    }

    /// Has its next run count as a first one again.
    pub fn begin_again(&mut self) {
        self.first_done_before = self.began_at();
        self.first_run_done_at = None;
    }
}
