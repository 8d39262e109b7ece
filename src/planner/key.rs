//! What people are recognised by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::settings::{MatchKey, SideSettings};
use crate::record::{Field, FieldType, Record, Semantic, fold, name, normalise};

/// Something a person is recognised by, in normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its kind.
    pub kind: MatchKey,
    /// Its normal form.
    pub value: String,
}

/// The keys that a record carries: every e-mail address and phone number in it, and its name.
#[must_use]
pub fn record_keys(record: &Record, side: &SideSettings) -> (BTreeSet<Key>, Option<String>) {
    let Some(schema) = side.schema(&record.object) else { return (BTreeSet::new(), None) };
    let mut keys = BTreeSet::new();
    for (id, value) in &record.fields {
        let Some(field) = schema.get(id) else { continue };
        let kind = match field.kind {
            FieldType::Email => MatchKey::Email,
            // A fax is shared by an office.
            FieldType::Phone if field.semantic != Some(Semantic::Fax) => MatchKey::Phone,
            _ => continue,
        };
        for element in normalise(value, field, side.region.as_ref()).elements() {
            let value = element.text();
            if is_telling(kind, &value) {
                keys.insert(Key { kind, value });
            }
        }
    }
    (keys, full_name(record, schema.iter()))
}

/// Whether a value says who somebody is. People type "none" and "-" into demanded fields.
fn is_telling(kind: MatchKey, value: &str) -> bool {
    match kind {
        MatchKey::Email => value.rsplit_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.contains(' ')
        }),
        // Only what was understood as a number has this form.
        MatchKey::Phone => value.starts_with('+') && value.len() > 5,
    }
}

fn full_name<'a>(record: &Record, fields: impl Iterator<Item = &'a Field>) -> Option<String> {
    let mut parts = name::Parts::default();
    let mut full = None;
    for field in fields {
        let Some(text) = record.get(&field.id).map(crate::record::Value::text) else { continue };
        match field.semantic {
            Some(Semantic::NameFirst) => parts.first = text,
            Some(Semantic::NameLast) => parts.last = text,
            Some(Semantic::NameFull) => full = Some(text),
            _ => {}
        }
    }
    let joined = fold(&name::join(&parts));
    let name = if joined.is_empty() { fold(&full.unwrap_or_default()) } else { joined };
    (!name.is_empty()).then_some(name)
}
