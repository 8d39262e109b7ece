//! The rows of the store, as the rest of the house sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::planner::{Key, Link, Op, Presence, Report, Seen, Settings};
use crate::record::{ObjectName, PerSide, Record, RemoteId, Side};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }
    };
}

id!(
    /// A workspace: a tenant. Nothing crosses it.
    WorkspaceId,
    "ws"
);
id!(
    /// An authorised account in an app.
    AccountId,
    "acc"
);
id!(
    /// Two accounts kept the same.
    ConnectionId,
    "con"
);
id!(
    /// An account's object, in a collection or not. Connections share it.
    FeedId,
    "fed"
);
id!(
    /// The lasting pairing of two records.
    LinkId,
    "lnk"
);
id!(
    /// One execution of a connection.
    RunId,
    "run"
);
id!(
    /// One intended write, in the journal.
    OpId,
    "op"
);

/// What a lease is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseKind {
    /// Running a connection.
    Connection,
    /// Speaking to an account, and refreshing its tokens.
    Account,
}

impl LeaseKind {
    /// Its name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Account => "account",
        }
    }
}

/// The name of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseKey {
    /// The workspace of its subject.
    pub workspace: WorkspaceId,
    /// What it is about.
    pub kind: LeaseKind,
    /// The connection or account.
    pub subject: Uuid,
}

/// A lease that was taken. Every write names it; a newer fence makes it worthless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lease.
    pub key: LeaseKey,
    /// Its fence: it only grows.
    pub fence: u64,
}

/// An authorised account in an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: AccountId,
    /// The app's slug.
    pub app: String,
    /// Production or sandbox, in the app's words.
    pub environment: String,
    /// Its id in the app.
    pub remote_id: String,
    /// Its name for people.
    pub label: String,
}

/// An account's object, in a collection or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: FeedId,
    /// The account.
    pub account: AccountId,
    /// The object.
    pub object: ObjectName,
    /// The collection; empty for none.
    pub collection: String,
    /// Where the next read goes on, in the connector's words; none before the first.
    pub cursor: Option<String>,
    /// The number of the last change that was seen in it.
    pub last_change: u64,
}

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
    /// Whether its first run is done.
    pub is_first_run_done: bool,
    /// For a NEW_ONLY sync: the change number of each feed when it began. What has not changed since
    /// was there before.
    pub baseline: Option<BTreeMap<FeedId, u64>>,
}

/// A page of a feed, as it was read.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The feed.
    pub feed: FeedId,
    /// What was read.
    pub records: Vec<Observed>,
    /// Where the next read goes on; none leaves the cursor as it is.
    pub cursor: Option<String>,
    /// Hints that this page answers.
    pub answered: BTreeSet<RemoteId>,
}

/// One record of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Its id.
    pub id: RemoteId,
    /// What it is now: read, gone with proof, or out of reach.
    pub presence: Presence,
    /// What was read of it; none if it could not be read.
    pub record: Option<Record>,
    /// The keys it carries.
    pub keys: BTreeSet<Key>,
    /// A fingerprint of what is compared: equal means that nothing changed.
    pub hash: [u8; 32],
}

/// A record as last observed.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenRow {
    /// Its feed.
    pub feed: FeedId,
    /// The number of its last change.
    pub change: u64,
    /// What was seen.
    pub seen: Seen,
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct End {
    /// The feed of the record.
    pub feed: FeedId,
    /// The record.
    pub id: RemoteId,
}

/// A link with its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRow {
    /// Its id.
    pub id: LinkId,
    /// Its connection.
    pub connection: ConnectionId,
    /// Its ends.
    pub ends: PerSide<End>,
    /// What is remembered.
    pub link: Link,
}

/// Why a run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// The schedule.
    Schedule,
    /// A webhook.
    Webhook,
    /// A person.
    Person,
    /// Another run asked for it.
    Again,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// It goes on, or was cut off and will be resumed.
    Running,
    /// It is done.
    Finished,
    /// It was stopped by an error.
    Failed,
}

/// One execution of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Its connection.
    pub connection: ConnectionId,
    /// Why it began.
    pub trigger: Trigger,
    /// How it stands.
    pub state: RunState,
    /// The configuration version that it runs with.
    pub version: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it came to.
    pub report: Report,
    /// The code of the error that stopped it.
    pub error: Option<String>,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The run.
    pub id: RunId,
    /// Its connection.
    pub connection: ConnectionId,
    /// How it ended.
    pub state: RunState,
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub report: Report,
    /// The code of the error that stopped it.
    pub error: Option<String>,
    /// What was planned up to; left as it is for feeds that are not named.
    pub planned_to: BTreeMap<FeedId, u64>,
    /// How far each sync is now.
    pub progress: PerSide<SyncProgress>,
}

