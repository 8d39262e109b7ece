//! What a review can find, and what it says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::settings::Acknowledgement;
use crate::record::{FieldId, Side};

/// What a review found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What must be mended first.
    pub faults: Vec<Fault>,
    /// What should be known.
    pub warnings: Vec<Warning>,
    /// What a person has still to say.
    pub unacknowledged: BTreeSet<Acknowledgement>,
    /// What a start names. It holds for exactly this configuration, these descriptions of the
    /// accounts, and these acknowledgements; none while anything is missing.
    pub token: Option<String>,
}

/// Something that must be mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub code: FaultCode,
    /// Where: the sync (by the side that it reads) and the field, as far as it has one.
    pub at: At,
    /// What is wrong and what to do.
    pub message: String,
}

/// Where in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The sync, by the side that it reads.
    pub sync: Option<Side>,
    /// The field.
    pub field: Option<FieldId>,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FaultCode {
    /// No sync at all.
    NoSync,
    /// Two syncs overwrite, and nobody said whose value stands.
    PreferredSideRequired,
    /// The account has no such field.
    UnknownField,
    /// The side has no such object.
    UnknownObject,
    /// The field can't be written.
    ReadOnlyTarget,
    /// The types do not fit.
    IncompatibleTypes,
    /// The app demands a field that nothing writes.
    RequiredTargetUnmapped,
    /// Two entries write the same stored value.
    TargetWrittenTwice,
    /// The entry has too few inputs, or too many.
    WrongInputs,
    /// A group of alternatives without any.
    EmptyFilterGroup,
    /// The field can never be what a filter compares it with.
    FilterValue,
    /// A sync without a rule lets nothing in.
    NoRule,
    /// The field holds permission, which travels by itself.
    ConsentMapped,
    /// The field can't hold permission: it is no checkbox, or can't be written.
    ConsentField,
    /// No field on this side holds any of the match keys.
    NoMatchField,
    /// The app has no tags to tell of deletions.
    NoTags,
}

/// Something that should be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What.
    pub code: WarningCode,
    /// Where.
    pub at: At,
    /// What follows from it.
    pub message: String,
}

/// The kinds of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WarningCode {
    /// A value goes from a to b, and b's goes to another field than a.
    CrossedMapping,
    /// Opt-outs of one side do not reach the other.
    OptOutsStay,
    /// The value can be carried there but not back.
    OneWay,
    /// The value is text, and not every text is what the target takes.
    MayNotFit,
    /// Nothing writes a field of those by which people are recognised.
    KeysUnwritten,
    /// An account of the connection has to be reconnected before anything runs.
    AccountNotConnected,
    /// Who becomes what a rule names can't become what they were; or nobody can become it.
    NoWayBack,
}
