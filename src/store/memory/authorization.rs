//! Authorization requests.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use crate::store::{AuthorizationRequest, AuthorizationRequests, Error, Result};

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
}
