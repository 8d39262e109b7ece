//! What comes by webhook: each method is one transaction.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqlStore, commit, delivery, endpoint};
use crate::store::{
    AccountId, Delivery, DeliveryEnd, DeliveryId, DeliveryState, Endpoint, EndpointId, Result,
    Webhooks, WorkspaceId,
};

#[async_trait]
impl Webhooks for SqlStore {
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        let tx = self.write().await?;
        endpoint::add(&tx, endpoint).await?;
        commit(tx, ()).await
    }

    async fn endpoint_at(&self, id: EndpointId) -> Result<Option<Endpoint>> {
        endpoint::at(&self.db, id).await
    }

    async fn endpoint_of(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Option<Endpoint>> {
        endpoint::of_account(&self.db, workspace, account).await
    }

    async fn endpoints(&self, workspace: WorkspaceId) -> Result<Vec<Endpoint>> {
        endpoint::all(&self.db, workspace).await
    }

    async fn save_endpoint(&self, endpoint: &Endpoint, seen: u32) -> Result<()> {
        let tx = self.write().await?;
        endpoint::save(&tx, endpoint, seen).await?;
        commit(tx, ()).await
    }

    async fn add_delivery(
        &self,
        workspace: WorkspaceId,
        delivery: &Delivery,
    ) -> Result<DeliveryId> {
        let tx = self.write().await?;
        let id = delivery::add(&tx, workspace, delivery).await?;
        commit(tx, id).await
    }

    async fn due_deliveries(
        &self,
        workspace: WorkspaceId,
        endpoint: EndpointId,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<Delivery>> {
        delivery::due(&self.db, workspace, endpoint, now, limit).await
    }

    async fn due_endpoints(&self, now: Timestamp) -> Result<Vec<(WorkspaceId, EndpointId)>> {
        delivery::due_endpoints(&self.db, now).await
    }

    async fn settle_delivery(
        &self,
        workspace: WorkspaceId,
        id: DeliveryId,
        received_at: Timestamp,
        end: &DeliveryEnd,
    ) -> Result<bool> {
        let tx = self.write().await?;
        let is_settled = delivery::settle(&tx, workspace, id, received_at, end).await?;
        commit(tx, is_settled).await
    }

    async fn deliveries_before(
        &self,
        workspace: WorkspaceId,
        endpoint: Option<EndpointId>,
        state: Option<DeliveryState>,
        before: Option<DeliveryId>,
        limit: u64,
    ) -> Result<Vec<Delivery>> {
        delivery::before(&self.db, workspace, endpoint, state, before, limit).await
    }

    async fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Result<Delivery> {
        delivery::get(&self.db, workspace, id).await
    }

    async fn replay_delivery(
        &self,
        workspace: WorkspaceId,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<Delivery> {
        let tx = self.write().await?;
        let replayed = delivery::replay(&tx, workspace, id, now).await?;
        commit(tx, replayed).await
    }

    async fn replay_deliveries(
        &self,
        workspace: WorkspaceId,
        endpoint: EndpointId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u64> {
        let tx = self.write().await?;
        let replayed = delivery::replay_since(&tx, workspace, endpoint, since, now).await?;
        commit(tx, replayed).await
    }

    async fn forget_deliveries(
        &self,
        state: DeliveryState,
        before: Timestamp,
        limit: u64,
    ) -> Result<u64> {
        let tx = self.write().await?;
        let forgotten = delivery::forget(&tx, state, before, limit).await?;
        commit(tx, forgotten).await
    }
}
