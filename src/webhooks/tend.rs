//! Keeping registrations alive: apps forget them after a while, and switch them off.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

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
                let last = self.last_tended(&endpoint);
                if is_due(&endpoint, last, self.clock.now()) {
                    self.register(endpoint).await?;
                }
            }
        }
        Ok(())
    }

    /// When an endpoint was last looked after, in this process.
    fn last_tended(&self, endpoint: &Endpoint) -> Option<Timestamp> {
        let tended = self.tended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tended.get(&endpoint.id).copied()
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

    /// Has the app post no more. What the app no longer knows is fine. Whatever it answers, the address
    /// is worthless afterwards.
    ///
    /// # Errors
    /// [`Error`]: the app may go on posting; unless it is [`Error::Store`], what it posts is refused.
    pub async fn unregister(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<(), Error> {
        let Some(mut endpoint) = self.store.endpoint_of(workspace, account).await? else {
            return Ok(());
        };
        let known = self.store.account(workspace, account).await?;
        let old = self
            .address(&endpoint, &known.app)
            .map(|url| self.registration(&endpoint, &known.app, url));
        endpoint.state = EndpointState::NotRegistered;
        endpoint.generation += 1;
        self.store.save_endpoint(&endpoint).await?;
        if let Some(old) = old {
            let connector = self.accounts.open(workspace, account).await?;
            connector.unsubscribe(&old).await?;
        }
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

/// Whether an endpoint that was looked after then is to be looked after now.
fn is_due(endpoint: &Endpoint, last: Option<Timestamp>, now: Timestamp) -> bool {
    let is_past = |wait: Duration| last.is_none_or(|last| last + wait <= now);
    match &endpoint.state {
        EndpointState::Registered => is_half_over(endpoint, now) || is_past(LOOK_EVERY),
        EndpointState::NotRegistered | EndpointState::Disabled | EndpointState::Failed(_) => {
            is_past(AGAIN)
        }
    }
}

fn is_half_over(endpoint: &Endpoint, now: Timestamp) -> bool {
    match (endpoint.registered_at, endpoint.expires_at) {
        (Some(from), Some(to)) => now.duration_since(from) * 2 >= to.duration_since(from),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Clock as _, Ids as _, ManualClock, SeededIds};
    use crate::store::EndpointId;

    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn clock() -> ManualClock {
        ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap())
    }

    /// An endpoint that was registered now, for so long.
    fn endpoint(state: EndpointState, life: Option<Duration>, now: Timestamp) -> Endpoint {
        let id = SeededIds::new(1).next(now);
        Endpoint {
            state,
            registered_at: Some(now),
            expires_at: life.map(|life| now + life),
            ..Endpoint::new(EndpointId(id), WorkspaceId(id), AccountId(id), now)
        }
    }

    fn failed() -> EndpointState {
        EndpointState::Failed("unavailable".to_owned())
    }

    #[test]
    fn whoever_starts_looks_after_every_endpoint() {
        let now = clock().now();
        let (none, posts, off) =
            (EndpointState::NotRegistered, EndpointState::Registered, EndpointState::Disabled);
        for state in [none, posts, off, failed()] {
            assert!(is_due(&endpoint(state, None, now), None, now));
        }
    }

    #[test]
    fn what_does_not_post_is_tried_again_soon_and_not_at_once() {
        for state in [EndpointState::NotRegistered, EndpointState::Disabled, failed()] {
            let clock = clock();
            let begun = clock.now();
            let endpoint = endpoint(state, None, begun);
            clock.advance(9 * MINUTE);
            assert!(!is_due(&endpoint, Some(begun), clock.now()));
            clock.advance(MINUTE);
            assert!(is_due(&endpoint, Some(begun), clock.now()));
        }
    }

    #[test]
    fn what_posts_is_asked_for_each_hour() {
        let clock = clock();
        let begun = clock.now();
        let endpoint = endpoint(EndpointState::Registered, None, begun);
        clock.advance(59 * MINUTE);
        assert!(!is_due(&endpoint, Some(begun), clock.now()));
        clock.advance(MINUTE);
        assert!(is_due(&endpoint, Some(begun), clock.now()));
    }

    #[test]
    fn what_ends_is_renewed_at_half_its_life() {
        let clock = clock();
        let endpoint = endpoint(EndpointState::Registered, Some(6 * DAY), clock.now());
        clock.advance(3 * DAY - MINUTE);
        let last = clock.now();
        assert!(!is_due(&endpoint, Some(last), clock.now()));
        clock.advance(MINUTE);
        assert!(is_due(&endpoint, Some(last), clock.now()));
    }
}
