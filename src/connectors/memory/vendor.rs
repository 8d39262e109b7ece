//! An app in this process: its records, its history and its habits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

use super::cursor::{Cursor, OVERLAP_SECONDS};
use super::faults::{Dice, Fault, Faults};
use super::habits::{Author, Event, Habits};
use super::subscriptions::Subscriptions;
use crate::connectors::{
    Change, Departure, Error, ErrorKind, Fetched, Lookup, Page, Query, Result, Write, Written,
};
use crate::ports::Clock;
use crate::record::{
    FieldId, FieldType, ObjectName, Record, RecordName, RemoteId, Revision, Schema, Value,
    change_tags, normalise,
};

/// The app.
pub struct Vendor {
    object: ObjectName,
    schema: Schema,
    habits: Habits,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    subscriptions: Subscriptions,
}

struct Inner {
    records: BTreeMap<RemoteId, Stored>,
    removed: BTreeMap<RemoteId, Timestamp>,
    /// What was made of records that were converted, and when.
    converted: BTreeMap<RemoteId, (Timestamp, RecordName)>,
    history: Vec<Event>,
    next_id: u64,
    dice: Dice,
}

struct Stored {
    record: Record,
    written_by: Author,
    modified_at: Timestamp,
    written_at: Timestamp,
}

