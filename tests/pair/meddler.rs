//! An app in which somebody acts just before the next write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use concord::connectors::{
    Address, Capability, Connector, Fetched, Identity, Lookup, Page, Query, Result, Subscription,
    Write, Written,
};
use concord::record::{FieldId, ObjectName, Record, RemoteId, Schema, Toll, Value};

type Act = Box<dyn FnOnce() + Send>;

pub struct Meddler {
    app: Arc<dyn Connector>,
    act: Mutex<Option<Act>>,
}

impl Meddler {
    pub fn new(app: Arc<dyn Connector>) -> Self {
        Self { app, act: Mutex::new(None) }
    }

    pub fn before_the_next_write(&self, act: impl FnOnce() + Send + 'static) {
        *self.act.lock().unwrap() = Some(Box::new(act));
    }
}

#[async_trait::async_trait]
impl Connector for Meddler {
    fn capability(&self) -> &Capability {
        self.app.capability()
    }

    async fn check(&self) -> Result<Identity> {
        self.app.check().await
    }

    async fn describe(&self, object: &ObjectName) -> Result<Schema> {
        self.app.describe(object).await
    }

    async fn users(&self) -> Result<BTreeMap<String, String>> {
        self.app.users().await
    }

    async fn changes(&self, query: &Query, cursor: Option<&str>) -> Result<Page> {
        self.app.changes(query, cursor).await
    }

    async fn fetch(&self, query: &Query, ids: &BTreeSet<RemoteId>) -> Result<Vec<Fetched>> {
        self.app.fetch(query, ids).await
    }

    async fn find(&self, query: &Query, lookups: &BTreeSet<Lookup>) -> Result<Vec<Record>> {
        self.app.find(query, lookups).await
    }

    async fn apply(&self, writes: &[Write]) -> Result<Vec<Written>> {
        let act = self.act.lock().unwrap().take();
        if let Some(act) = act {
            act();
        }
        self.app.apply(writes).await
    }

    fn restart(&self, cursor: &str) -> Option<String> {
        self.app.restart(cursor)
    }

    async fn subscribe(&self, address: &Address) -> Result<Subscription> {
        self.app.subscribe(address).await
    }

    async fn subscription(&self, address: &Address) -> Result<Option<Subscription>> {
        self.app.subscription(address).await
    }

    async fn unsubscribe(&self, address: &Address) -> Result<()> {
        self.app.unsubscribe(address).await
    }

    fn toll(&self, writes: &[Write]) -> Toll {
        self.app.toll(writes)
    }

    fn would_store(&self, field: &FieldId, value: &Value) -> Option<Value> {
        self.app.would_store(field, value)
    }
}
