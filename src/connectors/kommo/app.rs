//! Kommo as an app: what is said of it, and how its accounts are authorised and opened.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use super::about::{ABOUT, CAPABILITY};
use super::api::Api;
use super::{KommoConnector, auth, notify, oauth};
use crate::connectors::{
    About, Access, App, Asked, Capability, Clients, Connector, Credentials, Delivery, Granted,
    Noticed, Overrides, Redirected, Result, Unreadable, World,
};
use crate::net::Line;

/// Kommo.
pub struct Kommo;

#[async_trait]
impl App for Kommo {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn capability(&self) -> &'static Capability {
        &CAPABILITY
    }

    async fn authorise(
        &self,
        _world: &World,
        _line: &Line,
        typed: &Credentials,
    ) -> Result<Granted> {
        auth::authorise(typed)
    }

    fn authorization_url(&self, overrides: &Overrides, asked: &Asked<'_>) -> Result<String> {
        oauth::authorization_url(overrides, asked)
    }

    async fn redeem(
        &self,
        world: &World,
        line: &Line,
        redirected: &Redirected<'_>,
    ) -> Result<Granted> {
        oauth::redeem(world, line, redirected).await
    }

    fn renews_keys(&self, kept: &Credentials) -> bool {
        kept.get("refresh_token").is_some()
    }

    async fn refresh(
        &self,
        world: &World,
        line: &Line,
        kept: &Credentials,
        clients: &Clients,
    ) -> Result<Granted> {
        oauth::refresh(world, line, kept, clients).await
    }

    fn open(
        &self,
        world: &World,
        line: Line,
        kept: &Credentials,
        access: Arc<dyn Access>,
    ) -> Result<Arc<dyn Connector>> {
        let base = auth::base(kept, &world.overrides)?;
        let api = Api::new(line, base, access, world.clock.clone());
        Ok(Arc::new(KommoConnector { api, users: Mutex::default(), days: OnceCell::new() }))
    }

    fn notices(&self, delivery: &Delivery<'_>) -> std::result::Result<Vec<Noticed>, Unreadable> {
        notify::notices(delivery)
    }
}
