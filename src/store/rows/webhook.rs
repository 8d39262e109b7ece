//! What comes by webhook: the addresses at which apps post, and what they posted.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, DeliveryId, EndpointId, WorkspaceId};
use crate::record::ObjectName;

/// The least time that all stores tell apart.
const TICK: Duration = Duration::from_micros(1);

/// The address at which one account's app posts notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The account; no two of them have the same.
    pub account: AccountId,
    /// Which of its secrets is in force; grows when the address is replaced.
    pub generation: u32,
    /// Whether the app posts here.
    pub state: EndpointState,
    /// How the app names the registration, where it does.
    pub remote_id: Option<String>,
    /// The objects that the app tells of.
    pub objects: BTreeSet<ObjectName>,
    /// Since when the app posts here without a gap, as far as is known.
    pub registered_at: Option<Timestamp>,
    /// When the app forgets the registration; none where it never does.
    pub expires_at: Option<Timestamp>,
    /// When something came last.
    pub last_delivery_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Endpoint {
    /// An endpoint that no app knows of yet.
    #[must_use]
    pub fn new(
        id: EndpointId,
        workspace: WorkspaceId,
        account: AccountId,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            workspace,
            account,
            generation: 1,
            state: EndpointState::NotRegistered,
            remote_id: None,
            objects: BTreeSet::new(),
            registered_at: None,
            expires_at: None,
            last_delivery_at: None,
            created_at,
        }
    }
}

/// Whether an app posts to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// The app does not know of it: it is told once a running connection needs it.
    NotRegistered,
    /// A person had it unregistered: the app is not told until a person registers it.
    Unregistered,
    /// The app posts here.
    Registered,
    /// The app switched it off.
    Disabled,
    /// It could not be registered, with the code of the error that says why.
    Failed(String),
}

/// One request that came to an endpoint, stored raw.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The account of the endpoint.
    pub account: AccountId,
    /// When it came last.
    pub received_at: Timestamp,
    /// A hash of the body (blake3): what comes again touches its hints again, and is stored once.
    pub fingerprint: [u8; 32],
    /// How often it came.
    pub times: u32,
    /// What the body is said to be, as a media type.
    pub content_type: String,
    /// As it came, sealed: it holds people's data. The store has no key to it.
    pub body: Vec<u8>,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried in vain since it came last, or was replayed.
    pub attempts: u32,
    /// When it is to be expanded; none once it is settled.
    pub next_at: Option<Timestamp>,
    /// Why the last attempt failed; a code, never people's data.
    pub error: Option<String>,
    /// How many records it named.
    pub hints: u32,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .field("received_at", &self.received_at)
            .field("times", &self.times)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("next_at", &self.next_at)
            .field("error", &self.error)
            .field("hints", &self.hints)
            .finish_non_exhaustive()
    }
}

impl Delivery {
    /// The delivery after it came again: it is to be expanded again, at once. It counts as received
    /// later than before whatever the clocks say, so that no attempt at the one before settles it.
    pub(crate) fn come_again(self, at: Timestamp) -> Self {
        let after = self.received_at.checked_add(TICK).unwrap_or(Timestamp::MAX);
        Self { received_at: at.max(after), times: self.times.saturating_add(1), ..self.untried(at) }
    }

    /// The delivery as one that was never tried.
    pub(crate) fn untried(self, at: Timestamp) -> Self {
        Self { state: DeliveryState::Received, attempts: 0, next_at: Some(at), error: None, ..self }
    }

    /// The delivery after an attempt to expand it.
    pub(crate) fn settled(self, end: &DeliveryEnd) -> Self {
        let failed = self.attempts.saturating_add(1);
        match end {
            DeliveryEnd::Expanded { hints } => Self {
                state: DeliveryState::Expanded,
                next_at: None,
                error: None,
                hints: *hints,
                ..self
            },
            DeliveryEnd::Failed { error, next_at } => Self {
                state: DeliveryState::Received,
                attempts: failed,
                next_at: Some(*next_at),
                error: Some(error.clone()),
                ..self
            },
            DeliveryEnd::Parked { error } => Self {
                state: DeliveryState::Parked,
                attempts: failed,
                next_at: None,
                error: Some(error.clone()),
                ..self
            },
        }
    }
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is to be expanded into hints.
    Received,
    /// What it names is to be looked at again.
    Expanded,
    /// It could not be expanded, and is not tried again until somebody replays it.
    Parked,
}

/// What an attempt to expand a delivery came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// What it names is to be looked at again.
    Expanded {
        /// How many records it named.
        hints: u32,
    },
    /// It is tried again.
    Failed {
        /// Why; a code, never people's data.
        error: String,
        /// When it is tried again.
        next_at: Timestamp,
    },
    /// It is not tried again.
    Parked {
        /// Why; a code, never people's data.
        error: String,
    },
}
