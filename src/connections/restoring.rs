//! After a backup was put back: what was done since then is not known here. Nothing is written before a
//! person has seen what would be.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{Connections, Error, Result};
use crate::planner::{Approval, Presence, SyncState};
use crate::record::{RemoteId, Side};
use crate::store::{Connection, FeedId, Held, LeaseKey, LeaseKind, WorkspaceId};

/// A connection that asks before it writes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The name of its workspace.
    pub workspace: String,
    /// Its name for people.
    pub title: String,
    /// How many records are looked at again.
    pub records: u64,
}

/// How long nobody else may work on a connection: longer than its part of this takes.
const ALONE: Duration = Duration::from_secs(60);
/// How many records are noted at once.
const CHUNK: u64 = 1000;

impl Connections {
    /// Has every connection that was ever started, of all workspaces, begin as after a first start: it
    /// looks at all that it knew again, also at what the apps tell no more, recognises who was made
    /// since, and writes what is left to do once a person has agreed to its plan. What a NEW_ONLY sync
    /// took for its baseline stays that. `holder` names this process in the leases.
    ///
    /// # Errors
    /// [`Error::Running`] if a server or worker is at work; [`Error::Store`]. Done again, it does what
    /// is missing.
    pub async fn after_restore(&self, holder: &str) -> Result<Vec<Asking>> {
        let mut asking = Vec::new();
        for workspace in self.store.workspaces().await? {
            let mut noted = BTreeSet::new();
            for known in self.store.connections(workspace.id).await? {
                if !was_started(&known) {
                    continue;
                }
                let records = self.look_again(&known, &mut noted).await?;
                self.ask_first(workspace.id, &known, holder).await?;
                let (workspace, title) = (workspace.name.clone(), known.title);
                asking.push(Asking { workspace, title, records });
            }
        }
        Ok(asking)
    }

    /// Has all that is known of a connection looked at by its next run: an app may not tell any more
    /// what it removed since. Feeds that are `noted` are noted only once. Gives how many records.
    async fn look_again(&self, known: &Connection, noted: &mut BTreeSet<FeedId>) -> Result<u64> {
        let mut records = 0;
        for feed in known.feeds.iter().map(|feed| feed.feed).filter(|feed| noted.insert(*feed)) {
            let mut after = 0;
            loop {
                let rows = self.store.seen_after(known.workspace, feed, after, CHUNK).await?;
                let Some(last) = rows.last() else { break };
                after = last.change;
                let live = rows.iter().filter(|row| row.seen.presence == Presence::Live);
                let ids: BTreeSet<RemoteId> = live.map(|row| row.seen.record.id.clone()).collect();
                // Due at once, whatever the clock of the process that runs it says.
                let due = Timestamp::UNIX_EPOCH;
                self.store.add_hints(known.workspace, feed, &ids, due).await?;
                records += ids.len() as u64;
            }
        }
        Ok(records)
    }

    /// A new version of the same configuration, under which every sync runs for the first time: what
    /// was agreed to under the last one is agreed to no more.
    async fn ask_first(
        &self,
        workspace: WorkspaceId,
        known: &Connection,
        holder: &str,
    ) -> Result<()> {
        let held = self.alone(workspace, known, holder).await?;
        let asked = async {
            self.change_live(workspace, known.id, |settings| {
                settings.approval = Approval::FirstRun;
                Ok(())
            })
            .await?;
            let mut progress = known.progress.clone();
            for side in Side::BOTH {
                progress.of_mut(side).begin_again();
            }
            Ok(self.store.set_progress(&held, known.id, &progress).await?)
        };
        let asked = asked.await;
        self.store.release(&held).await?;
        asked
    }

    async fn alone(
        &self,
        workspace: WorkspaceId,
        known: &Connection,
        holder: &str,
    ) -> Result<Held> {
        let key = LeaseKey { workspace, kind: LeaseKind::Connection, subject: known.id.0 };
        let held = self.store.acquire(&key, holder, ALONE).await?;
        held.ok_or_else(|| Error::Running(known.title.clone()))
    }
}

/// Whether a sync of it was ever started, and not taken back.
fn was_started(known: &Connection) -> bool {
    let state = |side| known.settings.sync(side).map(|sync| sync.state);
    Side::BOTH.into_iter().filter_map(state).any(|state| state != SyncState::Draft)
}
