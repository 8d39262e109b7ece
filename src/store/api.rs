//! The trait that all stores are.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::rows::*;
use super::{AuthorizationRequests, Error, History, Idempotency, Usage, Webhooks};
use crate::planner::{self, Key, Settings};
use crate::record::{ObjectName, PerSide, RemoteId};

/// The result of every method.
pub type Result<T> = std::result::Result<T, Error>;

/// All that is remembered. Three of a kind: in memory, SQLite, PostgreSQL; one suite tries them all.
#[async_trait]
pub trait Store:
    AuthorizationRequests + History + Idempotency + Usage + Webhooks + Send + Sync
{
    /// Takes a lease if nobody holds it, or it ran out. Its fence is larger than any before. Times are
    /// the database's, so that servers with different clocks agree.
    async fn acquire(&self, key: &LeaseKey, holder: &str, ttl: Duration) -> Result<Option<Held>>;

    /// Holds on to a lease for another `ttl`. False once it is lost.
    async fn renew(&self, held: &Held, ttl: Duration) -> Result<bool>;

    /// Gives a lease back. Nothing happens if it is lost already.
    async fn release(&self, held: &Held) -> Result<()>;

    /// Whether anybody holds a lease now.
    async fn is_held(&self, key: &LeaseKey) -> Result<bool>;

    /// Adds a workspace. [`Error::Conflict`] if its name is taken.
    async fn add_workspace(&self, workspace: &Workspace) -> Result<()>;

    /// All workspaces, by name.
    async fn workspaces(&self) -> Result<Vec<Workspace>>;

    /// Adds an account with its first credentials, generation 1. [`Error::Conflict`] if there is one
    /// for the same account of the app that is not disconnected.
    async fn add_account(&self, account: &Account, sealed: &[u8]) -> Result<()>;

    /// An account.
    async fn account(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account>;

    /// The accounts of a workspace, in the order in which they were connected.
    async fn accounts(&self, workspace: WorkspaceId) -> Result<Vec<Account>>;

    /// Changes what may change of an account: its label, host, owner, region, time zone, allowance and
    /// status.
    /// Once disconnected it has no credentials; to come back is an [`Error::Conflict`] if another has
    /// taken its place.
    async fn set_account(&self, account: &Account) -> Result<()>;

    /// The credentials of an account.
    async fn credentials(&self, workspace: WorkspaceId, id: AccountId) -> Result<Sealed>;

    /// Replaces the credentials of an account; `expected` is the generation that the new ones were got
    /// with ([`Error::Conflict`] if there are newer ones). An account that was believed to need
    /// reconnecting is connected again. Gives the new generation.
    ///
    /// No lease is asked for: an app may give them only once, so who has got them must be able to
    /// write them down, however long it took.
    async fn replace_credentials(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        expected: u64,
        sealed: &[u8],
    ) -> Result<u64>;

    /// Says that a connected account needs reconnecting: since then the app accepts its credentials of
    /// this generation no more, and `code` says why. False if there are newer ones, or it is not
    /// connected.
    async fn credentials_refused(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        generation: u64,
        code: &str,
        since: Timestamp,
    ) -> Result<bool>;

    /// Changes an account as [`Store::set_account`] does, with credentials that a person gave: they
    /// replace whatever was there. Gives their generation.
    async fn reconnect(&self, account: &Account, sealed: &[u8]) -> Result<u64>;

    /// Remembers what an account says of itself, in the place of what it said before.
    async fn describe(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        description: &Description,
    ) -> Result<()>;

    /// What an account said of itself last, if it ever did.
    async fn description(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
    ) -> Result<Option<Description>>;

    /// The feed of an account's object, made if it is new.
    async fn open_feed(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        object: &ObjectName,
        collection: &str,
        id: FeedId,
    ) -> Result<Feed>;

    /// A feed.
    async fn feed(&self, workspace: WorkspaceId, id: FeedId) -> Result<Feed>;

    /// Adds a connection with its first configuration.
    async fn add_connection(&self, connection: &Connection) -> Result<()>;

    /// A connection with its live configuration.
    async fn connection(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Connection>;

    /// The connections of a workspace with their live configurations, by id.
    async fn connections(&self, workspace: WorkspaceId) -> Result<Vec<Connection>>;

    /// The connections that read anything of an account, by id.
    async fn connections_of_account(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<ConnectionId>>;

    /// Makes this configuration the live one, as the next version; `expected` is the version it was
    /// made from ([`Error::Conflict`] if it is live no more). The draft is gone with it. Gives the new
    /// version.
    async fn publish(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        expected: u32,
        settings: &Settings,
    ) -> Result<u32>;

    /// Asks for another run of a connection, during or after the one that goes on.
    async fn ask_again(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()>;

    /// Writes a page of observations and moves the feed's cursor. Gives the records that changed.
    async fn observe(&self, held: &Held, observation: &Observation) -> Result<BTreeSet<RemoteId>>;

    /// Records of a feed that changed after a change number, oldest change first.
    async fn seen_after(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        change: u64,
        limit: u64,
    ) -> Result<Vec<SeenRow>>;

    /// Records of a feed by id; those that were never seen are left out.
    async fn seen_by_id(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<SeenRow>>;

    /// Live records of a feed that carry any of these keys.
    async fn seen_by_keys(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        keys: &BTreeSet<Key>,
    ) -> Result<Vec<SeenRow>>;

    /// How many live records a feed has.
    async fn count_live(&self, workspace: WorkspaceId, feed: FeedId) -> Result<u64>;

    /// Remembers that records are to be looked at again. Doubled hints are one, due when the later is.
    async fn add_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
        due: Timestamp,
    ) -> Result<()>;

    /// The records of a feed that are due to be looked at again; if they are too many, those that were
    /// due last.
    async fn due_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        now: Timestamp,
        limit: u64,
    ) -> Result<BTreeSet<RemoteId>>;

    /// Those of these records that somebody hinted at and that have not been looked at since, due or not.
    async fn hinted(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<BTreeSet<RemoteId>>;

    /// The links of a connection that have one of these records as an end.
    async fn links_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<LinkRow>>;

    /// All links of a connection, by id, page by page.
    async fn links(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<LinkId>,
        limit: u64,
    ) -> Result<Vec<LinkRow>>;

    /// How many active links a connection has.
    async fn count_links(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<u64>;

    /// Begins a run of the connection whose lease is held. A run that was cut off is given back to be
    /// resumed, with a new fence.
    async fn begin_run(&self, held: &Held, run: &RunRow) -> Result<RunRow>;

    /// Notes how far the syncs of a connection are.
    async fn set_progress(
        &self,
        held: &Held,
        connection: ConnectionId,
        progress: &PerSide<SyncProgress>,
    ) -> Result<()>;

    /// Ends a run, and moves what was planned up to. Plans of its connection that are still being
    /// built are removed with their items, but for its own if it did not fail. True if another run
    /// was asked for meanwhile.
    async fn finish_run(&self, held: &Held, end: &RunEnd) -> Result<bool>;

    /// The runs of a connection, newest first.
    async fn runs(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        limit: u64,
    ) -> Result<Vec<RunRow>>;

    /// The newest run of a connection that finished and read everything that changed: one that no
    /// notification woke.
    async fn last_full_run(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<RunRow>>;

    /// Writes ops into the journal before they are sent. An op whose intent is held by another is not
    /// written; those are given back.
    async fn journal(
        &self,
        held: &Held,
        ops: &[OpRow],
        intents: &[Intent],
    ) -> Result<BTreeSet<OpId>>;

    /// Notes that ops are being sent: from here on their outcome is unknown until it is settled.
    async fn mark_sent(&self, held: &Held, ops: &BTreeSet<OpId>, at: Timestamp) -> Result<()>;

    /// Writes what became of ops of the connection whose lease is held, with everything that follows
    /// from it. How long a record has had its outcome is kept while that stays the same; once all is
    /// well with the record, nothing is kept. Issues that go on are counted, and those that are not
    /// listed any more are over.
    async fn settle(&self, held: &Held, settlement: &Settlement) -> Result<()>;

    /// The ops of a connection that are not settled, oldest first.
    async fn open_ops(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<OpRow>>;

    /// The ops of a connection, by id, page by page: the history of everything that was sent.
    async fn ops(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<OpId>,
        limit: u64,
    ) -> Result<Vec<OpRow>>;

    /// What was applied for a connection since a time, as the brake counts it. What was sent to a
    /// side until the end of its first run counts as done in one; everything does, where that has
    /// not ended.
    async fn applied_since(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        since: Timestamp,
        first_run_ends: &PerSide<Option<Timestamp>>,
    ) -> Result<planner::History>;

    /// The creates of a connection whose outcome is unknown, and those that once were and are due to
    /// be looked for again.
    async fn doubtful_intents(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Intent>>;

    /// The records of a connection that wait and are due.
    async fn due_pending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Pending>>;

    /// All records of a connection that wait.
    async fn pending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<Pending>>;

    /// When the next hint, intent or waiting record of a connection is due.
    async fn next_due(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<Timestamp>>;
}
