//! Feeds, and what was seen in them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{AccountId, FeedId, WorkspaceId};
use crate::planner::{Key, Presence, Seen};
use crate::record::{ObjectName, Record, RemoteId};

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
    /// Where the next read goes on; none leaves the cursor as it is.
    pub cursor: Option<String>,
    /// Hints that this page answers.
    pub answered: BTreeSet<RemoteId>,
    /// Of those only what was due by then: a record that was hinted at again meanwhile is read again.
    pub answered_up_to: Timestamp,
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
    /// The same fingerprint of the fields that were read until now, where more are read from now on:
    /// what is new to us only is no change.
    pub narrow_hash: Option<[u8; 32]>,
}

impl Observed {
    /// Whether what is compared is as it was when a record got this fingerprint.
    pub(crate) fn is_same(&self, before: &[u8]) -> bool {
        self.hash == before || self.narrow_hash.is_some_and(|narrow| narrow == before)
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
