//! The plan of one pair or single record: what it comes to, what is to be written, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::mapping::Unresolved;
use super::pair::Link;
use super::settings::{Channel, EntryId};
use crate::record::{Conversion, FieldId, ObjectName, PerSide, RemoteId, Revision, Side, Value};

/// The plan of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The records it is about.
    pub records: PerSide<Option<RemoteId>>,
    /// What becomes of them. Exactly one, by precedence.
    pub outcome: Outcome,
    /// The writes, in the order in which they are to be made.
    pub ops: Vec<Op>,
    /// What the link is once every op has succeeded; none if there is and will be no link.
    pub link: Option<Link>,
    /// Whether that link is new.
    pub is_new_link: bool,
    /// How each entry of the mapping stands.
    pub entries: BTreeMap<EntryId, Entered>,
    /// What a person should know.
    pub findings: BTreeSet<Finding>,
}

impl Item {
    /// A fingerprint of what would be written; an approval covers exactly this. Stable across
    /// processes and releases with the same op format.
    #[must_use]
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        // Plain data with string keys only: serialising it cannot fail.
        let document = serde_json::to_vec(&(&self.records, &self.ops)).unwrap_or_default();
        hasher.update(&document);
        hasher.finalize()
    }
}

/// What becomes of a record. Declared in order of precedence: the first that fits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "snake_case")]
pub enum Outcome {
    /// It can't be planned or written as it is.
    Failed(Failure),
    /// Both sides changed and nobody said whose value stands.
    Conflict,
    /// Several records could be its partner.
    Ambiguous,
    /// Another record of its side has its key.
    Duplicate,
    /// Held back until something else is settled.
    Waiting(Wait),
    /// It is made on the other side.
    Created,
    /// Its deletion is carried to its partner.
    Deleted,
    /// A field of either side is written.
    Updated,
    /// It is paired with a record that was there; nothing is written.
    Linked,
    /// Nothing to do.
    InSync,
    /// No sync lets it in.
    Excluded,
    /// It is left alone.
    Skipped(Skip),
}

impl Outcome {
    /// Its name in counts and answers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Conflict => "conflict",
            Self::Ambiguous => "ambiguous",
            Self::Duplicate => "duplicate",
            Self::Waiting(_) => "waiting",
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Updated => "updated",
            Self::Linked => "linked",
            Self::InSync => "in_sync",
            Self::Excluded => "excluded",
            Self::Skipped(_) => "skipped",
        }
    }
}

/// Why a record can't be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "code", content = "field", rename_all = "snake_case")]
pub enum Failure {
    /// The other app demands this field, and the record has nothing for it.
    RequiredField(FieldId),
    /// The mapping goes round in circles on this record: nothing is written.
    Unsettled,
    /// The app refused it.
    Refused,
}

/// What a record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// A field that a filter asks about, or that an entry reads, to be read.
    Unread,
    /// The brake to be released by a person.
    Brake,
    /// The app, which could not do it now: it is tried again.
    Retry,
    /// An answer that got lost: what became of it is being found out.
    Answer,
}

/// Why a record is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// It was there before a NEW_ONLY sync began, and has not changed since.
    Baseline,
    /// It carries nothing to recognise it by.
    NoMatchKey,
    /// No sync reads its side.
    NoSync,
    /// The sync that reads its side is not running.
    Paused,
    /// A person parted it from its partner.
    Severed,
    /// Its partner is gone, as the link says or the tag `Deleted in <app>`; nothing is recreated.
    PartnerGone,
    /// It is gone, and had no partner.
    Gone,
    /// The account may not read it any more.
    Forbidden,
    /// It is one of this object no more: a lead that was converted.
    Left,
    /// It was merged into another record.
    Merged,
    /// Another record of its side is the same person, and is the one that is kept the same: a lead
    /// beside a contact. Only permission reaches it.
    Companion,
}

impl Skip {
    /// Its name in counts and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::NoMatchKey => "no_match_key",
            Self::NoSync => "no_sync",
            Self::Paused => "paused",
            Self::Severed => "severed",
            Self::PartnerGone => "partner_gone",
            Self::Gone => "gone",
            Self::Forbidden => "forbidden",
            Self::Left => "left",
            Self::Merged => "merged",
            Self::Companion => "companion",
        }
    }
}

/// One intended write: of one kind, one item of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The side that is written.
    pub side: Side,
    /// What it is.
    pub kind: OpKind,
    /// The object written.
    pub object: ObjectName,
    /// The record written; none for a create.
    pub id: Option<RemoteId>,
    /// The revision that was planned upon, for apps with conditional writes.
    pub revision: Option<Revision>,
    /// The fields, whole values; sets other than tags too.
    pub fields: BTreeMap<FieldId, Value>,
    /// Tags to add and to remove. Foreign ones stay.
    pub tags: TagChange,
    /// What the record becomes, where that is all that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<Conversion>,
    /// Which op of this item must have succeeded before.
    pub after: Option<usize>,
    /// Why, one for every value written.
    pub decisions: Vec<Decision>,
}

