//! Workspaces, their accounts, and what is kept of an account.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, WorkspaceId};
use crate::record::{ObjectName, Schema};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name for people; no two have the same.
    pub name: String,
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
    /// Where it is reached: a host or a data centre, in the app's words.
    pub host: String,
    /// The address of the person who connected it.
    pub owner_email: Option<String>,
    /// The address of the user who is to have connected it, if a person said so.
    pub expected_email: Option<String>,
    /// Its country, in two letters.
    pub region: Option<String>,
    /// Its time zone, by its name in the IANA database.
    pub time_zone: Option<String>,
    /// How many credits it has in the time that its app counts them in.
    pub allowance: Option<u64>,
    /// How it stands.
    pub status: AccountStatus,
    /// When it was connected first.
    pub connected_at: Timestamp,
}

impl Account {
    /// A connected account of which no more is known than who it is.
    #[must_use]
    pub fn new(
        workspace: WorkspaceId,
        id: AccountId,
        app: impl Into<String>,
        remote_id: impl Into<String>,
        connected_at: Timestamp,
    ) -> Self {
        Self {
            workspace,
            id,
            app: app.into(),
            environment: String::new(),
            remote_id: remote_id.into(),
            label: String::new(),
            host: String::new(),
            owner_email: None,
            expected_email: None,
            region: None,
            time_zone: None,
            allowance: None,
            status: AccountStatus::Connected,
            connected_at,
        }
    }
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountStatus {
    /// Its credentials were good when they were last used.
    Connected,
    /// The app takes its credentials no more: a person must give new ones. It keeps its place.
    NeedsReconnecting {
        /// The code of the error that says why.
        code: String,
        /// When that was found out.
        since: Timestamp,
    },
    /// A person took it away. What was seen in it stays; its credentials are gone, and another may
    /// have its place.
    Disconnected {
        /// When.
        since: Timestamp,
    },
}

impl AccountStatus {
    /// Whether a person took the account away.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        matches!(self, Self::Disconnected { .. })
    }
}

/// The credentials of an account as they are kept. The store has no key to them.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// How often the account was given credentials. It only grows.
    pub generation: u64,
    /// The credentials, encrypted.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// What an account says of itself, as last read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The fields of its objects.
    pub schemas: BTreeMap<ObjectName, Schema>,
    /// Its users: the id of each by the normal form of their e-mail address.
    pub users: BTreeMap<String, String>,
    /// When it was read.
    pub described_at: Timestamp,
}

/// What an account was asked in an hour, by all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageHour {
    /// When the hour began.
    pub began_at: Timestamp,
    /// Requests that were sent.
    pub calls: u64,
    /// Answers that asked for a pause.
    pub pauses: u64,
    /// How long answers were waited for that came.
    pub took: Duration,
    /// What the requests cost, in the app's credits.
    pub credits: u64,
    /// What the app said last of the credits that are left, if it said anything in this hour.
    pub told: Option<ToldLeft>,
}

/// What an app said of the credits that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldLeft {
    /// When it was written down.
    pub at: Timestamp,
    /// How many are left; none if they are enough that it does not tell.
    pub left: Option<u64>,
}

impl UsageHour {
    /// An hour in which nothing was asked yet.
    #[must_use]
    pub fn new(began_at: Timestamp) -> Self {
        Self { began_at, calls: 0, pauses: 0, took: Duration::ZERO, credits: 0, told: None }
    }

    /// Adds what else was asked in the same hour. What was said last stands, and what was not said
    /// changes nothing.
    pub fn add(&mut self, more: &Self) {
        self.calls += more.calls;
        self.pauses += more.pauses;
        self.took += more.took;
        self.credits += more.credits;
        let at = |hour: &Self| hour.told.map(|told| told.at);
        if more.told.is_some() && at(more) >= at(self) {
            self.told = more.told;
        }
    }
}
