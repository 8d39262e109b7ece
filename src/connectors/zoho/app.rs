//! Zoho CRM as an app: what is said of it, and how its organisations are authorised and opened.

use std::sync::Arc;

use async_trait::async_trait;

use super::about::{ABOUT, CAPABILITY};
use super::api::Api;
use super::{ZohoConnector, auth, notify, oauth};
use crate::connectors::{
    About, Access, App, Asked, Capability, Clients, Connector, Credentials, Delivery, Granted,
    Noticed, Overrides, Redirected, Result, Unreadable, World,
};
use crate::net::Line;

/// Zoho CRM.
pub struct Zoho;

#[async_trait]
impl App for Zoho {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn capability(&self) -> &'static Capability {
        &CAPABILITY
    }

    async fn authorise(&self, world: &World, line: &Line, typed: &Credentials) -> Result<Granted> {
        auth::authorise(world, line, typed).await
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

    fn renews_keys(&self, _kept: &Credentials) -> bool {
        true
    }

    async fn refresh(
        &self,
        world: &World,
        line: &Line,
        kept: &Credentials,
        clients: &Clients,
    ) -> Result<Granted> {
        auth::refresh(world, line, kept, clients).await
    }

    async fn revoke(&self, world: &World, line: &Line, kept: &Credentials) -> Result<()> {
        auth::revoke(world, line, kept).await
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
        Ok(Arc::new(ZohoConnector::new(api)))
    }

    fn notices(&self, delivery: &Delivery<'_>) -> std::result::Result<Vec<Noticed>, Unreadable> {
        notify::notices(delivery)
    }
}
