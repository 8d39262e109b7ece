//! Connecting accounts by OAuth.

use async_graphql::{Context, Object, SimpleObject};

use super::App;
use crate::accounts::{Begun, Registered};
use crate::connectors;
use crate::graphql::services;

/// An OAuth client that is registered with an app. Its secret is never shown.
pub struct AppRegistration {
    pub(in crate::graphql) app: &'static dyn connectors::App,
    pub(in crate::graphql) known: Registered,
}

#[Object]
impl AppRegistration {
    /// Its app.
    async fn app(&self) -> App {
        App(self.app)
    }

    /// Its id at the app.
    async fn client_id(&self) -> &str {
        &self.known.client_id
    }

    /// Where in the app it is registered, in the app's words; none where it is the same everywhere.
    async fn place(&self) -> Option<&str> {
        self.known.place.as_deref()
    }

    /// Whether it is the workspace's own; else whoever runs the server registered it for all.
    async fn is_own(&self) -> bool {
        self.known.is_own
    }

    /// Where the app sends people back to on this server, which has to be registered with the app; none
    /// while `CONCORD_PUBLIC_URL` is not set.
    async fn redirect_uri(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        Ok(services(ctx)?.authorizations.redirect_uri(self.app.about().slug))
    }
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
