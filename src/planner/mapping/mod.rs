//! Mappings: what a field of one side is made of on the other.

mod convert;
mod evaluate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use convert::{Compatibility, Unresolved, compatibility};
pub(super) use convert::{convert, plain};
pub(super) use evaluate::{Context, Made, make, stand_in};

use super::settings::EntryId;
use crate::record::{FieldId, ObjectName, PerSide, PhoneFormat, Value};

/// One line of a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id, the same through all versions in which it stands.
    pub id: EntryId,
    /// The configuration version in which it was added, or added again: links that were settled
    /// before have no base for it, whatever is left in the store.
    #[serde(default)]
    pub since: u32,
    /// The object of each side that it is for; any, where none is named.
    #[serde(default, skip_serializing_if = "is_for_any")]
    pub objects: PerSide<Option<ObjectName>>,
    /// The field that it writes.
    pub target: FieldId,
    /// The fields that it reads, in order.
    #[serde(default)]
    pub inputs: Vec<FieldId>,
    /// How the inputs become one value.
    #[serde(default)]
    pub function: Function,
    /// What is done to that value, in order.
    #[serde(default)]
    pub transforms: Vec<Transform>,
    /// What is written where there would be nothing: on a create, or into an empty target at a first
    /// meeting. The first of these that gives anything. It never travels back.
    #[serde(default)]
    pub fallback: Vec<StandIn>,
}

fn is_for_any(objects: &PerSide<Option<ObjectName>>) -> bool {
    objects.left.is_none() && objects.right.is_none()
}

impl Entry {
    /// Whether there can be a pair of records that both are for.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.objects.iter().all(|(side, one)| match (one, other.objects.of(side)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        })
    }
}

/// How inputs become one value. The inverse of each is what the mirror entry of the other sync does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// The first input. Inverse: copy.
    #[default]
    Copy,
    /// The first input that has anything in it. Inverse: copy into the first.
    FirstNonEmpty,
    /// The texts of all inputs that have any. One way.
    Join {
        /// What stands between them.
        separator: String,
    },
    /// Given name and family name become a whole name. Inverse: the two splits.
    JoinName,
    /// A part of the whole name. Inverse, with the other part: the join.
    SplitName(NamePart),
    /// The same for every record. One way. On a set, each element is added, and nothing removed.
    Constant {
        /// The value.
        value: Value,
        /// When it is written.
        #[serde(default)]
        when: ConstantWhen,
    },
}

/// A part of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamePart {
    /// The given name.
    First,
    /// The family name.
    Last,
}

/// When a constant is written into a field of one value. The elements of a set are added once to each record
/// that is linked, made by us or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConstantWhen {
    /// Into records that we create.
    #[default]
    OnCreate,
    /// Also into records that are met for the first time, under the write policy.
    Always,
}

/// What is done to a value on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Writes phone numbers in one form.
    Phone(PhoneFormat),
    /// Replaces options (by id or name) by options of the target (by id or name), or by other values that
    /// the target takes. Others are not resolved.
    Options(BTreeMap<String, String>),
}

/// Where a stand-in comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandIn {
    /// A fixed value.
    Value(Value),
    /// Another field of the source.
    Field(FieldId),
    /// What stands before the @ of an e-mail address of the source.
    LocalPart(FieldId),
}
