//! The store in memory, method by method.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use crate::planner::{self, Key, Settings};
use crate::record::{ObjectName, PerSide, RemoteId};
use crate::store::{
    Account, AccountId, AccountStatus, Connection, ConnectionId, Description, Feed, FeedId, Held,
    History, Intent, LeaseKey, LinkId, LinkRow, Observation, OpId, OpRow, Pending, Result, RunEnd,
    RunRow, Sealed, SeenRow, Settlement, Store, SyncProgress, Workspace, WorkspaceId,
};

#[async_trait]
impl Store for MemoryStore {
    async fn acquire(&self, key: &LeaseKey, holder: &str, ttl: Duration) -> Result<Option<Held>> {
        self.transact(|state, now| Ok(state.acquire(key, holder, ttl, now))).await
    }

    async fn renew(&self, held: &Held, ttl: Duration) -> Result<bool> {
        self.transact(|state, now| Ok(state.renew(held, ttl, now))).await
    }

    async fn release(&self, held: &Held) -> Result<()> {
        self.transact(|state, _| {
            state.release(held);
            Ok(())
        })
        .await
    }

    async fn is_held(&self, key: &LeaseKey) -> Result<bool> {
        self.transact(|state, now| Ok(state.is_held(key, now))).await
    }

    async fn add_workspace(&self, workspace: &Workspace) -> Result<()> {
        self.transact(|state, _| state.add_workspace(workspace)).await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>> {
        self.transact(|state, _| Ok(state.workspaces())).await
    }

    async fn add_account(&self, account: &Account, sealed: &[u8]) -> Result<()> {
        self.transact(|state, _| state.add_account(account, sealed)).await
    }

    async fn account(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account> {
        self.transact(|state, _| state.account(workspace, id).cloned()).await
    }

    async fn accounts(&self, workspace: WorkspaceId) -> Result<Vec<Account>> {
        self.transact(|state, _| Ok(state.accounts(workspace))).await
    }

    async fn set_account(&self, account: &Account) -> Result<()> {
        self.transact(|state, _| state.set_account(account)).await
    }

    async fn credentials(&self, workspace: WorkspaceId, id: AccountId) -> Result<Sealed> {
        self.transact(|state, _| state.credentials(workspace, id)).await
    }

    async fn replace_credentials(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        expected: u64,
        sealed: &[u8],
    ) -> Result<u64> {
        self.transact(|state, _| state.replace_credentials(workspace, id, expected, sealed)).await
    }

    async fn credentials_refused(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        generation: u64,
        code: &str,
        since: Timestamp,
    ) -> Result<bool> {
        let status = AccountStatus::NeedsReconnecting { code: code.to_owned(), since };
        self.transact(|state, _| state.credentials_refused((workspace, id), generation, status))
            .await
    }

    async fn reconnect(&self, account: &Account, sealed: &[u8]) -> Result<u64> {
        self.transact(|state, _| state.reconnect(account, sealed)).await
    }

    async fn describe(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        description: &Description,
    ) -> Result<()> {
        self.transact(|state, _| state.describe(workspace, id, description)).await
    }

    async fn description(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
    ) -> Result<Option<Description>> {
        self.transact(|state, _| Ok(state.description(workspace, id))).await
    }

    async fn open_feed(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        object: &ObjectName,
        collection: &str,
        id: FeedId,
    ) -> Result<Feed> {
        self.transact(|state, _| state.open_feed(workspace, account, object, collection, id)).await
    }

    async fn feed(&self, workspace: WorkspaceId, id: FeedId) -> Result<Feed> {
        self.transact(|state, _| state.feed(workspace, id).cloned()).await
    }

    async fn add_connection(&self, connection: &Connection) -> Result<()> {
        self.transact(|state, _| state.add_connection(connection)).await
    }

    async fn connection(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection> {
        self.transact(|state, _| state.connection(workspace, id).cloned()).await
    }

    async fn connections(&self, workspace: WorkspaceId) -> Result<Vec<Connection>> {
        self.transact(|state, _| Ok(state.connections(workspace))).await
    }

    async fn connections_of_account(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<ConnectionId>> {
        self.transact(|state, _| Ok(state.connections_of_account(workspace, account))).await
    }

    async fn publish(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        expected: u32,
        settings: &Settings,
    ) -> Result<u32> {
        self.transact(|state, _| state.publish(workspace, id, expected, settings)).await
    }

    async fn ask_again(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
        self.transact(|state, _| {
            state.connection_mut(workspace, id)?.again = true;
            Ok(())
        })
        .await
    }

    async fn observe(&self, held: &Held, observation: &Observation) -> Result<BTreeSet<RemoteId>> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.observe(held.key.workspace, observation)
        })
        .await
    }

    async fn seen_after(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        change: u64,
        limit: u64,
    ) -> Result<Vec<SeenRow>> {
        self.transact(|state, _| Ok(state.seen_after(workspace, feed, change, limit))).await
    }

    async fn seen_by_id(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<SeenRow>> {
        self.transact(|state, _| Ok(state.seen_by_id(workspace, feed, ids))).await
    }

    async fn seen_by_keys(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        keys: &BTreeSet<Key>,
    ) -> Result<Vec<SeenRow>> {
        self.transact(|state, _| Ok(state.seen_by_keys(workspace, feed, keys))).await
    }

    async fn count_live(&self, workspace: WorkspaceId, feed: FeedId) -> Result<u64> {
        self.transact(|state, _| Ok(state.count_live(workspace, feed))).await
    }

    async fn add_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
        due: Timestamp,
    ) -> Result<()> {
        self.transact(|state, _| {
            state.feed(workspace, feed)?;
            for id in ids {
                state.hint(workspace, feed, id, due);
            }
            Ok(())
        })
        .await
    }

    async fn due_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        now: Timestamp,
        limit: u64,
    ) -> Result<BTreeSet<RemoteId>> {
        self.transact(|state, _| Ok(state.due_hints(workspace, feed, now, limit))).await
    }

