//! What one plan is made from: a pair of records, or a single one, and what is remembered of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::matching::Match;
use super::settings::EntryId;
use crate::record::{FieldId, Normal, PerSide, Record, RecordName, Revision, Side, Value};

/// A record as last observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// What was read of it.
    pub record: Record,
    /// Whether it is still there.
    #[serde(default)]
    pub presence: Presence,
    /// What it is now, if it has left and its app tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became: Option<RecordName>,
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
    /// It is one of this object no more, and was not removed: a lead that was converted. Not a deletion
    /// either.
    Left,
}

impl Presence {
    /// Whether a later observation changes nothing: what has left its object and is removed afterwards
    /// was not removed from it.
    #[must_use]
    pub fn outlasts(self, later: Self) -> bool {
        (self, later) == (Self::Left, Self::Gone)
    }
}

/// Another record of the same person on the same side, which matching says they share a key with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: RecordName,
    /// Whether it is linked to somebody.
    pub is_linked: bool,
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
    /// Who the record of a side may become, where it can become anything.
    pub others: PerSide<Vec<Other>>,
    /// Per sync, by the side that it reads: whether all records of this pair stand unchanged since
    /// that sync's baseline. Always false for a sync that started with ALL.
    pub baseline: PerSide<bool>,
    /// Per sync, by the side that it reads: whether the record of that side does, whatever became of the
    /// other's.
    pub is_old: PerSide<bool>,
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
    /// The revision that our last write of each record made, where the app told. A record that bears
    /// it may be no more than what we believe.
    #[serde(default)]
    pub written: PerSide<Option<Revision>>,
    /// What the record of each side was before it became what it is, oldest first.
    #[serde(default)]
    pub aliases: PerSide<Vec<RecordName>>,
    /// Per side, whether its record was in scope of the sync that reads it when it was last planned.
    /// A deletion travels only then.
    pub was_in_scope: PerSide<bool>,
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
    /// What the record was to hold with it, in normal form.
    pub value: Normal,
    /// What of it was in the write. Of a field that is written whole, all; of tags, those that were
    /// added: one that stood there already and is missing afterwards was taken away by a person.
    pub ours: BTreeSet<Value>,
    /// What the app is expected to make of it, where it is known to change values.
    #[serde(default)]
    pub expected: Option<Normal>,
    /// The record's revision that our write made, where the app told.
    #[serde(default)]
    pub revision: Option<Revision>,
}
