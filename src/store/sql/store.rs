//! The methods of the store: each is one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    SqlStore, account, commit, connection, feed, intent, journal, lease, link, pending, run,
    secret, seen, settle, workspace,
};
use crate::planner::{self, Key, Settings};
use crate::record::{ObjectName, PerSide, RemoteId};
use crate::store::{
    Account, AccountId, AccountStatus, Connection, ConnectionId, Description, Feed, FeedId, Held,
    Intent, LeaseKey, LinkId, LinkRow, Observation, OpId, OpRow, Pending, Result, RunEnd, RunRow,
    Sealed, SeenRow, Settlement, Store, SyncProgress, Workspace, WorkspaceId,
};

#[async_trait]
impl Store for SqlStore {
    async fn acquire(&self, key: &LeaseKey, holder: &str, ttl: Duration) -> Result<Option<Held>> {
        let tx = self.write().await?;
        let held = lease::acquire(&tx, key, holder, ttl).await?;
        commit(tx, held).await
    }

    async fn renew(&self, held: &Held, ttl: Duration) -> Result<bool> {
        let tx = self.write().await?;
        let renewed = lease::renew(&tx, held, ttl).await?;
        commit(tx, renewed).await
    }

    async fn release(&self, held: &Held) -> Result<()> {
        let tx = self.write().await?;
        lease::release(&tx, held).await?;
        commit(tx, ()).await
    }

    async fn is_held(&self, key: &LeaseKey) -> Result<bool> {
        lease::is_held(&self.db, key).await
    }

