//! The trait of authorization requests and OAuth clients.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::*;

/// The part of a store that keeps authorization requests until the person comes back, and the OAuth
/// clients that they are made for. Each store is one.
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

    /// Registers a client, in the place of the one that the workspace had there.
    async fn set_registration(&self, registration: &RegistrationRow) -> Result<()>;

    /// The clients of a workspace at an app, by their places; first the one without.
    async fn registrations(
        &self,
        workspace: WorkspaceId,
        app: &str,
    ) -> Result<Vec<RegistrationRow>>;

    /// Forgets a client. False if there was none.
    async fn remove_registration(
        &self,
        workspace: WorkspaceId,
        app: &str,
        place: Option<&str>,
    ) -> Result<bool>;
}
