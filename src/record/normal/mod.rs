//! Normal forms: what is compared. Values are written in the form that the target wants, and compared
//! only in this one, so that an app which trims, re-cases or re-formats causes no writes.

pub mod name;
pub mod phone;
mod tags;
mod text;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Field, FieldType, Reference, Value};
pub use phone::Region;
pub use tags::change_tags;
pub use text::fold;

/// The version of everything in this room. Bases remember the version that they were made with;
/// raising it must not cause a single write.
pub const NORM_VERSION: u32 = 1;

/// A value in normal form. Two fields agree when these are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Normal(Value);

impl Normal {
    /// The form of an empty field.
    #[must_use]
    pub fn cleared() -> Self {
        Self(Value::Cleared)
    }

    /// Whether the field is empty.
    #[must_use]
    pub fn is_cleared(&self) -> bool {
        self.0 == Value::Cleared
    }

    /// Its elements: those of a set, itself, or none.
    #[must_use]
    pub fn elements(&self) -> BTreeSet<Value> {
        self.0.elements().iter().cloned().collect()
    }

    /// The value in its normal form.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }
}

/// The normal form of a value of this field. Phones without a country code are read as numbers of
/// `region`. Doing it twice changes nothing.
#[must_use]
pub fn normalise(value: &Value, field: &Field, region: Option<&Region>) -> Normal {
    if field.many {
        let elements: BTreeSet<Value> = value
            .elements()
            .iter()
            .map(|element| single(element, field.kind, region))
            .filter(|element| *element != Value::Cleared)
            .collect();
        return if elements.is_empty() {
            Normal::cleared()
        } else {
            Normal(Value::List(elements.into_iter().collect()))
        };
    }
    Normal(single(value, field.kind, region))
}

fn single(value: &Value, kind: FieldType, region: Option<&Region>) -> Value {
    match value {
        Value::Text(text) | Value::Email(text) | Value::Phone(text) => match kind {
            FieldType::Email => text_or_cleared(text::fold(text), Value::Email),
            FieldType::Phone => text_or_cleared(phone::normal(text, region), Value::Phone),
            FieldType::Tag => text_or_cleared(text::fold(text), Value::Text),
            FieldType::Text
            | FieldType::Number
            | FieldType::Boolean
            | FieldType::Date
            | FieldType::DateTime
            | FieldType::Choice
            | FieldType::User
            | FieldType::Company
            | FieldType::Consent => text_or_cleared(text::plain(text), Value::Text),
        },
        Value::Number(number) => Value::Number(number.normalize()),
        // Users are the same by id; the address is only how they are found.
        Value::Reference(reference) => {
            Value::Reference(Reference { id: reference.id.clone(), email: None })
        }
        Value::List(items) => items
            .iter()
            .map(|item| single(item, kind, region))
            .find(|item| *item != Value::Cleared)
            .unwrap_or(Value::Cleared),
        Value::Cleared
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::DateTime(_)
        | Value::Choice(_)
        | Value::Consent(_) => value.clone(),
    }
}

fn text_or_cleared(text: String, make: impl FnOnce(String) -> Value) -> Value {
    if text.is_empty() { Value::Cleared } else { make(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> Field {
        Field { many: true, ..Field::new("tags", FieldType::Tag) }
    }

    #[test]
    fn tags_are_a_set_by_folded_name() {
        let value = Value::List(vec![
            Value::Text("VIP ".into()),
            Value::Text("vip".into()),
            Value::Text(" ".into()),
            Value::Text("Straße".into()),
        ]);
        let normal = normalise(&value, &tags(), None);
        assert_eq!(
            normal.value(),
            &Value::List(vec![Value::Text("strasse".into()), Value::Text("vip".into())])
        );
    }

    #[test]
    fn blank_text_is_cleared() {
        let field = Field::new("city", FieldType::Text);
        assert!(normalise(&Value::Text(" \u{a0}\n".into()), &field, None).is_cleared());
        assert!(normalise(&Value::List(vec![]), &tags(), None).is_cleared());
    }

    #[test]
    fn the_case_of_text_counts_and_that_of_an_address_does_not() {
        let text = Field::new("city", FieldType::Text);
        let email = Field::new("email", FieldType::Email);
        let (upper, lower) = (Value::Text("ANA@X.ES".into()), Value::Text("ana@x.es".into()));
        assert_ne!(normalise(&upper, &text, None), normalise(&lower, &text, None));
        assert_eq!(normalise(&upper, &email, None), normalise(&lower, &email, None));
    }

    #[test]
    fn a_user_is_the_same_by_id() {
        let field = Field::new("owner", FieldType::User);
        let with = Value::Reference(Reference { id: "7".into(), email: Some("e@x.es".into()) });
        let without = Value::Reference(Reference { id: "7".into(), email: None });
        assert_eq!(normalise(&with, &field, None), normalise(&without, &field, None));
    }
}
