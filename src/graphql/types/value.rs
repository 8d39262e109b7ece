//! Values, each kind with its own field, so that one query can select all.

use async_graphql::{SimpleObject, Union};

use crate::record;

/// A value.
#[derive(Union)]
pub enum Value {
    /// Known to be empty.
    Empty(EmptyValue),
    /// Text, an e-mail address or a phone number.
    Text(TextValue),
    /// A number.
    Number(NumberValue),
    /// A checkbox.
    Boolean(BooleanValue),
    /// A day.
    Date(DateValue),
    /// A moment.
    DateTime(DateTimeValue),
    /// An option of a list.
    Option(OptionValue),
    /// A user or a company.
    Reference(ReferenceValue),
    /// A permission.
    Consent(ConsentValue),
    /// Several.
    List(ListValue),
}

/// Known to be empty.
#[derive(SimpleObject)]
pub struct EmptyValue {
    /// Always true.
    is_empty: bool,
}

/// Text.
#[derive(SimpleObject)]
pub struct TextValue {
    /// The text.
    text: String,
}

/// A number.
#[derive(SimpleObject)]
pub struct NumberValue {
    /// In decimal digits, exactly.
    number: String,
}

/// A checkbox.
#[derive(SimpleObject)]
pub struct BooleanValue {
    /// Whether it is ticked.
    boolean: bool,
}

/// A day.
#[derive(SimpleObject)]
pub struct DateValue {
    /// As `2026-08-01`.
    date: String,
}

/// A moment.
#[derive(SimpleObject)]
pub struct DateTimeValue {
    /// As `2026-08-01T10:00:00Z`.
    date_time: String,
}

/// An option of a list.
#[derive(SimpleObject)]
pub struct OptionValue {
    /// The option's stable id in its app.
    option: String,
}

/// A user or a company of the account.
#[derive(SimpleObject)]
pub struct ReferenceValue {
    /// Its id in the app.
    reference: String,
    /// A user's e-mail address.
    email: Option<String>,
}

/// A permission.
#[derive(SimpleObject)]
pub struct ConsentValue {
    /// `opted_in`, `unknown`, `opted_out`, `bounced`, `complained` or `suppressed`.
    consent: &'static str,
}

/// Several values.
#[derive(SimpleObject)]
pub struct ListValue {
    /// Each in words.
    items: Vec<String>,
}

impl From<&record::Value> for Value {
    fn from(value: &record::Value) -> Self {
        use record::Value as V;
        match value {
            V::Cleared => Self::Empty(EmptyValue { is_empty: true }),
            V::Text(text) | V::Email(text) | V::Phone(text) => {
                Self::Text(TextValue { text: text.clone() })
            }
            V::Number(number) => Self::Number(NumberValue { number: number.to_string() }),
            V::Boolean(boolean) => Self::Boolean(BooleanValue { boolean: *boolean }),
            V::Date(date) => Self::Date(DateValue { date: date.to_string() }),
            V::DateTime(at) => Self::DateTime(DateTimeValue { date_time: at.to_string() }),
            V::Choice(choice) => Self::Option(OptionValue { option: choice.id.clone() }),
            V::Reference(reference) => Self::Reference(ReferenceValue {
                reference: reference.id.clone(),
                email: reference.email.clone(),
            }),
            V::Consent(consent) => Self::Consent(ConsentValue { consent: consent.as_str() }),
            V::List(items) => Self::List(ListValue { items: items.iter().map(V::text).collect() }),
        }
    }
}
