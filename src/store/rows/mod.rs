//! The rows of the store, as the rest of the house sees them.

mod account;
mod authorization;
mod connection;
mod draft;
mod feed;
mod idempotency;
mod ids;
mod issue;
mod journal;
mod link;
mod outcome;
mod plan;
mod run;
mod webhook;

pub use account::{Account, AccountStatus, Description, Sealed, ToldLeft, UsageHour, Workspace};
pub use authorization::{AuthorizationRequest, RegistrationRow};
pub use connection::{Connection, ConnectionFeed, SyncProgress};
pub use draft::DraftRow;
pub use feed::{Feed, Observation, Observed, SeenRow, Step};
pub(crate) use idempotency::KeptRequest;
pub use idempotency::{Claim, Claimed};
pub use ids::{
    AccountId, ConnectionId, DeliveryId, EndpointId, FeedId, Held, IssueId, LeaseKey, LeaseKind,
    LinkId, NoId, OpId, RunId, WorkspaceId,
};
pub use issue::{IssueRow, IssuesOf, NewIssue};
pub use journal::{Intent, IntentState, OpFilter, OpRow, OpState, OwnWrite, Settlement};
pub use link::{End, LinkRow, Pending, PendingReason};
pub use outcome::{OutcomeFilter, RecordOutcome};
pub use plan::{PlanItem, PlanRow, PlanState};
pub use run::{CutOff, RunEnd, RunKind, RunRow, RunState, Trigger};
pub use webhook::{Delivery, DeliveryEnd, DeliveryState, Endpoint, EndpointState};
