//! The trait of what comes by webhook: where apps post, and what they posted until it is expanded.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::*;

/// The part of a store that keeps endpoints and deliveries. Each store is one.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Adds an endpoint. [`Error::NotFound`](super::Error::NotFound) without its account,
    /// [`Error::Conflict`](super::Error::Conflict) if the account has one.
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<()>;

    /// The endpoint of this id, in whatever workspace: who posts names no other, and only the answer
    /// tells which it is. The only read of one row that does not name a workspace.
    async fn endpoint_at(&self, id: EndpointId) -> Result<Option<Endpoint>>;

    /// The endpoint of an account.
    async fn endpoint_of(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Option<Endpoint>>;

    /// The endpoints of a workspace, by id.
    async fn endpoints(&self, workspace: WorkspaceId) -> Result<Vec<Endpoint>>;

    /// Writes an endpoint as it is now, if its generation is still the one that was seen:
    /// [`Error::Conflict`](super::Error::Conflict) if somebody replaced its address meanwhile. Its
    /// account stays, and so does when it was made and when something came last: that is noted with
    /// each delivery.
    async fn save_endpoint(&self, endpoint: &Endpoint, seen: u32) -> Result<()>;

    /// Writes down what came to an endpoint, and that something came. If it came before (the same
    /// fingerprint at the same endpoint), that one is counted, is to be expanded again at once, and
    /// keeps its body. Gives the id that it is known by. Durable on return.
    async fn add_delivery(&self, workspace: WorkspaceId, delivery: &Delivery)
    -> Result<DeliveryId>;

    /// The deliveries of an endpoint that are to be expanded and due, oldest first.
    async fn due_deliveries(
        &self,
        workspace: WorkspaceId,
        endpoint: EndpointId,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<Delivery>>;

    /// The endpoints of all workspaces that have a delivery to be expanded and due, by workspace and
    /// id: for the sweep.
    async fn due_endpoints(&self, now: Timestamp) -> Result<Vec<(WorkspaceId, EndpointId)>>;

    /// Writes what an attempt to expand a delivery came to; `received_at` is that of the delivery as
    /// it was read. If it came again meanwhile nothing is changed, because it must be expanded again.
    /// Tells whether it was written.
    async fn settle_delivery(
        &self,
        workspace: WorkspaceId,
        id: DeliveryId,
        received_at: Timestamp,
        end: &DeliveryEnd,
    ) -> Result<bool>;

    /// The deliveries of a workspace that are older than one and fit, newest first by when they came
    /// first.
    async fn deliveries_before(
        &self,
        workspace: WorkspaceId,
        endpoint: Option<EndpointId>,
        state: Option<DeliveryState>,
        before: Option<DeliveryId>,
        limit: u64,
    ) -> Result<Vec<Delivery>>;

    /// A delivery.
    async fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Result<Delivery>;

    /// Has a delivery expanded again, as one that was never tried.
    async fn replay_delivery(
        &self,
        workspace: WorkspaceId,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<Delivery>;

    /// Has all that came to an endpoint at a time or later expanded again, as if it was never tried.
    /// Gives how many deliveries that is.
    async fn replay_deliveries(
        &self,
        workspace: WorkspaceId,
        endpoint: EndpointId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u64>;

    /// Deletes deliveries of all workspaces that are in this state and came last before a time, oldest
    /// first and at most so many. Gives how many they were.
    async fn forget_deliveries(
        &self,
        state: DeliveryState,
        before: Timestamp,
        limit: u64,
    ) -> Result<u64>;
}
