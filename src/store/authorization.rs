//! The trait of authorization requests.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::*;

/// The part of a store that keeps authorization requests until the person comes back. Each store is
/// one.
#[async_trait]
pub trait AuthorizationRequests: Send + Sync {
    /// Adds a request, and deletes those of all workspaces that are over by `now`.
    /// [`Error::NotFound`](super::Error::NotFound) if its workspace has no such account.
    async fn add_authorization_request(
        &self,
        request: &AuthorizationRequest,
        now: Timestamp,
    ) -> Result<()>;

    /// The request of this state, in whatever workspace.
    async fn authorization_request(
        &self,
        state_hash: &[u8; 32],
    ) -> Result<Option<AuthorizationRequest>>;

    /// Takes a request away: of many who try at once one is told true.
    async fn take_authorization_request(&self, request: &AuthorizationRequest) -> Result<bool>;
}
