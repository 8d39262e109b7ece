//! How an app behaves, and what was done in it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::record::{FieldId, RemoteId, Value};

/// How an app behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Records per page.
    pub page_max: usize,
    /// Records per write.
    pub write_many_max: usize,
    /// How long its search misses what was just written, in seconds.
    pub search_lag_seconds: u32,
    /// How long its listings miss what was just written by the API, in seconds.
    pub list_lag_seconds: u32,
    /// Upper-cases what it stores in the field `city`.
    pub shouts: bool,
}

/// Who did something to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// A person, in the app.
    Person,
    /// We, by the API.
    Engine,
}

/// Something that was done to a record. The app's own history, by which a run is judged from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Author,
    /// To which record.
    pub id: RemoteId,
    /// Whether the record was made by it.
    pub is_create: bool,
    /// The fields as they were stored.
    pub fields: BTreeMap<FieldId, Value>,
}
