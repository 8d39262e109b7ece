//! An app as the catalogue shows it, and how its accounts are authorised and opened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Access, Asked, Capability, Clients, Connector, Credentials, Delivery, Granted, Noticed,
    Redirected, Registrations, Result, Unreadable,
};
use crate::net::{Http, Line, Pace};
use crate::ports::Clock;

/// What the catalogue says of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name in addresses and settings.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The vendor's documentation of what is used here.
    pub docs: &'static str,
    /// What a person types in to connect an account.
    pub credentials: &'static [CredentialAbout],
    /// What can be kept the same.
    pub objects: &'static [ObjectAbout],
    /// The hosts that an operator can set addresses for.
    pub hosts: &'static [&'static str],
    /// Where an OAuth client can be another one, in the app's words.
    pub client_places: &'static [&'static str],
    /// Requests a second that an account may be asked.
    pub per_second: u32,
    /// Requests at once that an account may be asked.
    pub at_once: usize,
    /// How long it posts notifications, and how a person registers for them by hand.
    pub notifications: NotificationsAbout,
}

/// One thing that a person types in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialAbout {
    /// Its name in the API.
    pub name: &'static str,
    /// Its name for people, with where to find it.
    pub label: &'static str,
    /// Whether it must never be shown.
    pub is_secret: bool,
    /// Whether an account can't be connected without it.
    pub is_required: bool,
}

/// One kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectAbout {
    /// Its name in the API.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
}

/// How long apps post, and what a person is told who registers for notifications by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationsAbout {
    /// How long a registration lives that was just made or renewed; none if it has no end.
    pub life: Option<Duration>,
    /// Where the URL is typed in, in the app's menus; or why there is no such place.
    pub how: &'static str,
    /// The events to choose there, as the app names them; none if there is no such place.
    pub events: &'static [&'static str],
}

/// What an app needs of the world.
#[derive(Clone)]
pub struct World {
    /// The client.
    pub http: Http,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the operator has set otherwise than the vendors.
    pub overrides: Overrides,
    /// The OAuth clients that the operator registered for all workspaces.
    pub registrations: Registrations,
}

/// What an operator sets otherwise than the vendors have it: where apps are reached, and how fast. No
/// tenant ever can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    addresses: BTreeMap<String, String>,
    rates: BTreeMap<String, u32>,
}

impl Overrides {
    /// Sets the address for one of an app's hosts. Gives them back, to be chained.
    #[must_use]
    pub fn with_address(mut self, host: &str, address: &str) -> Self {
        self.addresses.insert(host.to_owned(), address.trim_end_matches('/').to_owned());
        self
    }

    /// Sets how many requests a second an account of an app may be asked. Gives them back, to be
    /// chained.
    #[must_use]
    pub fn with_rate(mut self, slug: &str, per_second: u32) -> Self {
        self.rates.insert(slug.to_owned(), per_second);
        self
    }

    /// The address for one of an app's hosts, if it was set.
    #[must_use]
    pub fn address(&self, host: &str) -> Option<&str> {
        self.addresses.get(host).map(String::as_str)
    }
}

impl World {
    /// A line to an account of this app, at the app's pace.
    #[must_use]
    pub fn line(&self, about: &About) -> Line {
        let pace = Pace::new(self.per_second(about), about.at_once);
        Line::new(self.http.clone(), Arc::new(pace))
    }

    /// How many requests a second an account of this app is asked at most.
    #[must_use]
    pub fn per_second(&self, about: &About) -> u32 {
        self.overrides.rates.get(about.slug).copied().unwrap_or(about.per_second)
    }
}

/// An app.
#[async_trait]
pub trait App: Send + Sync {
    /// What the catalogue says of it.
    fn about(&self) -> &'static About;

    /// What it can do.
    fn capability(&self) -> &'static Capability;

    /// Checks the form of what was typed in, and redeems what is to be redeemed. `Config` says what
    /// is wrong with it.
    async fn authorise(&self, world: &World, line: &Line, typed: &Credentials) -> Result<Granted>;

    /// Where a person is sent to give consent (RFC 6749, section 4.1.1).
    ///
    /// # Errors
    /// `Config` if the app is not where it was said to be.
    fn authorization_url(&self, overrides: &Overrides, asked: &Asked<'_>) -> Result<String>;

    /// Exchanges the code that a person came back with (RFC 6749, section 4.1.3). Nothing is sent to
    /// a host that is not the vendor's. `Config` says what is wrong with it.
    async fn redeem(
        &self,
        world: &World,
        line: &Line,
        redirected: &Redirected<'_>,
    ) -> Result<Granted>;

    /// Whether the key that these credentials opened can be renewed without a person.
    fn renews_keys(&self, kept: &Credentials) -> bool;

    /// A new key, for apps whose keys run out; `Unauthorised` if there can be none. `clients` are ours at
    /// the app.
    async fn refresh(
        &self,
        world: &World,
        line: &Line,
        kept: &Credentials,
        clients: &Clients,
    ) -> Result<Granted>;

    /// Gives back what a person's consent gave us, so that it opens nothing any more, where the app takes it
    /// back (RFC 7009). What a person typed in is theirs, and may be in use elsewhere: it stays as it is.
    async fn revoke(&self, _world: &World, _line: &Line, _kept: &Credentials) -> Result<()> {
        Ok(())
    }

    /// The connector of an account.
    ///
    /// # Errors
    /// `Config` if what is kept does not say where the account is.
    fn open(
        &self,
        world: &World,
        line: Line,
        kept: &Credentials,
        access: Arc<dyn Access>,
    ) -> Result<Arc<dyn Connector>>;

    /// The records that a notification is about: of all groups of its body, each once. Groups that
    /// are not known are left alone.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not a notification of this app, account and registration.
    fn notices(&self, delivery: &Delivery<'_>) -> std::result::Result<Vec<Noticed>, Unreadable>;
}
