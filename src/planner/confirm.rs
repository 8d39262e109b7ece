//! Reading back what was sent: the app's own form of it, or a person's edit.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::finding::FindingCode;
use super::pair::Sent;
use crate::record::{FieldId, Normal, Record, Side, Value, fold};

impl Draft<'_> {
    /// Reads back what was sent: what the app made of it becomes the base; what a person made of it
    /// is an edit like any other.
    pub(super) fn confirm(&mut self) {
        for side in Side::BOTH {
            let Some(record) = self.pair.live(side) else { continue };
            for (field, sent) in std::mem::take(self.link.unconfirmed.of_mut(side)) {
                let Some(stored) = record.get(&field) else {
                    // Not read this time: still to be confirmed.
                    self.link.unconfirmed.of_mut(side).insert(field, sent);
                    continue;
                };
                let normal = self.normal(side, &field, stored);
                if normal == sent.value && record.revision == *self.link.written.of(side) {
                    // Perhaps only what we believe: the app's own form may still come.
                    self.link.unconfirmed.of_mut(side).insert(field, sent);
                    continue;
                }
                let is_set = self.field(side, &field).is_some_and(|field| field.many);
                if normal != sent.value && is_the_apps_form(&sent, &normal, record, is_set) {
                    let code = if normal.is_cleared() {
                        FindingCode::ValueRejected
                    } else {
                        FindingCode::StoredDifferently
                    };
                    self.find(code, Some(side), Some(&field));
                    self.accept(side, &field, stored, &sent.ours);
                }
            }
        }
    }

    /// Takes a value of a field as what every entry that touches it last agreed upon.
    fn accept(&mut self, side: Side, field: &FieldId, stored: &Value, ours: &BTreeSet<Value>) {
        let is_set = self.field(side, field).is_some_and(|field| field.many);
        for (source, entry) in self.settings.entries() {
            let Some(mut base) = self.link.bases.remove(&entry.id) else { continue };
            if source != side && entry.target == *field {
                base.target = stored.clone();
            }
            if source == side {
                for (input, slot) in entry.inputs.iter().zip(&mut base.inputs) {
                    if input == field {
                        *slot = if is_set {
                            self.without_dropped(side, field, slot, stored, ours)
                        } else {
                            stored.clone()
                        };
                    }
                }
            }
            self.link.bases.insert(entry.id.clone(), base);
        }
    }

    /// A set as it was, without what the app dropped of what we sent. What is in it beside that was
    /// put there by a person, perhaps just before our write, and is still to be carried.
    fn without_dropped(
        &self,
        side: Side,
        field: &FieldId,
        was: &Value,
        stored: &Value,
        ours: &BTreeSet<Value>,
    ) -> Value {
        let stored = self.pairs(side, field, stored);
        let is_stored = |normal: &Value| stored.iter().any(|(known, _)| known == normal);
        let mut kept = self.pairs(side, field, was);
        kept.retain(|(normal, _)| !ours.contains(normal) || is_stored(normal));
        Value::List(kept.into_iter().map(|(_, raw)| raw).collect())
    }
}

/// Whether what was read back is what the app made of what we sent, rather than a person's edit. The
/// revision alone does not tell: apps count in seconds, and a person may edit in the same one. Of sets
/// each element is told apart later.
fn is_the_apps_form(sent: &Sent, stored: &Normal, record: &Record, is_set: bool) -> bool {
    let same_revision = sent.revision.is_some() && sent.revision == record.revision;
    sent.expected.as_ref() == Some(stored)
        || same_revision && (is_set || is_like(&sent.value, stored))
}

/// Whether an app may have made this of that: emptied it, cut it, or changed its letters and signs.
fn is_like(sent: &Normal, stored: &Normal) -> bool {
    let plain = |value: &Value| -> String {
        fold(&value.text()).chars().filter(|letter| letter.is_alphanumeric()).collect()
    };
    plain(sent.value()).starts_with(&plain(stored.value()))
}
