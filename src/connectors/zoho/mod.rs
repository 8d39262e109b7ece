//! Zoho CRM, API v8: contacts and leads. What was found out about it, and what is assumed, is in the README
//! beside this file.

mod about;
mod api;
mod app;
mod auth;
mod bulk;
mod cells;
mod centres;
mod changes;
mod conversion;
mod convert;
mod credits;
pub mod emulator;
mod fields;
mod find;
mod leads;
mod notify;
mod oauth;
mod refusal;
mod scopes;
mod steps;
mod table;
mod tags;
mod token;
mod wire;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use super::{
    Address, Capability, Connector, Error, ErrorKind, Fetched, Identity, Lookup, Page, Query,
    Result, Subscription, Write, Written,
};
use crate::record::{FieldId, ObjectName, Record, RemoteId, Schema, Toll, Value};
use about::{CAPABILITY, OBJECTS};
use api::Api;

pub use app::Zoho;

/// One organisation.
struct ZohoConnector {
    api: Api,
    /// By object: answers do not say of which type a value is.
    schemas: [(&'static str, OnceCell<Schema>); OBJECTS.len()],
    /// The file that is being read.
    file: Mutex<Option<Box<bulk::File>>>,
}

impl ZohoConnector {
    fn new(api: Api) -> Self {
        let schemas = OBJECTS.map(|object| (object.name, OnceCell::new()));
        Self { api, schemas, file: Mutex::default() }
    }

    async fn schema(&self, object: &ObjectName) -> Result<&Schema> {
        let known = self.schemas.iter().find(|(name, _)| *name == object.as_str());
        let unknown = || Error::new(ErrorKind::Unsupported, "describe", "no_such_object");
        let (_, schema) = known.ok_or_else(unknown)?;
        schema.get_or_try_init(|| fields::describe(&self.api, object)).await
    }
}

#[async_trait]
impl Connector for ZohoConnector {
    fn capability(&self) -> &Capability {
        &CAPABILITY
    }

    async fn check(&self) -> Result<Identity> {
        auth::check(&self.api).await
    }

    async fn describe(&self, object: &ObjectName) -> Result<Schema> {
        fields::describe(&self.api, object).await
    }

    async fn users(&self) -> Result<BTreeMap<String, String>> {
        auth::users(&self.api).await
    }

    async fn changes(&self, query: &Query, cursor: Option<&str>) -> Result<Page> {
        changes::changes(self, query, cursor).await
    }

    fn restart(&self, cursor: &str) -> Option<String> {
        changes::restart(cursor)
    }

    async fn fetch(&self, query: &Query, ids: &BTreeSet<RemoteId>) -> Result<Vec<Fetched>> {
        find::fetch(self, query, ids).await
    }

    async fn find(&self, query: &Query, lookups: &BTreeSet<Lookup>) -> Result<Vec<Record>> {
        find::find(self, query, lookups).await
    }

    async fn apply(&self, writes: &[Write]) -> Result<Vec<Written>> {
        write::apply(self, writes).await
    }

    fn toll(&self, writes: &[Write]) -> Toll {
        steps::toll(writes)
    }

    fn would_store(&self, _field: &FieldId, _value: &Value) -> Option<Value> {
        None
    }

    async fn subscribe(&self, address: &Address) -> Result<Subscription> {
        notify::subscribe(&self.api, address).await
    }

    async fn subscription(&self, address: &Address) -> Result<Option<Subscription>> {
        notify::subscription(&self.api, address).await
    }

    async fn unsubscribe(&self, address: &Address) -> Result<()> {
        notify::unsubscribe(&self.api, address).await
    }
}
