//! The rows of the store, as the rest of the house sees them.

mod account;
mod connection;
mod feed;
mod ids;
mod journal;
mod link;
mod run;

pub use account::{Account, AccountStatus, Description, Sealed, Workspace};
pub use connection::{Connection, ConnectionFeed, SyncProgress};
pub use feed::{Feed, Observation, Observed, SeenRow};
pub use ids::{
    AccountId, ConnectionId, FeedId, Held, LeaseKey, LeaseKind, LinkId, OpId, RunId, WorkspaceId,
};
pub use journal::{Intent, IntentState, OpRow, OpState, OwnWrite, Settlement};
pub use link::{End, LinkRow, Pending, PendingReason};
pub use run::{RunEnd, RunRow, RunState, Trigger};
