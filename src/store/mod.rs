//! What is remembered: accounts, observations, links, runs, plans, the journal, what came by
//! webhook, who was sent to an app to give consent, and the answers to requests that may be sent again.
//!
//! The store knows no app and decides nothing. Each method is one transaction: it happens wholly or
//! not at all. Everything is scoped by workspace. What changes anything on behalf of a run names the
//! lease under which it does so, and is refused once that lease is lost ([`Error::Fenced`]).

mod api;
mod authorization;
mod error;
mod history;
mod idempotency;
mod key;
mod memory;
mod rows;
mod sql;
mod usage;
mod webhooks;

pub use api::{Result, Store};
pub use authorization::AuthorizationRequests;
pub use error::Error;
pub use history::History;
pub use idempotency::Idempotency;
pub use key::KeyHash;
pub use memory::MemoryStore;
pub use rows::{
    Account, AccountId, AccountStatus, AuthorizationRequest, Claim, Claimed, Connection,
    ConnectionFeed, ConnectionId, CutOff, Delivery, DeliveryEnd, DeliveryId, DeliveryState,
    Description, DraftRow, End, Endpoint, EndpointId, EndpointState, Feed, FeedId, Held, Intent,
    IntentState, IssueId, IssueRow, IssuesOf, LeaseKey, LeaseKind, LinkId, LinkRow, NewIssue, NoId,
    Observation, Observed, OpFilter, OpId, OpRow, OpState, OutcomeFilter, OwnWrite, Pending,
    PendingReason, PlanItem, PlanRow, PlanState, RecordOutcome, RegistrationRow, RunEnd, RunId,
    RunKind, RunRow, RunState, Sealed, SeenRow, Settlement, Step, SyncProgress, ToldLeft, Trigger,
    UsageHour, Workspace, WorkspaceId,
};

pub use sql::{CopiedTable, CopyError, Found, Served, SqlStore, copy};
pub use usage::Usage;
pub use webhooks::Webhooks;
