//! Registering endpoints with the apps, and taking registrations back.

use jiff::Timestamp;

use super::{Error, Webhooks};
use crate::connectors::{self, Address, Subscription};
use crate::record::ObjectName;
use crate::store::{self, AccountId, AccountStatus, Endpoint, EndpointState, WorkspaceId};

/// What is done about a registration that is as it should be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InOrder {
    /// It is renewed.
    Renew,
    /// It is left alone until half its life is over.
    Leave,
}

/// What the app has of a registration.
struct Found {
    subscription: Subscription,
    /// Whether it was there before, and posted.
    was_live: bool,
}

impl Webhooks {
    /// Has the app post to an endpoint, and renews what is there, because a person wants it: what had
    /// been unregistered is looked after again. What comes of it is in the endpoint's state.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::NoPublicUrl`]; an app that refuses is no error.
    pub async fn register(&self, mut endpoint: Endpoint) -> Result<Endpoint, Error> {
        if self.public_url.is_none() {
            return Err(Error::NoPublicUrl);
        }
        while endpoint.state == EndpointState::Unregistered {
            let seen = endpoint.generation;
            endpoint.state = EndpointState::NotRegistered;
            if let Some(known) = self.write(&endpoint, seen).await? {
                endpoint = known;
            }
        }
        self.ensure(endpoint, InOrder::Renew).await
    }

    /// Makes sure that the app still posts to an endpoint. It is told again only where it does not, or
    /// where half the life of the registration is over.
    ///
    /// # Errors
    /// As for [`Self::register`].
    pub(super) async fn look_after(&self, endpoint: Endpoint) -> Result<Endpoint, Error> {
        self.ensure(endpoint, InOrder::Leave).await
    }

    async fn ensure(&self, before: Endpoint, in_order: InOrder) -> Result<Endpoint, Error> {
        self.note_tended(&before);
        let account = self.store.account(before.workspace, before.account).await?;
        if account.status != AccountStatus::Connected {
            return Ok(before);
        }
        let url = self.address(&before, &account.app).ok_or(Error::NoPublicUrl)?;
        let address = self.registration(&before, &account.app, url).await?;
        let is_same = before.objects == address.objects;
        let in_order = if is_same { in_order } else { InOrder::Renew };
        let found = self.find_or_subscribe(&before, &account.app, &address, in_order).await;
        let mut endpoint = before.clone();
        match found {
            Ok(found) => {
                let now = self.clock.now();
                let has_posted = is_same && found.was_live && is_posting(&before, now);
                endpoint.registered_at = before.registered_at.filter(|_| has_posted).or(Some(now));
                endpoint.objects = address.objects;
                endpoint.expires_at = found.subscription.expires_at;
                endpoint.state = if found.subscription.is_disabled {
                    EndpointState::Disabled
                } else {
                    EndpointState::Registered
                };
                endpoint.remote_id = Some(found.subscription.remote_id);
            }
            Err(Error::Store(error)) => return Err(error.into()),
            Err(error) => endpoint.state = EndpointState::Failed(error.code().to_owned()),
        }
        // Unregistered meanwhile: the old address stays worthless.
        let replaced = self.write(&endpoint, before.generation).await?;
        Ok(replaced.unwrap_or(endpoint))
    }

