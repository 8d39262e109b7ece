//! Links, and the records that wait.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, FeedId, LinkId};
use crate::planner::Link;
use crate::record::{PerSide, RemoteId, Side};

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
    /// Its create has an unknown outcome, and there is nothing to look for it by: a person must say.
    Doubt,
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
            Self::Doubt => "doubt",
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
