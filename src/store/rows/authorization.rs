//! Authorization requests (RFC 6749, section 4.1.1), and the clients that they are made for (section 2).

use std::fmt;

use jiff::Timestamp;

use super::{AccountId, WorkspaceId};

/// That a person was sent to an app to give consent.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// A hash of the state that the app repeats when it sends the person back (blake3). The state
    /// itself is not kept.
    pub state_hash: [u8; 32],
    /// The workspace in which the account will be.
    pub workspace: WorkspaceId,
    /// Who began it.
    pub actor: String,
    /// The app's slug.
    pub app: String,
    /// The account that is to be reconnected; none for whichever the person gives access to.
    pub account: Option<AccountId>,
    /// The name for people of an account that is new.
    pub label: Option<String>,
    /// The e-mail address of the user who is to give access.
    pub email: Option<String>,
    /// Where the account is said to be, in the app's words.
    pub place: Option<String>,
    /// Where the app sends the person back to.
    pub redirect_uri: String,
    /// Where this server sends the person on to.
    pub return_url: Option<String>,
    /// Until when the person may come back.
    pub expires_at: Timestamp,
}

/// An OAuth client that a workspace registered with an app for itself.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrationRow {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The app's slug.
    pub app: String,
    /// Where in the app it is registered; none where it is the same everywhere. A workspace has one
    /// client for each place.
    pub place: Option<String>,
    /// Its id.
    pub client_id: String,
    /// Its secret, encrypted.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for RegistrationRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationRow")
            .field("workspace", &self.workspace)
            .field("app", &self.app)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("workspace", &self.workspace)
            .field("app", &self.app)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
