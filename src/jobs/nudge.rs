//! What a job says.

use serde::{Deserialize, Serialize};

use super::lane::Lane;
use crate::store::{ConnectionId, Trigger, WorkspaceId};

/// A connection to be looked at, and why. All that a job in the queue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudge {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The connection.
    pub connection: ConnectionId,
    /// Why.
    pub trigger: Trigger,
}

impl Nudge {
    /// One nudge for two of the same connection: whoever asked with more weight is named.
    pub(super) fn or(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    /// A person waits for the answer; an app said that something changed; the others only look.
    fn weight(self) -> u8 {
        match self.trigger {
            Trigger::Person => 3,
            Trigger::Webhook => 2,
            Trigger::Again => 1,
            Trigger::Schedule => 0,
        }
    }

    /// Whether it goes before others in its lane.
    pub(super) fn is_urgent(self) -> bool {
        self.trigger == Trigger::Person
    }

    /// Where it waits: two of one place are one.
    pub(super) fn place(self) -> (ConnectionId, Lane) {
        (self.connection, self.lane())
    }

    /// The lane that it takes.
    pub(super) fn lane(self) -> Lane {
        match self.trigger {
            Trigger::Webhook => Lane::Hooks,
            Trigger::Person | Trigger::Again | Trigger::Schedule => Lane::Runs,
        }
    }
}
