//! Endpoints and deliveries.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::history::page;
use super::state::State;
use crate::store::{
    AccountId, Delivery, DeliveryEnd, DeliveryId, DeliveryState, Endpoint, EndpointId, Error,
    Result, Webhooks, WorkspaceId,
};

#[async_trait]
impl Webhooks for MemoryStore {
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        self.transact(|state, _| state.add_endpoint(endpoint)).await
    }

    async fn endpoint_at(&self, id: EndpointId) -> Result<Option<Endpoint>> {
        self.transact(|state, _| Ok(state.endpoints.get(&id).cloned())).await
    }

    async fn endpoint_of(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Option<Endpoint>> {
        self.transact(|state, _| {
            let mut rows = state.endpoints_of(workspace);
            Ok(rows.find(|row| row.account == account).cloned())
        })
        .await
    }

    async fn endpoints(&self, workspace: WorkspaceId) -> Result<Vec<Endpoint>> {
        self.transact(|state, _| Ok(state.endpoints_of(workspace).cloned().collect())).await
    }

    async fn save_endpoint(&self, endpoint: &Endpoint, seen: u32) -> Result<()> {
        self.transact(|state, _| state.save_endpoint(endpoint, seen)).await
    }

    async fn add_delivery(
        &self,
        workspace: WorkspaceId,
        delivery: &Delivery,
    ) -> Result<DeliveryId> {
        self.transact(|state, _| state.add_delivery(workspace, delivery)).await
    }

    async fn due_deliveries(
        &self,
        workspace: WorkspaceId,
        endpoint: EndpointId,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<Delivery>> {
        self.transact(|state, _| {
            let mut rows: Vec<&Delivery> = state
                .deliveries
                .iter()
                .filter(|((ws, _), row)| *ws == workspace && row.endpoint == endpoint)
                .filter(|(_, row)| is_due(row, now))
                .map(|(_, row)| row)
                .collect();
            rows.sort_by_key(|row| (row.received_at, row.id));
            Ok(page(rows.into_iter(), limit))
        })
        .await
    }

    async fn due_endpoints(&self, now: Timestamp) -> Result<Vec<(WorkspaceId, EndpointId)>> {
        self.transact(|state, _| {
            let rows = state.deliveries.iter().filter(|(_, row)| is_due(row, now));
            let mut due: Vec<(WorkspaceId, EndpointId)> =
                rows.map(|((workspace, _), row)| (*workspace, row.endpoint)).collect();
            due.sort();
            due.dedup();
            Ok(due)
        })
        .await
    }

    async fn settle_delivery(
        &self,
        workspace: WorkspaceId,
        id: DeliveryId,
        received_at: Timestamp,
        end: &DeliveryEnd,
    ) -> Result<bool> {
        self.transact(|state, _| {
            let row = state.delivery_mut(workspace, id)?;
            if row.received_at > received_at {
                return Ok(false);
            }
            *row = row.clone().settled(end);
            Ok(true)
        })
        .await
    }

    async fn deliveries_before(
        &self,
        workspace: WorkspaceId,
        endpoint: Option<EndpointId>,
        state: Option<DeliveryState>,
        before: Option<DeliveryId>,
        limit: u64,
    ) -> Result<Vec<Delivery>> {
        let fits = |row: &Delivery| {
            endpoint.is_none_or(|endpoint| row.endpoint == endpoint)
                && state.is_none_or(|state| row.state == state)
                && before.is_none_or(|before| row.id < before)
        };
        self.transact(|state, _| {
            let rows = state.deliveries.iter().rev();
            let rows = rows.filter(|((ws, _), row)| *ws == workspace && fits(row));
            Ok(page(rows.map(|(_, row)| row), limit))
        })
        .await
    }

    async fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Result<Delivery> {
        self.transact(|state, _| state.delivery_mut(workspace, id).cloned()).await
    }

    async fn replay_delivery(
        &self,
        workspace: WorkspaceId,
        id: DeliveryId,
        now: Timestamp,
    ) -> Result<Delivery> {
        self.transact(|state, _| {
            let row = state.delivery_mut(workspace, id)?;
            *row = row.clone().untried(now);
            Ok(row.clone())
        })
        .await
    }

    async fn replay_deliveries(
        &self,
        workspace: WorkspaceId,
        endpoint: EndpointId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u64> {
        self.transact(|state, _| {
            let all = state.deliveries.iter_mut().filter(|((at, _), row)| {
                *at == workspace && row.endpoint == endpoint && row.received_at >= since
            });
            let mut replayed = 0;
            for (_, row) in all {
                *row = row.clone().untried(now);
                replayed += 1;
            }
            Ok(replayed)
        })
        .await
    }

    async fn forget_deliveries(
        &self,
        state: DeliveryState,
        before: Timestamp,
        limit: u64,
    ) -> Result<u64> {
        self.transact(|known, _| Ok(known.forget_deliveries(state, before, limit))).await
    }
}

/// Whether a delivery is to be expanded now.
fn is_due(row: &Delivery, now: Timestamp) -> bool {
    row.state == DeliveryState::Received && row.next_at.is_some_and(|at| at <= now)
}

impl State {
    fn add_endpoint(&mut self, endpoint: &Endpoint) -> Result<()> {
        self.account(endpoint.workspace, endpoint.account)?;
        let has_one =
            self.endpoints_of(endpoint.workspace).any(|row| row.account == endpoint.account);
        if has_one || self.endpoints.contains_key(&endpoint.id) {
            return Err(Error::Conflict);
        }
        self.endpoints.insert(endpoint.id, endpoint.clone());
        Ok(())
    }

    fn endpoints_of(&self, workspace: WorkspaceId) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.values().filter(move |row| row.workspace == workspace)
    }

    fn endpoint_mut(&mut self, workspace: WorkspaceId, id: EndpointId) -> Result<&mut Endpoint> {
        let row = self.endpoints.get_mut(&id).filter(|row| row.workspace == workspace);
        row.ok_or(Error::NotFound("endpoint"))
    }

    fn save_endpoint(&mut self, endpoint: &Endpoint, seen: u32) -> Result<()> {
        let known = self.endpoint_mut(endpoint.workspace, endpoint.id)?;
        if known.generation != seen {
            return Err(Error::Conflict);
        }
        *known = Endpoint {
            account: known.account,
            last_delivery_at: known.last_delivery_at,
            created_at: known.created_at,
            ..endpoint.clone()
        };
        Ok(())
    }

    fn add_delivery(&mut self, workspace: WorkspaceId, delivery: &Delivery) -> Result<DeliveryId> {
        let is_known = |row: &Delivery| {
            row.endpoint == delivery.endpoint && row.fingerprint == delivery.fingerprint
        };
        let mut rows = self.deliveries.iter().filter(|((ws, _), _)| *ws == workspace);
        let known = rows.find(|(_, row)| is_known(row)).map(|(_, row)| row.clone());
        if known.is_none() && self.deliveries.contains_key(&(workspace, delivery.id)) {
            return Err(Error::Conflict);
        }
        let endpoint = self.endpoint_mut(workspace, delivery.endpoint)?;
        endpoint.last_delivery_at = endpoint.last_delivery_at.max(Some(delivery.received_at));
        let row = match known {
            Some(known) => known.come_again(delivery.received_at),
            None => delivery.clone(),
        };
        let id = row.id;
        self.deliveries.insert((workspace, id), row);
        Ok(id)
    }

    fn delivery_mut(&mut self, workspace: WorkspaceId, id: DeliveryId) -> Result<&mut Delivery> {
        self.deliveries.get_mut(&(workspace, id)).ok_or(Error::NotFound("delivery"))
    }

    fn forget_deliveries(&mut self, state: DeliveryState, before: Timestamp, limit: u64) -> u64 {
        let mut over: Vec<(Timestamp, (WorkspaceId, DeliveryId))> = self
            .deliveries
            .iter()
            .filter(|(_, row)| row.state == state && row.received_at < before)
            .map(|(key, row)| (row.received_at, *key))
            .collect();
        over.sort();
        over.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for (_, key) in &over {
            self.deliveries.remove(key);
        }
        over.len() as u64
    }
}
