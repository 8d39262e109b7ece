//! Feeds, and what was seen in them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{AccountId, FeedId, WorkspaceId};
use crate::planner::{Key, Presence, Seen};
use crate::record::{ObjectName, Record, RecordName, RemoteId};

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

/// A page of a feed, as it was read.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The feed.
    pub feed: FeedId,
    /// What was read.
    pub records: Vec<Observed>,
    /// How far the feed is read with it; none leaves the cursor as it is.
    pub step: Option<Step>,
    /// Hints that this page answers.
    pub answered: BTreeSet<RemoteId>,
    /// Of those only what was due by then: a record that was hinted at again meanwhile is read again.
    pub answered_up_to: Timestamp,
}

impl Observation {
    /// What was read of some records: it moves no cursor, and answers no hints.
    #[must_use]
    pub fn of(feed: FeedId, records: Vec<Observed>) -> Self {
        let (answered, answered_up_to) = (BTreeSet::new(), Timestamp::MIN);
        Self { feed, records, step: None, answered, answered_up_to }
    }
}

/// A move of a feed's cursor. Nothing happens if it stands elsewhere by now: whoever moved it has read
/// what is before that, and goes on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it was when the page was asked for.
    pub from: Option<String>,
    /// Where the next read goes on.
    pub to: String,
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
    /// What it is now, if it has left and its app tells.
    pub became: Option<RecordName>,
    /// The keys it carries.
    pub keys: BTreeSet<Key>,
    /// A fingerprint of what is compared: equal means that nothing changed.
    pub hash: [u8; 32],
    /// While more is read of records than before: the fingerprint of what was. Known as that, nothing
    /// changed either.
    pub former_hash: Option<[u8; 32]>,
    /// The last change of the feed that was known when it was asked for, or of the record when our own
    /// write was laid over it. What is stored by a later one, and says otherwise, stays; the record is
    /// looked at again.
    pub as_of: u64,
    /// When it was asked for, or written.
    pub at: Timestamp,
}

impl Observed {
    /// Whether nothing that is compared changed since a record was seen with this fingerprint, and with
    /// the same presence.
    pub(in crate::store) fn is_as(&self, hash: &[u8]) -> bool {
        self.hash == hash || self.former_hash.is_some_and(|former| former == hash)
    }

    /// What a record that has left is now: what was told of it once stays known.
    pub(in crate::store) fn now(&self, known: Option<&RecordName>) -> Option<RecordName> {
        let has_left = self.presence == Presence::Left;
        self.became.as_ref().or(known).filter(|_| has_left).cloned()
    }
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