/// What a listing tells of a record.
enum State<'a> {
    Live(&'a Record),
    Removed,
    Converted(&'a RecordName),
}

impl Vendor {
    /// An app with one object, and nobody in it.
    #[must_use]
    pub fn new(object: ObjectName, schema: Schema, habits: Habits, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            records: BTreeMap::new(),
            removed: BTreeMap::new(),
            converted: BTreeMap::new(),
            history: Vec::new(),
            next_id: 1,
            dice: Dice::new(0, Faults::default()),
        };
        let subscriptions = Subscriptions::to(object.clone());
        Self { object, schema, habits, clock, inner: Mutex::new(inner), subscriptions }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves whole records.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Orders faults, drawn from a seed.
    pub fn order_faults(&self, seed: u64, faults: Faults) {
        self.lock().dice = Dice::new(seed, faults);
    }

    /// No faults any more.
    pub fn stop_faults(&self) {
        self.lock().dice.stop();
    }

    pub(super) fn next_fault(&self) -> Option<Fault> {
        self.lock().dice.throw()
    }

    pub(super) fn object(&self) -> &ObjectName {
        &self.object
    }

    pub(super) fn habits(&self) -> Habits {
        self.habits
    }

    pub(super) fn schema(&self) -> Schema {
        self.schema.clone()
    }

    pub(super) fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// A person makes a record.
    pub fn create(&self, fields: BTreeMap<FieldId, Value>) -> RemoteId {
        self.lock().create(self, fields, Author::Person)
    }

    /// A person changes fields of a record; false if it is not there.
    pub fn edit(&self, id: &RemoteId, fields: BTreeMap<FieldId, Value>) -> bool {
        self.lock().update(self, id, fields, Author::Person)
    }

    /// A person removes a record.
    pub fn remove(&self, id: &RemoteId) {
        let now = self.now();
        let mut inner = self.lock();
        if inner.records.remove(id).is_some() {
            inner.removed.insert(id.clone(), now);
        }
    }

    /// What was removed is told no more: it was too long ago.
    pub fn forget_removals(&self) {
        self.lock().removed.clear();
    }

    /// A person makes a record of another object of the same account out of one of these: it holds what
    /// this one held, and this one is there no more. None if it is not there.
    pub fn convert(&self, id: &RemoteId, other: &Self) -> Option<RemoteId> {
        let fields = self.lock().records.get(id)?.record.fields.clone();
        let made = other.create(fields);
        self.convert_into(id, other, &made);
        Some(made)
    }

    /// A person says that a record of another object of the same account is whom one of these is about:
    /// this one is there no more.
    pub fn convert_into(&self, id: &RemoteId, other: &Self, into: &RemoteId) {
        let became = RecordName { object: other.object.clone(), id: into.clone() };
        let now = self.now();
        let mut inner = self.lock();
        if inner.records.remove(id).is_some() {
            inner.converted.insert(id.clone(), (now, became));
        }
    }

    /// We make something else of a record.
    pub(super) fn become_other(
        &self,
        id: &RemoteId,
        other: &Self,
        into: Option<&RemoteId>,
    ) -> Written {
        if self.lock().converted.contains_key(id) {
            return Written::Later { code: "converted".to_owned() };
        }
        let became = match into {
            Some(into) => {
                self.convert_into(id, other, into);
                Some(into.clone())
            }
            None => self.convert(id, other),
        };
        match became {
            Some(_) => Written::Applied { id: id.clone(), revision: None, also: BTreeMap::new() },
            None => Written::Rejected { code: "not_found".to_owned(), field: None, holder: None },
        }
    }

    /// All records, as they are.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().records.values().map(|stored| stored.record.clone()).collect()
    }

    /// Everything that was ever done.
    #[must_use]
    pub fn history(&self) -> Vec<Event> {
        self.lock().history.clone()
    }

    fn now(&self) -> Timestamp {
        whole_second(self.clock.now())
    }

    pub(super) fn changes(&self, query: &Query, cursor: Option<&str>) -> Result<Page> {
        let began = self.clock.now().as_second();
        let cursor: Cursor = match cursor {
            Some(text) => serde_json::from_str(text).map_err(|_| lost())?,
            None => Cursor::begin(),
        };
        let walk_began = cursor.walk_began.unwrap_or(began);
        let lag = i64::from(self.habits.list_lag_seconds);
        let overlap = walk_began - OVERLAP_SECONDS - lag;
        let removed_from = cursor.removed_from.unwrap_or(overlap);
        let inner = self.lock();
        let mut changed: Vec<(i64, &RemoteId, State<'_>)> = inner
            .records
            .iter()
            .map(|(id, stored)| (stored.modified_at.as_second(), id, State::Live(&stored.record)))
            .filter(|(at, id, _)| {
                let is_late = *at + lag > began && inner.is_ours(id);
                *at >= cursor.since && !is_late
            })
            .chain(
                inner
                    .removed
                    .iter()
                    .map(|(id, at)| (at.as_second(), id, State::Removed))
                    .filter(|(at, ..)| *at >= removed_from),
            )
            .chain(
                inner
                    .converted
                    .iter()
                    .map(|(id, (at, became))| (at.as_second(), id, State::Converted(became)))
                    .filter(|(at, ..)| *at >= cursor.since),
            )
            .collect();
        changed.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let after = cursor.after.as_ref().map(|(at, id)| (*at, RemoteId::new(id.clone())));
        let rest = changed.into_iter().filter(|(at, id, _)| {
            after.as_ref().is_none_or(|(last, last_id)| (*at, *id) > (*last, last_id))
        });
        let page: Vec<_> = rest.take(self.habits.page_max + 1).collect();
        let is_last = page.len() <= self.habits.page_max;
        let page: Vec<_> = page.into_iter().take(self.habits.page_max).collect();
        let next = match page.last() {
            Some((at, id, _)) if !is_last => Cursor {
                since: cursor.since,
                after: Some((*at, id.to_string())),
                walk_began: Some(walk_began),
                removed_from: Some(removed_from),
            },
            _ => Cursor { since: overlap, removed_from: Some(overlap), ..Cursor::begin() },
        };
        let changes = page
            .into_iter()
            .map(|(_, id, state)| match state {
                State::Live(record) => Change::Seen(select(record, query)),
                State::Removed => Change::Gone(id.clone()),
                State::Converted(became) => Change::Left(departure(id, became)),
            })
            .collect();
        let cursor = serde_json::to_string(&next).map_err(|_| lost())?;
        Ok(Page { changes, cursor, is_last, moment: None })
    }

    pub(super) fn fetch(&self, query: &Query, ids: &BTreeSet<RemoteId>) -> Vec<Fetched> {
        let inner = self.lock();
        ids.iter()
            .map(|id| match (inner.records.get(id), inner.converted.get(id)) {
                (Some(stored), _) => Fetched::Live(select(&stored.record, query)),
                (None, Some((_, became))) => Fetched::Left(departure(id, became)),
                (None, None) => Fetched::Gone(id.clone()),
            })
            .collect()
    }

    pub(super) fn find(&self, query: &Query, lookups: &BTreeSet<Lookup>) -> Vec<Record> {
        let lag = std::time::Duration::from_secs(u64::from(self.habits.search_lag_seconds));
        let now = self.clock.now();
        let has = |record: &Record, lookup: &Lookup| {
            record.fields.iter().any(|(id, value)| {
                self.schema.get(id).filter(|field| field.kind == lookup.kind).is_some_and(|field| {
                    let elements = normalise(value, field, None).elements();
                    elements.iter().any(|element| element.text() == lookup.value)
                })
            })
        };
        self.lock()
            .records
            .values()
            .filter(|stored| lag.is_zero() || stored.written_at + lag <= now)
            .filter(|stored| lookups.iter().any(|lookup| has(&stored.record, lookup)))
            .map(|stored| select(&stored.record, query))
            .collect()
    }

    pub(super) fn apply(&self, writes: &[Write]) -> Vec<Written> {
        let mut inner = self.lock();
        writes
            .iter()
            .map(|write| {
                let id = match &write.id {
                    None => {
                        let mut fields = write.fields.clone();
                        self.put_tags(None, write, &mut fields);
                        inner.create(self, fields, Author::Engine)
                    }
                    Some(id) => {
                        let mut fields = write.fields.clone();
                        let old = inner.records.get(id).map(|stored| &stored.record);
                        self.put_tags(old, write, &mut fields);
                        if inner.converted.contains_key(id) {
                            return Written::Later { code: "converted".to_owned() };
                        }
                        if !inner.update(self, id, fields, Author::Engine) {
                            let code = "not_found".to_owned();
                            return Written::Rejected { code, field: None, holder: None };
                        }
                        id.clone()
                    }
                };
                let stored = inner.records.get(&id);
                let revision = stored.and_then(|stored| stored.record.revision.clone());
                Written::Applied { id, revision, also: BTreeMap::new() }
            })
            .collect()
    }

    fn put_tags(&self, old: Option<&Record>, write: &Write, fields: &mut BTreeMap<FieldId, Value>) {
        let Some(field) = self.schema.iter().find(|field| field.kind == FieldType::Tag) else {
            return;
        };
        if write.tags_add.is_empty() && write.tags_remove.is_empty() {
            return;
        }
        let old = old.and_then(|record| record.get(&field.id)).unwrap_or(&Value::Cleared);
        let value = change_tags(old, &write.tags_add, &write.tags_remove);
        fields.insert(field.id.clone(), value);
    }

    /// What is stored when this is sent.
    pub(super) fn would_store(&self, field: &FieldId, value: &Value) -> Option<Value> {
        match value {
            Value::Text(text) if self.habits.shouts && field.as_str() == "city" => {
                Some(Value::Text(text.to_uppercase()))
            }
            _ => None,
        }
    }
}

impl Inner {
    /// Whether a record was last written by us.
    fn is_ours(&self, id: &RemoteId) -> bool {
        self.records.get(id).is_some_and(|stored| stored.written_by == Author::Engine)
    }

    fn create(
        &mut self,
        vendor: &Vendor,
        fields: BTreeMap<FieldId, Value>,
        by: Author,
    ) -> RemoteId {
        let id = RemoteId::new(format!("{:06}", self.next_id));
        self.next_id += 1;
        let mut record = Record::new(vendor.object.clone(), id.clone());
        record.created_at = Some(vendor.now());
        for field in vendor.schema.iter() {
            record.fields.insert(field.id.clone(), Value::Cleared);
        }
        let now = vendor.clock.now();
        let stored =
            Stored { record, written_by: by, modified_at: whole_second(now), written_at: now };
        self.records.insert(id.clone(), stored);
        self.write(vendor, &id, fields, by, true);
        id
    }

    fn update(
        &mut self,
        vendor: &Vendor,
        id: &RemoteId,
        fields: BTreeMap<FieldId, Value>,
        by: Author,
    ) -> bool {
        if !self.records.contains_key(id) {
            return false;
        }
        self.write(vendor, id, fields, by, false);
        true
    }

    fn write(
        &mut self,
        vendor: &Vendor,
        id: &RemoteId,
        fields: BTreeMap<FieldId, Value>,
        by: Author,
        is_create: bool,
    ) {
        let now = vendor.clock.now();
        let fields: BTreeMap<FieldId, Value> = fields
            .into_iter()
            .map(|(field, value)| {
                let kept = vendor.would_store(&field, &value).unwrap_or(value);
                (field, kept)
            })
            .collect();
        let revision = Revision::new((self.history.len() + 1).to_string());
        if let Some(stored) = self.records.get_mut(id) {
            stored.record.fields.extend(fields.clone());
            stored.record.revision = Some(revision);
            stored.record.modified_at = Some(whole_second(now));
            stored.modified_at = whole_second(now);
            stored.written_at = now;
            stored.written_by = by;
        }
        self.history.push(Event { at: now, by, id: id.clone(), is_create, fields });
    }
}

fn departure(id: &RemoteId, became: &RecordName) -> Departure {
    Departure { id: id.clone(), became: Some(became.clone()) }
}

fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn select(record: &Record, query: &Query) -> Record {
    let mut record = record.clone();
    record.fields.retain(|field, _| query.fields.contains(field));
    record
}

fn lost() -> Error {
    Error::new(ErrorKind::CursorLost, "changes", "cursor")
}
