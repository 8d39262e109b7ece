//! What is remembered: accounts, observations, links, runs and the journal.
//!
//! The store knows no app and decides nothing. Each method is one transaction: it happens wholly or
//! not at all. Everything is scoped by workspace. What changes anything on behalf of a run names the
//! lease under which it does so, and is refused once that lease is lost ([`Error::Fenced`]).

mod api;
mod error;
mod key;
mod memory;
mod rows;
mod sql;

pub use api::{Result, Store};
pub use error::Error;
pub use key::KeyHash;
pub use memory::MemoryStore;
pub use rows::{
    Account, AccountId, AccountStatus, Connection, ConnectionFeed, ConnectionId, Description, End,
    Feed, FeedId, Held, Intent, IntentState, LeaseKey, LeaseKind, LinkId, LinkRow, Observation,
    Observed, OpId, OpRow, OpState, OwnWrite, Pending, PendingReason, RunEnd, RunId, RunRow,
    RunState, Sealed, SeenRow, Settlement, SyncProgress, Trigger, Workspace, WorkspaceId,
};

pub use sql::SqlStore;
