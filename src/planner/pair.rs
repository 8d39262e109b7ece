//! What one plan is made from: a pair of records, or a single one, and what is remembered of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::item::Op;
use super::matching::Match;
use super::settings::{EntryId, Settings};
use crate::record::{FieldId, Normal, PerSide, Record, Revision, Side, Value, fold, normalise};

/// A record as last observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// What was read of it.
    pub record: Record,
    /// Whether it is still there.
    #[serde(default)]
    pub presence: Presence,
}

/// Whether a record is still in its app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It was read.
    #[default]
    Live,
    /// It is gone, and there is proof: a deletion feed or hook confirmed by a read, or two complete
    /// listings without it.
    Gone,
    /// The account may not read it any more. Not a deletion; nothing is done.
    Forbidden,
}

/// The input of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The observed record of each side.
    pub seen: PerSide<Option<Seen>>,
    /// What links them, if something does.
    pub link: Option<Link>,
    /// What matching says of them, if nothing does.
    pub matched: Match,
    /// Per sync, by the side that it reads: whether all records of this pair stand unchanged since
    /// that sync's baseline. Always false for a sync that started with ALL.
    pub baseline: PerSide<bool>,
}

impl Pair {
    /// The record of a side, if it is there.
    #[must_use]
    pub fn live(&self, side: Side) -> Option<&Record> {
        let seen = self.seen.of(side).as_ref()?;
        (seen.presence == Presence::Live).then_some(&seen.record)
    }

    /// Whether the record of a side is gone with proof.
    #[must_use]
    pub fn is_gone(&self, side: Side) -> bool {
        self.seen.of(side).as_ref().is_some_and(|seen| seen.presence == Presence::Gone)
    }
}

/// What is remembered of two records that are kept the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Which of its ends live.
    pub state: LinkState,
    /// The configuration version with which it was last settled.
    pub version: u32,
    /// Per entry, how things stood when it last agreed, was carried, or was accepted.
    pub bases: BTreeMap<EntryId, Base>,
    /// What the engine itself put into the record of each side. It never travels.
    pub marks: PerSide<Marks>,
    /// Per side and field, what we sent and have not read back yet.
    pub unconfirmed: PerSide<BTreeMap<FieldId, Sent>>,
    /// Per side, whether its record was in scope of the sync that reads it when it was last planned.
    /// A deletion travels only then.
    pub was_in_scope: PerSide<bool>,
}

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
                    *slot = before(slot, op);
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

/// A set of tags as it is before an op carries its part of it to the other side.
fn before(tags: &Value, op: &Op) -> Value {
    let is =
        |tag: &Value, names: &[String]| names.iter().any(|name| fold(name) == fold(&tag.text()));
    let mut before: Vec<Value> =
        tags.elements().iter().filter(|tag| !is(tag, &op.tags.add)).cloned().collect();
    before.extend(op.tags.remove.iter().cloned().map(Value::Text));
    Value::List(before)
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

/// Which ends of a link live. A link is never dropped while one of them does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Both.
    #[default]
    Active,
    /// The right one.
    LeftGone,
    /// The left one.
    RightGone,
    /// Neither.
    BothGone,
    /// Parted by a person: these two never match again.
    Severed,
    /// Its record was merged into one that has a link of its own.
    Merged,
}

impl LinkState {
    /// Whether the end on this side is known to be gone.
    #[must_use]
    pub fn is_gone(self, side: Side) -> bool {
        match side {
            Side::Left => matches!(self, Self::LeftGone | Self::BothGone),
            Side::Right => matches!(self, Self::RightGone | Self::BothGone),
        }
    }

    /// The state with these ends gone.
    #[must_use]
    pub fn with_gone(gone: PerSide<bool>) -> Self {
        match (gone.left, gone.right) {
            (false, false) => Self::Active,
            (true, false) => Self::LeftGone,
            (false, true) => Self::RightGone,
            (true, true) => Self::BothGone,
        }
    }
}

/// How an entry stood: its inputs and its target, as they were read or written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// One value per input of the entry, in its order.
    pub inputs: Vec<Value>,
    /// The target.
    pub target: Value,
}

/// What the engine put into a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Tags, in normal form: constants, and those that tell of a deletion.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// Of those, the one that tells of a deletion on the other side; taken back on reappearance.
    #[serde(default)]
    pub deleted_tag: Option<String>,
    /// Constants and stand-ins, by the field in which they were written.
    #[serde(default)]
    pub values: BTreeMap<FieldId, Normal>,
}

/// A value that we wrote, until it is read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// What we sent, in normal form.
    pub value: Normal,
    /// What the app is expected to make of it, where it is known to change values.
    #[serde(default)]
    pub expected: Option<Normal>,
    /// The record's revision that our write made, where the app told.
    #[serde(default)]
    pub revision: Option<Revision>,
}
