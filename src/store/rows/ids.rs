//! Ids, and leases, which are named by them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is no id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind: one begins with {0}_")]
pub struct NoId(&'static str);

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

        impl FromStr for $name {
            type Err = NoId;

            fn from_str(text: &str) -> Result<Self, NoId> {
                let bare = text.strip_prefix(concat!($prefix, "_")).ok_or(NoId($prefix))?;
                Uuid::try_parse(bare).map(Self).map_err(|_| NoId($prefix))
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
id!(
    /// Something of a record that a person should look at, from its first sight to its end.
    IssueId,
    "iss"
);
id!(
    /// The address at which an account's app posts notifications.
    EndpointId,
    "end"
);
id!(
    /// One request that came to an endpoint.
    DeliveryId,
    "dlv"
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

impl Held {
    /// The connection that is run under this lease.
    pub(crate) fn connection(&self) -> ConnectionId {
        ConnectionId(self.key.subject)
    }
}
