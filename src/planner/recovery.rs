//! What is known of a write whose answer got lost, or whose item was cut off half-way: as far as the
//! record says what was sent, the write was made, and what differs since is a person's edit.

use std::collections::{BTreeMap, BTreeSet};

use super::item::Op;
use super::mapping::Entry;
use super::pair::{Link, Sent};
use super::settings::Settings;
use crate::record::{FieldId, Record, Side, Value, change_tags, fold, normalise};

impl Link {
    /// What an op of this link may take over once it has landed: all but what the item's other ops
    /// have still to write on the other side. Entries that read what this op writes, and whose own
    /// target waits for those, keep the base they have; of sets, the elements that wait stay out; and
    /// entries that read what waits have read it as it was before.
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
            let waits = |field: &FieldId| !op.tags.is_empty() && tags == Some(field);
            for (source, entry) in settings.entries() {
                if source == side && op.fields.contains_key(&entry.target) {
                    planned.bases.remove(&entry.id);
                }
                let Some(base) = planned.bases.get_mut(&entry.id) else { continue };
                if source == side && waits(&entry.target) {
                    // As it is before the op carries its part of it.
                    if let Some(slot) = base.inputs.first_mut() {
                        *slot = change_tags(slot, &op.tags.remove, &op.tags.add);
                    }
                } else if source == op.side {
                    for (input, slot) in entry.inputs.iter().zip(&mut base.inputs) {
                        if waits(input) {
                            *slot = change_tags(slot, &op.tags.remove, &op.tags.add);
                        } else if let Some(before) = op.before(input) {
                            slot.clone_from(before);
                        }
                    }
                }
            }
        }
        planned
    }

    /// Takes over the bases that were planned with a write whose answer got lost, as far as the
    /// record that was written still says what was sent: there the write was made, and what differs
    /// since is a person's edit. The rest stays as it was; perhaps nobody wrote it. False if nothing of
    /// it is there.
    pub fn recover(&mut self, planned: &Self, settings: &Settings, op: &Op, now: &Record) -> bool {
        let sent = planned.unconfirmed.of(op.side);
        let landed = landed(settings, op, sent, now);
        for field in &landed {
            // Perhaps in a form of the app's own, which is not an edit.
            if let Some(sent) = sent.get(field) {
                self.unconfirmed.of_mut(op.side).insert(field.clone(), sent.clone());
            }
        }
        let tags = settings.sides.of(op.side).tags.as_ref();
        let is_written = |field: &FieldId| {
            op.fields.contains_key(field) || (!op.tags.is_empty() && tags == Some(field))
        };
        for (source, entry) in settings.entries() {
            let is_there = if source == op.side {
                // Whatever else it reads was planned upon as it was.
                let mut written = entry.inputs.iter().filter(|input| is_written(input)).peekable();
                written.peek().is_some() && written.all(|input| landed.contains(input))
            } else {
                landed.contains(&entry.target)
            };
            if !is_there || !planned.bases.contains_key(&entry.id) {
                continue;
            }
            self.take_over(settings, planned, source, entry, op);
            if source == op.side {
                // What of it no op had to write was what the other side has.
                for agreed in settings.mirrors(source, entry) {
                    if !is_written(&agreed.target) {
                        self.take_over(settings, planned, source.other(), agreed, op);
                    }
                }
            }
        }
        self.recover_marks(planned, settings, op.side, &landed);
        !landed.is_empty()
    }

    /// Takes over the base of an entry. What it was planned upon had been read back by then: the app's
    /// form of it is awaited no more, and who gives it the same value later has typed it. Of sets that
    /// had a base only what the op did for this entry is taken over: other ops may have landed meanwhile,
    /// and an op may carry elements of several entries.
    fn take_over(
        &mut self,
        settings: &Settings,
        planned: &Self,
        source: Side,
        entry: &Entry,
        op: &Op,
    ) {
        let Some(base) = planned.bases.get(&entry.id) else { return };
        let mut base = base.clone();
        let tags = settings.sides.of(op.side).tags.as_ref().filter(|_| !op.tags.is_empty());
        let is_carried = source != op.side && tags == Some(&entry.target);
        if let Some(known) = self.bases.get(&entry.id) {
            for ((input, slot), known) in
                entry.inputs.iter().zip(&mut base.inputs).zip(&known.inputs)
            {
                if is_carried || (source == op.side && tags == Some(input)) {
                    let part = |names: &[String], is_in: bool| -> Vec<String> {
                        let is_of_it = |name: &&String| holds_tag(slot, name) == is_in;
                        names.iter().filter(is_of_it).cloned().collect()
                    };
                    let (add, remove) = (part(&op.tags.add, true), part(&op.tags.remove, false));
                    *slot = change_tags(known, &add, &remove);
                }
            }
        }
        self.bases.insert(entry.id.clone(), base);
        let inputs = entry.inputs.iter().map(|input| (source, input));
        for (side, field) in inputs.chain([(source.other(), &entry.target)]) {
            if !planned.unconfirmed.of(side).contains_key(field) {
                self.unconfirmed.of_mut(side).remove(field);
            }
        }
    }

    /// What of ours is in the record by now.
    fn recover_marks(
        &mut self,
        planned: &Self,
        settings: &Settings,
        side: Side,
        landed: &BTreeSet<FieldId>,
    ) {
        let (marks, new) = (self.marks.of_mut(side), planned.marks.of(side));
        for field in landed {
            match new.values.get(field) {
                Some(value) => marks.values.insert(field.clone(), value.clone()),
                None => marks.values.remove(field),
            };
        }
        if settings.sides.of(side).tags.as_ref().is_some_and(|tags| landed.contains(tags)) {
            marks.tags.clone_from(&new.tags);
            marks.deleted_tag.clone_from(&new.deleted_tag);
        }
    }

    /// This link before anything of it is written: it says who is the same person and what was in
    /// scope, and nothing of values.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self {
            state: self.state,
            version: self.version,
            was_in_scope: self.was_in_scope,
            ..Self::default()
        }
    }

    /// This link as it is once the ops are on their way: with the bases of the entries that no op
    /// touches. What was accepted as it stood stays accepted, whatever becomes of the writes.
    #[must_use]
    pub fn untouched_by(&self, settings: &Settings, ops: &[Op]) -> Self {
        let is_written = |side: Side, field: &FieldId| {
            ops.iter().filter(|op| op.side == side).any(|op| {
                op.fields.contains_key(field) || op.decisions.iter().any(|d| d.field == *field)
            })
        };
        let mut link = self.bare();
        for (source, entry) in settings.entries() {
            let is_touched = is_written(source.other(), &entry.target)
                || entry.inputs.iter().any(|input| is_written(source, input));
            if !is_touched && let Some(base) = self.bases.get(&entry.id) {
                link.bases.insert(entry.id.clone(), base.clone());
            }
        }
        link
    }
}

fn holds_tag(tags: &Value, name: &str) -> bool {
    tags.elements().iter().any(|tag| fold(&tag.text()) == fold(name))
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
