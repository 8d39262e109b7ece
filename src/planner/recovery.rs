//! What is known of a write whose answer got lost, or whose item was cut off half-way: as far as the
//! record says what was sent, the write was made, and what differs since is a person's edit.

use std::collections::{BTreeMap, BTreeSet};

use super::item::Op;
use super::pair::{Base, Link, Sent};
use super::settings::Settings;
use crate::record::{FieldId, Record, Side, Value, change_tags, fold, normalise};

impl Link {
    /// What an op of this link may take over once it has landed: all but what the item's other ops
    /// have still to write on the other side. Entries that read what this op writes, and whose own
    /// target waits for those, keep the base they have; of sets, the elements that wait stay out.
    #[must_use]
    pub fn planned_for<'a>(
        &self,
        settings: &Settings,
        side: Side,
        due: impl Iterator<Item = &'a Op>,
    ) -> Self {
        let tags = settings.sides.of(side.other()).tags.as_ref();
        let mut planned = self.clone();
        for op in due.filter(|op| op.side != side) {
            for (_, entry) in settings.entries().filter(|(source, _)| *source == side) {
                if op.fields.contains_key(&entry.target) {
                    planned.bases.remove(&entry.id);
                } else if !op.tags.is_empty()
                    && tags == Some(&entry.target)
                    && let Some(slot) =
                        planned.bases.get_mut(&entry.id).and_then(|base| base.inputs.first_mut())
                {
                    // As it is before the op carries its part of it.
                    *slot = change_tags(slot, &op.tags.remove, &op.tags.add);
                }
            }
        }
        planned
    }

    /// Takes over the bases that were planned with a write whose answer got lost, as far as the
    /// record that was written still says what was sent: there the write was made, and what differs
    /// since is a person's edit. The rest stays as it was; perhaps nobody wrote it.
    pub fn recover(&mut self, planned: &Self, settings: &Settings, op: &Op, now: &Record) {
        let sent = planned.unconfirmed.of(op.side);
        let landed = landed(settings, op, sent, now);
        for field in &landed {
            // Perhaps in a form of the app's own, which is not an edit.
            if let Some(sent) = sent.get(field) {
                self.unconfirmed.of_mut(op.side).insert(field.clone(), sent.clone());
            }
        }
        for (source, entry) in settings.entries() {
            let is_there = if source == op.side {
                !entry.inputs.is_empty() && entry.inputs.iter().all(|input| landed.contains(input))
            } else {
                landed.contains(&entry.target)
            };
            if is_there && let Some(base) = planned.bases.get(&entry.id) {
                let mut base = base.clone();
                if source == op.side
                    && let Some(known) = self.bases.get(&entry.id)
                {
                    keep_elements(&mut base, known);
                }
                self.bases.insert(entry.id.clone(), base);
            }
        }
        self.marks.of_mut(op.side).clone_from(planned.marks.of(op.side));
    }
}

/// Of sets, what another op of the same item has carried already stays agreed.
fn keep_elements(base: &mut Base, known: &Base) {
    for (slot, known) in base.inputs.iter_mut().zip(&known.inputs) {
        if let Value::List(items) = slot {
            for element in known.elements() {
                if !items.iter().any(|item| fold(&item.text()) == fold(&element.text())) {
                    items.push(element.clone());
                }
            }
        }
    }
}

/// The fields of an op that a record holds as they were sent, or in the form that the app gives them.
fn landed(
    settings: &Settings,
    op: &Op,
    expected: &BTreeMap<FieldId, Sent>,
    now: &Record,
) -> BTreeSet<FieldId> {
    let own = settings.sides.of(op.side);
    let Some(schema) = own.schema(&now.object) else { return BTreeSet::new() };
    let normal = |field: &FieldId, value: &Value| {
        Some(normalise(value, schema.get(field)?, own.region.as_ref()))
    };
    let holds = |field: &FieldId, sent: &Value| {
        let now = now.get(field).and_then(|now| normal(field, now));
        let form = expected.get(field).and_then(|sent| sent.expected.clone());
        now.is_some() && (now == normal(field, sent) || now == form)
    };
    let mut landed: BTreeSet<FieldId> = op
        .fields
        .iter()
        .filter(|(field, sent)| holds(field, sent))
        .map(|(field, _)| field.clone())
        .collect();
    if let Some(tags) = own.tags.as_ref().filter(|_| !op.tags.is_empty()) {
        let names: BTreeSet<String> = now
            .get(tags)
            .map(|value| value.elements().iter().map(|tag| fold(&tag.text())).collect())
            .unwrap_or_default();
        let has = |name: &String| names.contains(&fold(name));
        if op.tags.add.iter().all(has) && !op.tags.remove.iter().any(has) {
            landed.insert(tags.clone());
        }
    }
    landed
}