/// How a journalled op stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpState {
    /// Written down, not sent.
    Planned,
    /// Sent; the answer is not settled. After a crash nobody knows.
    Sent,
    /// The answer did not come or could not be understood.
    Unknown,
    /// The app did it.
    Applied,
    /// The app refused it.
    Rejected,
    /// It was never sent, or what became of it was found out otherwise.
    Dropped,
}

impl OpState {
    /// Whether it is still to be settled.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Sent | Self::Unknown)
    }
}

/// One intended write, in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct OpRow {
    /// Its id.
    pub id: OpId,
    /// The run that planned it.
    pub run: RunId,
    /// Its connection.
    pub connection: ConnectionId,
    /// The account that is written.
    pub account: AccountId,
    /// The feed that is written.
    pub feed: FeedId,
    /// The record that it comes from.
    pub source: Option<End>,
    /// The fingerprint of its item.
    pub item: String,
    /// What is to be written, and why.
    pub op: Op,
    /// The link as it will be once its item is written: should the answer get lost, its bases tell
    /// what people changed since.
    pub planned: Option<Link>,
    /// How it stands.
    pub state: OpState,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// The code of the error it came to.
    pub error: Option<String>,
}

/// How an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Its create is being sent.
    Open,
    /// Nobody knows whether the record was made: it is looked for.
    Unknown,
    /// Settled one way or the other; its keys are free.
    Closed,
}

/// The intention to make a record. Its keys are unique in the account while it is not closed, so that
/// nobody makes the same person twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The op that makes it.
    pub op: OpId,
    /// Its connection.
    pub connection: ConnectionId,
    /// The feed in which it is made.
    pub feed: FeedId,
    /// The record that it comes from.
    pub source: End,
    /// What the new record will be recognised by.
    pub keys: BTreeSet<Key>,
    /// How it stands.
    pub state: IntentState,
    /// When it was sent first.
    pub sent_at: Option<Timestamp>,
    /// When it is to be looked for next.
    pub resolve_at: Option<Timestamp>,
    /// How often it was looked for.
    pub attempts: u32,
}

/// Why a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingReason {
    /// A write failed and will be tried again.
    Failed,
    /// The app refused it: it waits for the record to change.
    Refused,
    /// Several records could be its partner.
    Ambiguous,
    /// Nobody said whose value stands.
    Conflict,
    /// The brake holds it.
    Brake,
    /// Its create has an unknown outcome, or another makes the same person.
    Unknown,
}

impl PendingReason {
    /// Its name in counts and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Ambiguous => "ambiguous",
            Self::Conflict => "conflict",
            Self::Brake => "brake",
            Self::Unknown => "unknown",
        }
    }
}

/// A record whose plan did not settle.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The connection.
    pub connection: ConnectionId,
    /// The record.
    pub end: End,
    /// The side it is on.
    pub side: Side,
    /// Why it waits.
    pub reason: PendingReason,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is due; none waits for the record, the mapping or a person.
    pub next_at: Option<Timestamp>,
}

/// What our own write made of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnWrite {
    /// The feed.
    pub feed: FeedId,
    /// The record as it is now believed to be.
    pub observed: Observed,
}

/// What became of ops, with everything that follows from it.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// Ops with their new state and error code.
    pub ops: BTreeMap<OpId, (OpState, Option<String>)>,
    /// Links as they are now; new ones are added.
    pub links: Vec<LinkRow>,
    /// Records that we wrote.
    pub written: Vec<OwnWrite>,
    /// Records that wait.
    pub pending: Vec<Pending>,
    /// Records that wait no more.
    pub cleared: BTreeSet<(ConnectionId, End)>,
    /// Intents as they are now.
    pub intents: Vec<Intent>,
    /// Intents that are closed, by their op: theirs was never sent.
    pub closed: BTreeSet<OpId>,
    /// Intents that are in doubt, by their op, with when they are to be looked for first.
    pub doubtful: BTreeMap<OpId, Timestamp>,
    /// Records to be looked at again.
    pub hints: Vec<(End, Timestamp)>,
}

impl Settlement {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
            && self.links.is_empty()
            && self.written.is_empty()
            && self.pending.is_empty()
            && self.cleared.is_empty()
            && self.intents.is_empty()
            && self.closed.is_empty()
            && self.doubtful.is_empty()
            && self.hints.is_empty()
    }
}
