//! Kommo (formerly amoCRM), API v4: contacts. What was found out about it, and what is assumed, is in
//! the README beside this file.

mod about;
mod api;
mod app;
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
mod oauth;
mod refusal;
mod tags;
mod wire;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use super::{
    Address, Capability, Connector, Fetched, Identity, Lookup, Page, Query, Result, Subscription,
    Write, Written,
};
use crate::record::{FieldId, ObjectName, Record, RemoteId, Schema, Toll, Value};
use about::{CAPABILITY, CONTACTS};
use api::Api;
use convert::Users;
use days::Days;

pub use app::Kommo;

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

    fn toll(&self, writes: &[Write]) -> Toll {
        write::toll(writes)
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
