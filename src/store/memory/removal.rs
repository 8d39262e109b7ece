//! The end of a connection.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::state::State;
use crate::store::{ConnectionId, Error, FeedId, LeaseKey, LeaseKind, Result, RunId, WorkspaceId};

/// Who holds the lease of a connection that is removed.
const HOLDER: &str = "removal";

impl State {
    pub(super) fn remove_connection(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
        now: Timestamp,
    ) -> Result<()> {
        let connection = self.connection(workspace, id)?;
        let feeds: BTreeSet<FeedId> = connection.feeds.iter().map(|feed| feed.feed).collect();
        let key = LeaseKey { workspace, kind: LeaseKind::Connection, subject: id.0 };
        self.acquire(&key, HOLDER, Duration::ZERO, now).ok_or(Error::Conflict)?;
        self.remove_history(workspace, id);
        self.pending.retain(|(ws, of, _), _| (*ws, *of) != (workspace, id));
        self.links.retain(|(ws, _), row| (*ws, row.connection) != (workspace, id));
        self.ends.retain(|(of, _), _| *of != id);
        self.drafts.remove(&(workspace, id));
        self.connections.remove(&(workspace, id));
        for feed in feeds {
            if !self.is_read(workspace, feed) {
                self.remove_feed(workspace, feed);
            }
        }
        Ok(())
    }

    /// Removes what was planned and done.
    fn remove_history(&mut self, workspace: WorkspaceId, id: ConnectionId) {
        self.intents.retain(|(ws, _), row| (*ws, row.connection) != (workspace, id));
        self.ops.retain(|(ws, _), row| (*ws, row.connection) != (workspace, id));
        let plans: BTreeSet<RunId> = self
            .plans
            .iter()
            .filter(|((ws, _), row)| (*ws, row.connection) == (workspace, id))
            .map(|((_, plan), _)| *plan)
            .collect();
        self.plan_items.retain(|(ws, plan, _), _| *ws != workspace || !plans.contains(plan));
        self.plans.retain(|(ws, _), row| (*ws, row.connection) != (workspace, id));
        self.outcomes.retain(|(ws, of, _), _| (*ws, *of) != (workspace, id));
        self.issues.retain(|(ws, _), row| (*ws, row.connection) != (workspace, id));
        self.runs.retain(|(ws, _), row| (*ws, row.connection) != (workspace, id));
    }

    /// Whether any connection reads a feed.
    fn is_read(&self, workspace: WorkspaceId, id: FeedId) -> bool {
        self.connections
            .values()
            .any(|row| row.workspace == workspace && row.feeds.iter().any(|feed| feed.feed == id))
    }

    fn remove_feed(&mut self, workspace: WorkspaceId, id: FeedId) {
        self.seen.remove(&(workspace, id));
        self.keys.retain(|(feed, _, _)| *feed != id);
        self.hints.retain(|(ws, feed, _), _| (*ws, *feed) != (workspace, id));
        self.feeds.remove(&(workspace, id));
    }
}
