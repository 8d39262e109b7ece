//! The journal: what is to be written, what became of it, and what follows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AccountId, ConnectionId, End, FeedId, IssuesOf, LinkRow, Observed, OpId, Pending,
    RecordOutcome, RunId,
};
use crate::planner::{Key, Link, Op};
use crate::record::RemoteId;

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
    /// The record that it was done to; for a create none until the app has named it.
    pub target: Option<RemoteId>,
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

/// Which ops are asked for; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpFilter {
    /// Those of this run.
    pub run: Option<RunId>,
    /// Those that were done to records of these feeds; of all, if none is named.
    pub feeds: BTreeSet<FeedId>,
    /// Those that were done to the record that has this id in its app.
    pub record: Option<RemoteId>,
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
    /// The records that ops were done to, as the app named them.
    pub targets: BTreeMap<OpId, RemoteId>,
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
    /// How records stand now. Of two for one record the last counts.
    pub outcomes: Vec<RecordOutcome>,
    /// What a person should look at of records: all of it that is still so, for each record named.
    pub issues: Vec<IssuesOf>,
}

impl Settlement {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
            && self.targets.is_empty()
            && self.links.is_empty()
            && self.written.is_empty()
            && self.pending.is_empty()
            && self.cleared.is_empty()
            && self.intents.is_empty()
            && self.closed.is_empty()
            && self.doubtful.is_empty()
            && self.hints.is_empty()
            && self.outcomes.is_empty()
            && self.issues.is_empty()
    }
}