    /// Writes an endpoint whose generation was seen. If its address was replaced meanwhile nothing is
    /// written, and what is known of it now is given.
    async fn write(&self, endpoint: &Endpoint, seen: u32) -> Result<Option<Endpoint>, Error> {
        match self.store.save_endpoint(endpoint, seen).await {
            Ok(()) => Ok(None),
            Err(store::Error::Conflict) => {
                let known = self.store.endpoint_at(endpoint.id).await?;
                known.map(Some).ok_or_else(|| store::Error::NotFound("endpoint").into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The registration as the app has it, once it is as it should be.
    async fn find_or_subscribe(
        &self,
        endpoint: &Endpoint,
        app: &str,
        address: &Address,
        in_order: InOrder,
    ) -> Result<Found, Error> {
        let connector = self.accounts.open(endpoint.workspace, endpoint.account).await?;
        let known = connector.subscription(address).await?;
        let now = self.clock.now();
        let live = known.filter(|known| !known.is_disabled && !is_over(known.expires_at, now));
        let was_live = live.is_some();
        let may_stay = |live: &Subscription| {
            in_order == InOrder::Leave && !is_half_over(app, live.expires_at, now)
        };
        let subscription = match live.filter(may_stay) {
            Some(subscription) => subscription,
            None => connector.subscribe(address).await?,
        };
        Ok(Found { subscription, was_live })
    }

    /// Has the app post no more, until a person registers the endpoint again. What the app no longer
    /// knows is fine. Whatever it answers, the address is worthless afterwards.
    ///
    /// # Errors
    /// [`Error`]: the app may go on posting; unless it is [`Error::Store`], what it posts is refused.
    pub async fn unregister(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<(), Error> {
        let endpoint = self.endpoint(workspace, account).await?;
        self.take_back(endpoint, |_| EndpointState::Unregistered).await
    }

    /// Has the app post no more, because the account is disconnected. Once it is connected again and
    /// needed, its endpoint is registered again, unless a person had it unregistered.
    ///
    /// # Errors
    /// As for [`Self::unregister`].
    pub async fn release(&self, workspace: WorkspaceId, account: AccountId) -> Result<(), Error> {
        let Some(endpoint) = self.store.endpoint_of(workspace, account).await? else {
            return Ok(());
        };
        let released = |state: &EndpointState| match state {
            EndpointState::Unregistered => EndpointState::Unregistered,
            _ => EndpointState::NotRegistered,
        };
        self.take_back(endpoint, released).await
    }

    /// Replaces the address of an endpoint, with the state that follows from its own, and has the app
    /// forget the old one.
    async fn take_back(
        &self,
        mut endpoint: Endpoint,
        next: impl Fn(&EndpointState) -> EndpointState,
    ) -> Result<(), Error> {
        let (workspace, account) = (endpoint.workspace, endpoint.account);
        let app = self.store.account(workspace, account).await?.app;
        loop {
            let generation = endpoint.generation + 1;
            let taken = Endpoint { generation, state: next(&endpoint.state), ..endpoint.clone() };
            let Some(known) = self.write(&taken, endpoint.generation).await? else { break };
            endpoint = known;
        }
        if let Some(url) = self.address(&endpoint, &app) {
            let old = self.registration(&endpoint, &app, url).await?;
            let connector = self.accounts.open(workspace, account).await?;
            connector.unsubscribe(&old).await?;
        }
        Ok(())
    }

    /// Of all objects that the account has: of others the app would refuse the whole.
    async fn registration(
        &self,
        endpoint: &Endpoint,
        app: &str,
        url: String,
    ) -> Result<Address, Error> {
        let known = self.store.description(endpoint.workspace, endpoint.account).await?;
        let objects = match known {
            Some(known) => known.schemas.into_keys().collect(),
            None => {
                let about = connectors::app(app).map(|app| app.about().objects);
                let objects = about.unwrap_or_default().iter();
                objects.map(|object| ObjectName::new(object.name)).collect()
            }
        };
        Ok(Address {
            url,
            token: self.keys.token(endpoint).into(),
            objects,
            channel: self.keys.channel(endpoint),
        })
    }
}

/// Whether, by what is known of it, the app has posted here until now.
fn is_posting(endpoint: &Endpoint, now: Timestamp) -> bool {
    endpoint.state == EndpointState::Registered && !is_over(endpoint.expires_at, now)
}

fn is_over(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|at| at <= now)
}

/// Whether a registration with an app has less than half of its life before it.
pub(super) fn is_half_over(app: &str, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    let life = connectors::app(app).and_then(|app| app.about().notifications.life);
    match (expires_at, life) {
        (Some(at), Some(life)) => is_over(Some(at), now + life / 2),
        _ => false,
    }
}
