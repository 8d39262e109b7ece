//! What a field can hold. A closed sum, so that every place that handles values handles all of them.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A value as an app gave it, or as it is to be written.
///
/// A field that was not read has no value at all (see [`crate::record::Record`]); one that was read
/// and holds nothing is [`Value::Cleared`]. The two are never mixed up: what was not read never
/// overwrites anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// Known to be empty.
    Cleared,
    /// Free text.
    Text(String),
    /// A decimal number.
    Number(Decimal),
    /// A checkbox.
    Boolean(bool),
    /// A day of the calendar. It has no time zone, so none can move it.
    Date(Date),
    /// A moment.
    DateTime(Timestamp),
    /// One of a closed list.
    Choice(Choice),
    /// An e-mail address.
    Email(String),
    /// A phone number, in whatever form it was typed.
    Phone(String),
    /// Somebody or something else in the same account.
    Reference(Reference),
    /// A permission to send marketing.
    Consent(Consent),
    /// Several values, as of a multi-select, a list of phones or the tags.
    List(Vec<Value>),
}

impl Value {
    /// Whether there is nothing in it: cleared, blank text, or a list of nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Cleared => true,
            Self::Text(text) | Self::Email(text) | Self::Phone(text) => text.trim().is_empty(),
            Self::List(items) => items.iter().all(Self::is_empty),
            Self::Number(_)
            | Self::Boolean(_)
            | Self::Date(_)
            | Self::DateTime(_)
            | Self::Choice(_)
            | Self::Reference(_)
            | Self::Consent(_) => false,
        }
    }

    /// Its elements: those of a list, itself, or none.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Cleared => &[],
            single => std::slice::from_ref(single),
        }
    }

    /// The plain words in it, where it has any: what is searched, joined and shown.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Cleared => String::new(),
            Self::Text(text) | Self::Email(text) | Self::Phone(text) => text.clone(),
            Self::Number(number) => number.normalize().to_string(),
            Self::Boolean(yes) => yes.to_string(),
            Self::Date(date) => date.to_string(),
            Self::DateTime(time) => time.to_string(),
            Self::Choice(choice) => choice.id.clone(),
            Self::Reference(reference) => {
                reference.email.clone().unwrap_or_else(|| reference.id.clone())
            }
            Self::Consent(consent) => consent.as_str().to_owned(),
            Self::List(items) => items.iter().map(Self::text).collect::<Vec<_>>().join(", "),
        }
    }
}

/// One option of a closed list, by its stable id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Choice {
    /// The list it is of, where ids are unique only inside one: the pipeline of a stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The option's own id (Zoho: the actual value; Kommo: the enum id).
    pub id: String,
}

impl Choice {
    /// An option of a field's only list.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { within: None, id: id.into() }
    }
}

/// A user or a company of the same account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Its id in the account.
    pub id: String,
    /// A user's e-mail address, which is how owners are recognised in the other app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Marketing permission on one channel, ordered from the loosest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The person asked for it.
    OptedIn,
    /// Nothing is known. A checkbox "opted out" that is not ticked says no more than this.
    Unknown,
    /// The person asked to be left alone.
    OptedOut,
    /// The address does not accept mail.
    Bounced,
    /// The person reported a message as spam.
    Complained,
    /// The account must never write to this person again.
    Suppressed,
}

impl Consent {
    /// All, from the loosest to the strictest.
    pub const ALL: [Self; 6] = [
        Self::OptedIn,
        Self::Unknown,
        Self::OptedOut,
        Self::Bounced,
        Self::Complained,
        Self::Suppressed,
    ];

    /// Whether nothing may be sent. From here on a connection only tightens.
    #[must_use]
    pub fn forbids(self) -> bool {
        self >= Self::OptedOut
    }

    /// Its name in settings and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedIn => "opted_in",
            Self::Unknown => "unknown",
            Self::OptedOut => "opted_out",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Suppressed => "suppressed",
        }
    }
}