    async fn hinted(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<BTreeSet<RemoteId>> {
        self.transact(|state, _| Ok(state.hinted(workspace, feed, ids))).await
    }

    async fn links_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<LinkRow>> {
        self.transact(|state, _| Ok(state.links_of(workspace, connection, feed, ids))).await
    }

    async fn links(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<LinkId>,
        limit: u64,
    ) -> Result<Vec<LinkRow>> {
        self.transact(|state, _| Ok(state.links(workspace, connection, after, limit))).await
    }

    async fn count_links(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<u64> {
        self.transact(|state, _| Ok(state.count_links(workspace, connection))).await
    }

    async fn begin_run(&self, held: &Held, run: &RunRow) -> Result<RunRow> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.begin_run(held.key.workspace, run)
        })
        .await
    }

    async fn set_progress(
        &self,
        held: &Held,
        connection: ConnectionId,
        progress: &PerSide<SyncProgress>,
    ) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            let workspace = held.key.workspace;
            state.connection_mut(workspace, connection)?.progress = progress.clone();
            Ok(())
        })
        .await
    }

    async fn finish_run(&self, held: &Held, end: &RunEnd) -> Result<bool> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.finish_run(held.key.workspace, end)
        })
        .await
    }

    async fn runs(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        limit: u64,
    ) -> Result<Vec<RunRow>> {
        self.runs_before(workspace, connection, None, limit).await
    }

    async fn last_full_run(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<RunRow>> {
        self.transact(|state, _| {
            let mut runs = state.runs_before(workspace, connection, None);
            Ok(runs.find(|run| run.has_read_everything()).cloned())
        })
        .await
    }

    async fn journal(
        &self,
        held: &Held,
        ops: &[OpRow],
        intents: &[Intent],
    ) -> Result<BTreeSet<OpId>> {
        self.transact(|state, now| {
            state.check(held, now)?;
            Ok(state.journal(held.key.workspace, ops, intents))
        })
        .await
    }

    async fn mark_sent(&self, held: &Held, ops: &BTreeSet<OpId>, at: Timestamp) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.mark_sent(held.key.workspace, ops, at);
            Ok(())
        })
        .await
    }

    async fn settle(&self, held: &Held, settlement: &Settlement) -> Result<()> {
        self.transact(|state, now| {
            state.check(held, now)?;
            state.settle(held.key.workspace, held.connection(), settlement)
        })
        .await
    }

    async fn open_ops(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<OpRow>> {
        self.transact(|state, _| {
            Ok(state.ops_where(workspace, connection, |row| row.state.is_open()))
        })
        .await
    }

    async fn ops(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<OpId>,
        limit: u64,
    ) -> Result<Vec<OpRow>> {
        self.transact(|state, _| {
            let mut rows = state.ops_where(workspace, connection, |row| Some(row.id) > after);
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(rows)
        })
        .await
    }

    async fn applied_since(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        since: Timestamp,
        first_run_ends: &PerSide<Option<Timestamp>>,
    ) -> Result<planner::History> {
        self.transact(|state, _| {
            Ok(state.applied_since(workspace, connection, since, first_run_ends))
        })
        .await
    }

    async fn doubtful_intents(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Intent>> {
        self.transact(|state, _| Ok(state.doubtful_intents(workspace, connection, now))).await
    }

    async fn due_pending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Pending>> {
        self.transact(|state, _| {
            let mut rows = state.pending(workspace, connection);
            rows.retain(|row| row.next_at.is_some_and(|at| at <= now));
            Ok(rows)
        })
        .await
    }

    async fn pending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<Pending>> {
        self.transact(|state, _| Ok(state.pending(workspace, connection))).await
    }

    async fn next_due(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<Timestamp>> {
        self.transact(|state, _| state.next_due(workspace, connection)).await
    }
}
