//! An account, as a connector reaches it: each request may meet a fault that was ordered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::cursor;
use super::faults::Fault;
use super::vendor::Vendor;
use crate::connectors::{
    Address, Capability, Connector, Error, ErrorKind, Fetched, Identity, Lookup, Page, Query,
    Result, Subscription, Write, Written,
};
use crate::record::{FieldId, ObjectName, Record, RemoteId, Schema, Toll, Value};

/// An account in an app of this process.
pub struct MemoryConnector {
    vendor: Arc<Vendor>,
    /// Its other objects.
    others: Vec<Arc<Vendor>>,
    capability: Capability,
}

impl MemoryConnector {
    /// Reaches this app.
    #[must_use]
    pub fn new(vendor: Arc<Vendor>) -> Self {
        let habits = vendor.habits();
        let capability = Capability {
            page_max: habits.page_max,
            read_many_max: habits.page_max,
            write_many_max: habits.write_many_max,
            list_incremental: true,
            list_reports_removed: true,
            delete: false,
            tags: true,
            consent: true,
            clear_field: true,
            revision_in_answer: true,
            converts: &[],
            credit_window: None,
            search_lag_seconds: habits.search_lag_seconds,
        };
        Self { vendor, others: Vec::new(), capability }
    }

    /// The same account, with another object. Faults and habits are those of the first.
    #[must_use]
    pub fn with(mut self, other: Arc<Vendor>) -> Self {
        self.others.push(other);
        self
    }

    /// The records of an object; the first's, where it has none of that name.
    fn of(&self, object: &ObjectName) -> &Vendor {
        let other = self.others.iter().find(|other| other.object() == object);
        other.unwrap_or(&self.vendor)
    }

    fn write(&self, writes: &[Write]) -> Vec<Written> {
        let write = |write: &Write| {
            let of_it = self.of(&write.object);
            match (&write.becomes, &write.id) {
                (Some(becomes), Some(id)) => {
                    vec![of_it.become_other(id, self.of(&becomes.object), becomes.into.as_ref())]
                }
                _ => of_it.apply(std::slice::from_ref(write)),
            }
        };
        writes.iter().flat_map(write).collect()
    }

    /// A request that only reads: it comes through or it does not.
    async fn ask(&self, operation: &'static str) -> Result<()> {
        tokio::task::yield_now().await;
        match self.vendor.next_fault() {
            None => Ok(()),
            Some(fault) => Err(refuse(operation, fault)),
        }
    }
}

fn refuse(operation: &'static str, fault: Fault) -> Error {
    let (kind, code) = match fault {
        Fault::RateLimited => (ErrorKind::RateLimited, "429"),
        Fault::Unauthorised => (ErrorKind::Unauthorised, "401"),
        Fault::LostBefore | Fault::LostAfter => (ErrorKind::Unavailable, "timeout"),
    };
    Error::new(kind, operation, code)
}

#[async_trait]
impl Connector for MemoryConnector {
    fn capability(&self) -> &Capability {
        &self.capability
    }

    async fn check(&self) -> Result<Identity> {
        self.ask("check").await?;
        let remote_id = "memory".to_owned();
        Ok(Identity {
            label: remote_id.clone(),
            host: remote_id.clone(),
            remote_id,
            ..Identity::default()
        })
    }

    async fn users(&self) -> Result<BTreeMap<String, String>> {
        self.ask("users").await?;
        Ok(BTreeMap::new())
    }

    async fn describe(&self, object: &ObjectName) -> Result<Schema> {
        self.ask("describe").await?;
        Ok(self.of(object).schema())
    }

    async fn changes(&self, query: &Query, cursor: Option<&str>) -> Result<Page> {
        self.ask("changes").await?;
        let page = self.of(&query.object).changes(query, cursor)?;
        tokio::task::yield_now().await;
        Ok(page)
    }

    fn restart(&self, cursor: &str) -> Option<String> {
        cursor::restart(cursor)
    }

    async fn fetch(&self, query: &Query, ids: &BTreeSet<RemoteId>) -> Result<Vec<Fetched>> {
        self.ask("fetch").await?;
        Ok(self.of(&query.object).fetch(query, ids))
    }

    async fn find(&self, query: &Query, lookups: &BTreeSet<Lookup>) -> Result<Vec<Record>> {
        self.ask("find").await?;
        Ok(self.of(&query.object).find(query, lookups))
    }

    async fn apply(&self, writes: &[Write]) -> Result<Vec<Written>> {
        tokio::task::yield_now().await;
        let unknown = |code: &str| {
            writes.iter().map(|_| Written::Unknown { code: code.to_owned() }).collect::<Vec<_>>()
        };
        let answer = match self.vendor.next_fault() {
            Some(fault @ (Fault::RateLimited | Fault::Unauthorised)) => {
                return Err(refuse("apply", fault));
            }
            // From here nobody can tell whether it was done.
            Some(Fault::LostBefore) => unknown("timeout"),
            Some(Fault::LostAfter) => {
                self.write(writes);
                unknown("timeout")
            }
            None => self.write(writes),
        };
        tokio::task::yield_now().await;
        Ok(answer)
    }

    fn toll(&self, writes: &[Write]) -> Toll {
        Toll::of_calls(u64::from(!writes.is_empty()))
    }

    fn would_store(&self, field: &FieldId, value: &Value) -> Option<Value> {
        self.vendor.would_store(field, value)
    }

    async fn subscribe(&self, address: &Address) -> Result<Subscription> {
        self.ask("subscribe").await?;
        self.vendor.subscriptions().add(address)
    }

    async fn subscription(&self, address: &Address) -> Result<Option<Subscription>> {
        self.ask("subscription").await?;
        Ok(self.vendor.subscriptions().of(address))
    }

    async fn unsubscribe(&self, address: &Address) -> Result<()> {
        self.ask("unsubscribe").await?;
        self.vendor.subscriptions().remove(address);
        Ok(())
    }
}
