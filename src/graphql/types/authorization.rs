//! Connecting accounts by OAuth.

use async_graphql::SimpleObject;

use crate::accounts::Begun;

/// The OAuth client that the operator registered with an app. Its secret is never shown.
#[derive(SimpleObject)]
pub struct AppRegistration {
    /// Its id at the app.
    pub(super) client_id: String,
    /// Where the app sends people back to on this server, which has to be registered with the app; none
    /// while `CONCORD_PUBLIC_URL` is not set.
    pub(super) redirect_uri: Option<String>,
}

/// That an account can be authorized.
#[derive(SimpleObject)]
pub struct Authorization {
    /// The app's page to which the person is to be sent. It is good for one person, once.
    url: String,
    /// Where the app sends them back to.
    redirect_uri: String,
    /// Until when they may come back.
    expires_at: String,
}

impl From<Begun> for Authorization {
    fn from(begun: Begun) -> Self {
        let Begun { url, redirect_uri, expires_at } = begun;
        Self { url, redirect_uri, expires_at: expires_at.to_string() }
    }
}