impl Op {
    /// How many fields it empties.
    #[must_use]
    pub fn clears(&self) -> usize {
        self.fields.values().filter(|value| value.is_empty()).count()
    }

    /// What a field that it writes whole held before.
    #[must_use]
    pub fn before(&self, field: &FieldId) -> Option<&Value> {
        let mut of_it = self.decisions.iter().filter(|decision| decision.field == *field);
        self.fields.get(field).and_then(|_| of_it.next()?.before.as_ref())
    }
}

/// The kind of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// Tightens permission. Alone and first, so that nothing can hold it back.
    Consent,
    /// Makes a record.
    Create,
    /// Changes fields.
    Fields,
    /// Adds and removes tags.
    Tags,
    /// Marks the partner of a deleted record.
    Mark,
    /// Makes a record of another object of it. Nothing takes that back.
    Convert,
}

impl OpKind {
    /// Its name in counts and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Create => "create",
            Self::Fields => "fields",
            Self::Tags => "tags",
            Self::Mark => "mark",
            Self::Convert => "convert",
        }
    }
}

/// Tags by name, as they are to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagChange {
    /// To add.
    pub add: Vec<String>,
    /// To remove.
    pub remove: Vec<String>,
}

impl TagChange {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Why one value is written. Every write has exactly one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The field.
    pub field: FieldId,
    /// The element, where a set gains or loses one.
    pub element: Option<Value>,
    /// Who asked for it.
    pub cause: Cause,
    /// The inputs it was made from.
    pub inputs: Vec<Value>,
    /// The target before.
    pub before: Option<Value>,
    /// The target when the entry last agreed.
    pub base: Option<Value>,
}

/// Who asked for a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Cause {
    /// An entry, by this row of the merge table.
    Entry {
        /// Which.
        entry: EntryId,
        /// The row.
        row: Row,
    },
    /// An entry's stand-in for a source that gives nothing.
    StandIn {
        /// Which.
        entry: EntryId,
    },
    /// The stricter permission of the other side.
    Consent {
        /// On which channel.
        channel: Channel,
    },
    /// The deletion policy.
    Deletion,
    /// The record that had been deleted is there again.
    Reappearance,
}

/// A row of the merge table (the contract of the engine, section 7). The first that fits decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Row {
    /// 1: source and target agree.
    Agree,
    /// 2: they meet for the first time.
    FirstMeeting,
    /// 3: the source did not change.
    Unchanged,
    /// 4: the source was emptied, and that may not travel.
    HeldClear,
    /// 5: the target is filled, and the sync only fills blanks.
    HeldFill,
    /// 6: only the source changed.
    Carry,
    /// 7: both changed, and nothing carries the target's change back.
    NoMirror,
    /// 8: both changed, one to nothing: the other stands.
    NonEmptyWins,
    /// 9: both changed.
    Conflict,
}

impl Row {
    /// All rows, in order.
    pub const ALL: [Self; 9] = [
        Self::Agree,
        Self::FirstMeeting,
        Self::Unchanged,
        Self::HeldClear,
        Self::HeldFill,
        Self::Carry,
        Self::NoMirror,
        Self::NonEmptyWins,
        Self::Conflict,
    ];

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Agree => 1,
            Self::FirstMeeting => 2,
            Self::Unchanged => 3,
            Self::HeldClear => 4,
            Self::HeldFill => 5,
            Self::Carry => 6,
            Self::NoMirror => 7,
            Self::NonEmptyWins => 8,
            Self::Conflict => 9,
        }
    }
}

/// How an entry stands after a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// The row that decided, if the entry could be judged.
    pub row: Option<Row>,
    /// What came of it.
    pub standing: Standing,
}

/// What came of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Source and target say the same, or neither changed since they did.
    Agreed,
    /// The source's value is written.
    Carried,
    /// They differ and were accepted so.
    Accepted,
    /// The source's value is not written, by a policy.
    Held,
    /// The target was changed and nothing carries that back.
    Drifted,
    /// The target's value stands, by the preferred side.
    Yielded,
    /// Nobody said whose value stands.
    Conflict,
    /// The target can't take the value.
    Unresolved(Unresolved),
    /// Something it needs was not read.
    Unread,
    /// Its sync does not write this record.
    Inactive,
    /// One of its fields is gone from the app.
    Suspended,
}

impl Standing {
    /// Its name in counts and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Carried => "carried",
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Drifted => "drifted",
            Self::Yielded => "yielded",
            Self::Conflict => "conflict",
            Self::Unresolved(_) => "unresolved",
            Self::Unread => "unread",
            Self::Inactive => "inactive",
            Self::Suspended => "suspended",
        }
    }
}
