//! Keeping registrations alive: apps forget them after a while, and switch them off.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Error, Webhooks};
use crate::connectors::{self, Address};
use crate::record::ObjectName;
use crate::store::{AccountId, AccountStatus, Connection, Endpoint, EndpointState, WorkspaceId};

/// How often the app is asked whether it still posts.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// How soon a registration that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10 * 60);

impl Webhooks {
    /// Registers what running connections need, renews what is at half its life, and asks from time
    /// to time whether the apps still post. One account's failure is noted at its endpoint, and keeps
    /// no other waiting.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn tend(&self) -> Result<(), Error> {
        if self.public_url.is_none() {
            return Ok(());
        }
        for workspace in self.store.workspaces().await? {
            let connections = self.store.connections(workspace.id).await?;
            for account in self.used_accounts(&connections).await? {
                let endpoint = self.endpoint(workspace.id, account).await?;
                if self.is_due(&endpoint) {
                    self.register(endpoint).await?;
                }
            }
        }
        Ok(())
    }

    /// The accounts of all connections that run.
    async fn used_accounts(
        &self,
        connections: &[Connection],
    ) -> Result<BTreeSet<AccountId>, Error> {
        let mut used = BTreeSet::new();
        for connection in connections.iter().filter(|connection| connection.is_running()) {
            for feed in &connection.feeds {
                used.insert(self.store.feed(connection.workspace, feed.feed).await?.account);
            }
        }
        Ok(used)
    }

    fn is_due(&self, endpoint: &Endpoint) -> bool {
        let now = self.clock.now();
        let tended = self.tended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let last = tended.get(&endpoint.id).copied();
        let is_past = |wait: Duration| last.is_none_or(|last| last + wait <= now);
        match &endpoint.state {
            EndpointState::Registered => is_half_over(endpoint, now) || is_past(LOOK_EVERY),
            EndpointState::NotRegistered | EndpointState::Disabled | EndpointState::Failed(_) => {
                is_past(AGAIN)
            }
        }
    }

    /// Has the app post to an endpoint, or makes sure that it still does. What comes of it is in the
    /// endpoint's state.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::NoPublicUrl`]; an app that refuses is no error.
    pub async fn register(&self, mut endpoint: Endpoint) -> Result<Endpoint, Error> {
        let now = self.clock.now();
        self.tended
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(endpoint.id, now);
        let account = self.store.account(endpoint.workspace, endpoint.account).await?;
        if account.status != AccountStatus::Connected {
            return Ok(endpoint);
        }
        let url = self.address(&endpoint, &account.app).ok_or(Error::NoPublicUrl)?;
        let address = self.registration(&endpoint, &account.app, url);
        let subscribed = self.subscribe(&endpoint, &address).await;
        // Unregistered meanwhile: the old address stays worthless.
        let known = self.store.endpoint_of(endpoint.workspace, endpoint.account).await?;
        if let Some(known) = known.filter(|known| known.generation != endpoint.generation) {
            return Ok(known);
        }
        match subscribed {
            Ok(subscription) => {
                endpoint.objects = address.objects;
                endpoint.registered_at = Some(now);
                endpoint.expires_at = subscription.expires_at;
                endpoint.remote_id = Some(subscription.remote_id);
                endpoint.state = if subscription.is_disabled {
                    EndpointState::Disabled
                } else {
                    EndpointState::Registered
                };
            }
            Err(Error::Store(error)) => return Err(error.into()),
            Err(error) => endpoint.state = EndpointState::Failed(error.code().to_owned()),
        }
        self.store.save_endpoint(&endpoint).await?;
        Ok(endpoint)
    }

    async fn subscribe(
        &self,
        endpoint: &Endpoint,
        address: &Address,
    ) -> Result<connectors::Subscription, Error> {
        let connector = self.accounts.open(endpoint.workspace, endpoint.account).await?;
        Ok(connector.subscribe(address).await?)
    }

    /// Has the app post no more. What the app no longer knows is fine.
    ///
    /// # Errors
    /// [`Error`]: the app may go on posting; its notifications are refused once the endpoint's
    /// generation has changed.
    pub async fn unregister(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<(), Error> {
        let Some(mut endpoint) = self.store.endpoint_of(workspace, account).await? else {
            return Ok(());
        };
        let known = self.store.account(workspace, account).await?;
        if let Some(url) = self.address(&endpoint, &known.app) {
            let connector = self.accounts.open(workspace, account).await?;
            connector.unsubscribe(&self.registration(&endpoint, &known.app, url)).await?;
        }
        endpoint.state = EndpointState::NotRegistered;
        endpoint.generation += 1;
        self.store.save_endpoint(&endpoint).await?;
        Ok(())
    }

    fn registration(&self, endpoint: &Endpoint, app: &str, url: String) -> Address {
        let objects = connectors::app(app).map(|app| app.about().objects).unwrap_or_default();
        Address {
            url,
            token: self.keys.token(endpoint).into(),
            objects: objects.iter().map(|object| ObjectName::new(object.name)).collect(),
            channel: self.keys.channel(endpoint),
        }
    }
}

fn is_half_over(endpoint: &Endpoint, now: jiff::Timestamp) -> bool {
    match (endpoint.registered_at, endpoint.expires_at) {
        (Some(from), Some(to)) => now.duration_since(from) * 2 >= to.duration_since(from),
        _ => false,
    }
}
