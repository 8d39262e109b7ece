//! What a person should know about a record, beside what becomes of it.

use serde::{Deserialize, Serialize};

use super::mapping::Unresolved;
use crate::record::{FieldId, Side};

/// Something a person should know about a record. It names fields, never values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub code: FindingCode,
    /// On which side.
    pub side: Option<Side>,
    /// In which field.
    pub field: Option<FieldId>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingCode {
    /// The value is longer than the field keeps, and was cut.
    ValueCut,
    /// The option has no counterpart.
    UnknownOption,
    /// The owner has no counterpart.
    UnknownUser,
    /// The value does not have the target's shape.
    WrongShape,
    /// The app keeps another form of what was written.
    StoredDifferently,
    /// The app dropped what was written.
    ValueRejected,
    /// An opt-out does not reach this side, because no running sync goes there.
    ConsentHeldBack,
    /// An opt-out was written and did not stick.
    ConsentDidNotStick,
    /// Its partner was deleted, but it was edited since: it is left as it is.
    EditBeatsDelete,
    /// The field can't be emptied because the app demands it.
    RequiredField,
    /// A rule makes something else of it, and several records are there that it may become, or the one
    /// that is has a partner of its own.
    ConversionHeldBack,
}

impl FindingCode {
    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ValueCut => "VALUE_CUT",
            Self::UnknownOption => "UNKNOWN_OPTION",
            Self::UnknownUser => "UNKNOWN_USER",
            Self::WrongShape => "WRONG_SHAPE",
            Self::StoredDifferently => "STORED_DIFFERENTLY",
            Self::ValueRejected => "VALUE_REJECTED",
            Self::ConsentHeldBack => "CONSENT_HELD_BACK",
            Self::ConsentDidNotStick => "CONSENT_DID_NOT_STICK",
            Self::EditBeatsDelete => "EDIT_BEATS_DELETE",
            Self::RequiredField => "REQUIRED_FIELD",
            Self::ConversionHeldBack => "CONVERSION_HELD_BACK",
        }
    }
}

impl From<Unresolved> for FindingCode {
    fn from(why: Unresolved) -> Self {
        match why {
            Unresolved::UnknownOption => Self::UnknownOption,
            Unresolved::UnknownUser => Self::UnknownUser,
            Unresolved::WrongShape => Self::WrongShape,
        }
    }
}
