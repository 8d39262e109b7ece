//! Kommo (formerly amoCRM), API v4: contacts. What was found out about it, and what is assumed, is in
//! the README beside this file.

mod about;
mod api;
mod auth;
mod body;
mod changes;
mod convert;
mod days;
pub mod emulator;
mod fields;
mod labelled;
mod lists;
mod notify;
mod refusal;
mod wire;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use super::{
    About, Access, Address, App, Capability, Connector, Credentials, Delivery, Fetched, Granted,
    Identity, Lookup, Noticed, Page, Query, Result, Subscription, Unreadable, World, Write,
    Written,
};
use crate::net::Line;
use crate::record::{FieldId, ObjectName, Record, RemoteId, Schema, Value};
use about::{ABOUT, CAPABILITY, CONTACTS};
use api::Api;
use convert::Users;
use days::Days;

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

    async fn refresh(&self, _world: &World, _line: &Line, _kept: &Credentials) -> Result<Granted> {
        Err(auth::worn_out())
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

/// One account.
struct KommoConnector {
    api: Api,
    users: Mutex<Users>,
    /// Asked for once, where there are days to read or write.
    days: OnceCell<Days>,
}

impl KommoConnector {
    async fn days(&self) -> Result<&Days> {
        self.days.get_or_try_init(|| Days::load(&self.api)).await
    }
}

#[async_trait]
impl Connector for KommoConnector {
    fn capability(&self) -> &Capability {
        &CAPABILITY
    }

    async fn check(&self) -> Result<Identity> {
        auth::check(&self.api).await
    }

    async fn describe(&self, _object: &ObjectName) -> Result<Schema> {
        fields::describe(&self.api).await
    }

    async fn users(&self) -> Result<BTreeMap<String, String>> {
        let users = Users::load(&self.api).await?;
        Ok(users.by_email())
    }

    async fn changes(&self, query: &Query, cursor: Option<&str>) -> Result<Page> {
        changes::changes(self, query, cursor).await
    }

    fn restart(&self, cursor: &str) -> Option<String> {
        changes::restart(cursor)
    }

    async fn fetch(&self, query: &Query, ids: &BTreeSet<RemoteId>) -> Result<Vec<Fetched>> {
        changes::fetch(self, query, ids).await
    }

    async fn find(&self, query: &Query, lookups: &BTreeSet<Lookup>) -> Result<Vec<Record>> {
        changes::find(self, query, lookups).await
    }

    async fn apply(&self, writes: &[Write]) -> Result<Vec<Written>> {
        write::apply(self, writes).await
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
        notify::remove(&self.api, "unsubscribe", address).await
    }
}