    async fn add_workspace(&self, workspace: &Workspace) -> Result<()> {
        let tx = self.write().await?;
        workspace::add(&tx, workspace).await?;
        commit(tx, ()).await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>> {
        workspace::all(&self.db).await
    }

    async fn add_account(&self, account: &Account, sealed: &[u8]) -> Result<()> {
        let tx = self.write().await?;
        account::add(&tx, account, sealed).await?;
        commit(tx, ()).await
    }

    async fn account(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account> {
        account::get(&self.db, workspace, id).await
    }

    async fn accounts(&self, workspace: WorkspaceId) -> Result<Vec<Account>> {
        account::all(&self.db, workspace).await
    }

    async fn set_account(&self, account: &Account) -> Result<()> {
        let tx = self.write().await?;
        account::set(&tx, account).await?;
        commit(tx, ()).await
    }

    async fn credentials(&self, workspace: WorkspaceId, id: AccountId) -> Result<Sealed> {
        secret::get(&self.db, workspace, id).await
    }

    async fn replace_credentials(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        expected: u64,
        sealed: &[u8],
    ) -> Result<u64> {
        let tx = self.write().await?;
        let replaced = account::replace_credentials(&tx, workspace, id, expected, sealed).await?;
        commit(tx, replaced).await
    }

    async fn credentials_refused(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        generation: u64,
        code: &str,
        since: Timestamp,
    ) -> Result<bool> {
        let tx = self.write().await?;
        let status = AccountStatus::NeedsReconnecting { code: code.to_owned(), since };
        let is_said = account::refused(&tx, (workspace, id), generation, status).await?;
        commit(tx, is_said).await
    }

    async fn reconnect(&self, account: &Account, sealed: &[u8]) -> Result<u64> {
        let tx = self.write().await?;
        let generation = account::reconnect(&tx, account, sealed).await?;
        commit(tx, generation).await
    }

    async fn describe(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        description: &Description,
    ) -> Result<()> {
        let tx = self.write().await?;
        account::describe(&tx, workspace, id, description).await?;
        commit(tx, ()).await
    }

    async fn description(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
    ) -> Result<Option<Description>> {
        account::description(&self.db, workspace, id).await
    }

    async fn open_feed(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        object: &ObjectName,
        collection: &str,
        id: FeedId,
    ) -> Result<Feed> {
        let tx = self.write().await?;
        let feed = feed::open(&tx, workspace, account, object, collection, id).await?;
        commit(tx, feed).await
    }

    async fn feed(&self, workspace: WorkspaceId, id: FeedId) -> Result<Feed> {
        feed::get(&self.db, workspace, id).await
    }

    async fn add_connection(&self, connection: &Connection) -> Result<()> {
        let tx = self.write().await?;
        connection::add(&tx, connection).await?;
        commit(tx, ()).await
    }

    async fn connection(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection> {
        let tx = self.read().await?;
        let connection = connection::get(&tx, workspace, id).await?;
        commit(tx, connection).await
    }

    async fn connections(&self, workspace: WorkspaceId) -> Result<Vec<Connection>> {
        let tx = self.read().await?;
        let connections = connection::all(&tx, workspace).await?;
        commit(tx, connections).await
    }

    async fn connections_of_account(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<ConnectionId>> {
        connection::of_account(&self.db, workspace, account).await
    }

    async fn publish(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        expected: u32,
        settings: &Settings,
    ) -> Result<u32> {
        let tx = self.write().await?;
        let version = connection::publish(&tx, workspace, id, expected, settings).await?;
        commit(tx, version).await
    }

    async fn ask_again(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
        let tx = self.write().await?;
        connection::set_again(&tx, workspace, id, true).await?;
        commit(tx, ()).await
    }

    async fn observe(&self, held: &Held, observation: &Observation) -> Result<BTreeSet<RemoteId>> {
        let tx = self.fenced(held).await?;
        let changed = seen::observe(&tx, held.key.workspace, observation).await?;
        commit(tx, changed).await
    }

    async fn seen_after(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        change: u64,
        limit: u64,
    ) -> Result<Vec<SeenRow>> {
        seen::after(&self.db, workspace, feed, change, limit).await
    }

    async fn seen_by_id(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<SeenRow>> {
        let tx = self.read().await?;
        let rows = seen::by_id(&tx, workspace, feed, ids).await?;
        commit(tx, rows).await
    }

    async fn seen_by_keys(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        keys: &BTreeSet<Key>,
    ) -> Result<Vec<SeenRow>> {
        let tx = self.read().await?;
        let rows = seen::by_keys(&tx, workspace, feed, keys).await?;
        commit(tx, rows).await
    }

    async fn count_live(&self, workspace: WorkspaceId, feed: FeedId) -> Result<u64> {
        seen::count_live(&self.db, workspace, feed).await
    }

    async fn add_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
        due: Timestamp,
    ) -> Result<()> {
        let tx = self.write().await?;
        feed::add_hints(&tx, workspace, feed, ids, due).await?;
        commit(tx, ()).await
    }

    async fn due_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        now: Timestamp,
        limit: u64,
    ) -> Result<BTreeSet<RemoteId>> {
        feed::due_hints(&self.db, workspace, feed, now, limit).await
    }

    async fn hinted(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<BTreeSet<RemoteId>> {
        feed::hinted(&self.db, workspace, feed, ids).await
    }

    async fn links_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<LinkRow>> {
        let tx = self.read().await?;
        let rows = link::of_records(&tx, workspace, connection, feed, ids).await?;
        commit(tx, rows).await
    }

    async fn links(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<LinkId>,
        limit: u64,
    ) -> Result<Vec<LinkRow>> {
        let tx = self.read().await?;
        let rows = link::after(&tx, workspace, connection, after, limit).await?;
        commit(tx, rows).await
    }

    async fn count_links(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<u64> {
        link::count_active(&self.db, workspace, connection).await
    }

    async fn begin_run(&self, held: &Held, run: &RunRow) -> Result<RunRow> {
        let tx = self.fenced(held).await?;
        let run = run::begin(&tx, held.key.workspace, run).await?;
        commit(tx, run).await
    }

    async fn set_progress(
        &self,
        held: &Held,
        connection: ConnectionId,
        progress: &PerSide<SyncProgress>,
    ) -> Result<()> {
        let tx = self.fenced(held).await?;
        connection::set_progress(&tx, held.key.workspace, connection, progress).await?;
        commit(tx, ()).await
    }

    async fn finish_run(&self, held: &Held, end: &RunEnd) -> Result<bool> {
        let tx = self.fenced(held).await?;
        let again = run::finish(&tx, held.key.workspace, end).await?;
        commit(tx, again).await
    }

    async fn runs(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        limit: u64,
    ) -> Result<Vec<RunRow>> {
        run::before(&self.db, workspace, connection, None, limit).await
    }

    async fn last_full_run(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<RunRow>> {
        run::last_full(&self.db, workspace, connection).await
    }

    async fn journal(
        &self,
        held: &Held,
        ops: &[OpRow],
        intents: &[Intent],
    ) -> Result<BTreeSet<OpId>> {
        let tx = self.fenced(held).await?;
        let refused = journal::write(&tx, held.key.workspace, ops, intents).await?;
        commit(tx, refused).await
    }

    async fn mark_sent(&self, held: &Held, ops: &BTreeSet<OpId>, at: Timestamp) -> Result<()> {
        let tx = self.fenced(held).await?;
        journal::mark_sent(&tx, held.key.workspace, ops, at).await?;
        commit(tx, ()).await
    }

    async fn settle(&self, held: &Held, settlement: &Settlement) -> Result<()> {
        let tx = self.fenced(held).await?;
        settle::settle(&tx, held, settlement).await?;
        commit(tx, ()).await
    }

    async fn open_ops(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<OpRow>> {
        journal::open(&self.db, workspace, connection).await
    }

    async fn ops(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<OpId>,
        limit: u64,
    ) -> Result<Vec<OpRow>> {
        journal::ops(&self.db, workspace, connection, after, limit).await
    }

    async fn applied_since(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        since: Timestamp,
        first_run_ends: &PerSide<Option<Timestamp>>,
    ) -> Result<planner::History> {
        let tx = self.read().await?;
        let done =
            journal::applied_since(&tx, workspace, connection, since, first_run_ends).await?;
        commit(tx, done).await
    }

    async fn doubtful_intents(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Intent>> {
        intent::doubtful(&self.db, workspace, connection, now).await
    }

    async fn due_pending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Pending>> {
        pending::due(&self.db, workspace, connection, now).await
    }

    async fn pending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<Pending>> {
        pending::all(&self.db, workspace, connection).await
    }

    async fn next_due(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<Timestamp>> {
        let tx = self.read().await?;
        let next = pending::next_due(&tx, workspace, connection).await?;
        commit(tx, next).await
    }
}
