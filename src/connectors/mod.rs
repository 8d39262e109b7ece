//! The apps: one folder each. A connector knows its app's HTTP and wire types, and never the store.
//! It never decides: it reads what is asked, writes what is told, and says exactly what became of it.

mod access;
mod app;
mod batches;
mod call;
mod error;
pub mod kommo;
pub mod memory;
mod notify;
mod oauth;
mod traffic;
pub mod zoho;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

pub use access::{Access, Credentials, Granted, Key};
pub use app::{About, App, CredentialAbout, NotificationsAbout, ObjectAbout, Overrides, World};
pub use error::{Error, ErrorKind, Retry};
pub use notify::{Address, Delivery, Noticed, Subscription, Unreadable};
pub use oauth::{
    AppRegistration, Asked, Clients, Parameters, Redirected, Registrations, is_redirect_uri,
};
pub use traffic::{
    Capability, Change, Departure, Fetched, Identity, Lookup, Page, Query, Write, Written,
};

use crate::record::{FieldId, ObjectName, Record, RemoteId, Schema, Toll, Value};

/// Every app: one line each. Catalogue, receivers and tests are made from this list.
pub const ALL: &[&dyn App] = &[&kommo::Kommo, &zoho::Zoho];

/// The app of this name.
#[must_use]
pub fn app(slug: &str) -> Option<&'static dyn App> {
    ALL.iter().copied().find(|app| app.about().slug == slug)
}

/// The result of every call. An error of a write means that certainly nothing was written.
pub type Result<T> = std::result::Result<T, Error>;

/// An authorised account, as its connector reaches it.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What the app can do.
    fn capability(&self) -> &Capability;

    /// Whose account it is. `Unauthorised` if the credentials are not accepted.
    async fn check(&self) -> Result<Identity>;

    /// The fields of an object.
    async fn describe(&self, object: &ObjectName) -> Result<Schema>;

    /// The users who can be put in charge: e-mail address in lower case to id.
    async fn users(&self) -> Result<BTreeMap<String, String>>;

    /// What changed since a cursor; everything, without one. Overlaps with what was read before by a
    /// margin of safety. [`ErrorKind::CursorLost`] if the app no longer knows the cursor.
    async fn changes(&self, query: &Query, cursor: Option<&str>) -> Result<Page>;

    /// What a reading of everything begins with in the place of this cursor, which is lost or was
    /// begun with other fields: up to when removals are known, and nothing else. None where there is
    /// nothing to keep.
    fn restart(&self, cursor: &str) -> Option<String>;

    /// Reads records directly: an answer for each id, at most [`Capability::read_many_max`] ids.
    async fn fetch(&self, query: &Query, ids: &BTreeSet<RemoteId>) -> Result<Vec<Fetched>>;

    /// Records that have any of these values. The app's search may be fuzzy and late; what comes back
    /// is compared exactly by the caller.
    async fn find(&self, query: &Query, lookups: &BTreeSet<Lookup>) -> Result<Vec<Record>>;

    /// Writes records: an answer for each, in order; at most [`Capability::write_many_max`].
    async fn apply(&self, writes: &[Write]) -> Result<Vec<Written>>;

    /// What [`Connector::apply`] would ask for these writes if nothing is refused, but for what a connector
    /// asks once and remembers.
    fn toll(&self, writes: &[Write]) -> Toll;

    /// What the app makes of a value of this field, where it is known to change values.
    fn would_store(&self, field: &FieldId, value: &Value) -> Option<Value>;

    /// Registers for notifications of these objects. Registering the same again renews it, and puts
    /// right one that the app has disabled or that is not as asked for. After an error it may be
    /// registered or not: it is to be tried again. `Unsupported` if the app can't post there.
    async fn subscribe(&self, address: &Address) -> Result<Subscription>;

    /// The registration as the app has it, perhaps disabled or at its end; none if it has none that
    /// posts to this address of all these objects.
    async fn subscription(&self, address: &Address) -> Result<Option<Subscription>>;

    /// Takes the registration back. One that is not there is fine.
    async fn unsubscribe(&self, address: &Address) -> Result<()>;
}
