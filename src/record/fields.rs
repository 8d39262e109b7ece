//! A record as it was read: its id and the set of fields that were read, each with its value.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FieldId, ObjectName, RecordName, RemoteId, Revision, Value};

/// One record of one app.
///
/// `fields` is the set of fields that were read. A field outside it is *absent*: nothing is known of
/// it, and nothing is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The object it is of.
    pub object: ObjectName,
    /// Its id in the app.
    pub id: RemoteId,
    /// What the app says of its state, where the app says anything.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// When the app says it was made; decides which of several duplicates is the oldest.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When the app says it last changed.
    #[serde(default)]
    pub modified_at: Option<Timestamp>,
    /// The fields that were read.
    pub fields: BTreeMap<FieldId, Value>,
}

impl Record {
    /// A record of which nothing was read yet.
    #[must_use]
    pub fn new(object: impl Into<ObjectName>, id: impl Into<RemoteId>) -> Self {
        Self {
            object: object.into(),
            id: id.into(),
            revision: None,
            created_at: None,
            modified_at: None,
            fields: BTreeMap::new(),
        }
    }

    /// What its app calls it.
    #[must_use]
    pub fn name(&self) -> RecordName {
        RecordName { object: self.object.clone(), id: self.id.clone() }
    }

    /// The value of a field that was read.
    #[must_use]
    pub fn get(&self, field: &FieldId) -> Option<&Value> {
        self.fields.get(field)
    }

    /// Sets a field that is thereby read. Gives the record back, to be chained.
    #[must_use]
    pub fn with(mut self, field: impl Into<FieldId>, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }
}
