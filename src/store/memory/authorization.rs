//! Authorization requests and OAuth clients.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use crate::store::{
    AuthorizationRequest, AuthorizationRequests, Error, RegistrationRow, Result, WorkspaceId,
};

#[async_trait]
impl AuthorizationRequests for MemoryStore {
    async fn add_authorization_request(
        &self,
        request: &AuthorizationRequest,
        now: Timestamp,
    ) -> Result<()> {
        self.transact(|state, _| {
            if let Some(id) = request.account {
                state.account(request.workspace, id)?;
            }
            let all = &mut state.authorization_requests;
            all.retain(|_, known| known.expires_at > now);
            if all.contains_key(&request.state_hash) {
                return Err(Error::Conflict);
            }
            all.insert(request.state_hash, request.clone());
            Ok(())
        })
        .await
    }

    async fn authorization_request(
        &self,
        state_hash: &[u8; 32],
    ) -> Result<Option<AuthorizationRequest>> {
        self.transact(|state, _| Ok(state.authorization_requests.get(state_hash).cloned())).await
    }

    async fn take_authorization_request(&self, request: &AuthorizationRequest) -> Result<bool> {
        self.transact(|state, _| {
            Ok(state.authorization_requests.remove(&request.state_hash).is_some())
        })
        .await
    }

    async fn set_registration(&self, registration: &RegistrationRow) -> Result<()> {
        let RegistrationRow { workspace, app, place, .. } = registration.clone();
        self.transact(|state, _| {
            state.registrations.insert((workspace, app, place), registration.clone());
            Ok(())
        })
        .await
    }

    async fn registrations(
        &self,
        workspace: WorkspaceId,
        app: &str,
    ) -> Result<Vec<RegistrationRow>> {
        let is_it = |row: &&RegistrationRow| row.workspace == workspace && row.app == app;
        self.transact(|state, _| Ok(state.registrations.values().filter(is_it).cloned().collect()))
            .await
    }

    async fn remove_registration(
        &self,
        workspace: WorkspaceId,
        app: &str,
        place: Option<&str>,
    ) -> Result<bool> {
        let key = (workspace, app.to_owned(), place.map(str::to_owned));
        self.transact(|state, _| Ok(state.registrations.remove(&key).is_some())).await
    }
}
