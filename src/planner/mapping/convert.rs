//! From one type to another: what can be carried both ways, one way, or not at all.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::planner::settings::SideSettings;
use crate::record::{Choice, Consent, Field, FieldType, Reference, Value, fold};

/// Why a value has no form in the target.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unresolved {
    /// No such option on the other side, and none named for it in the option table.
    UnknownOption,
    /// No active user on the other side has that e-mail address.
    UnknownUser,
    /// The text can't be read as the target's type.
    WrongShape,
}

/// Whether values of one field can be carried into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// And back.
    BothWays,
    /// But not back.
    OneWay,
    /// No; with what to do instead.
    Refused(&'static str),
}

/// Tells whether `from` can be mapped to `to`, judged by their types alone.
#[must_use]
pub fn compatibility(from: &Field, to: &Field) -> Compatibility {
    use FieldType::{
        Boolean, Choice, Company, Consent, Date, DateTime, Email, Number, Phone, Tag, Text, User,
    };
    if from.many != to.many {
        return Compatibility::Refused(
            "one side holds a list: map it to a list, or map its labelled fields one by one",
        );
    }
    match (from.kind, to.kind) {
        (Consent, _) | (_, Consent) => {
            Compatibility::Refused("permission travels by the consent policy: remove it here")
        }
        (a, b) if a == b => Compatibility::BothWays,
        (Text, Tag) | (Tag, Text) => Compatibility::BothWays,
        (Date, DateTime) | (DateTime, Date) => {
            Compatibility::Refused("a day is not a moment: map it to a text field")
        }
        (User | Company, User | Company) => {
            Compatibility::Refused("users and companies are not the same: map it to a text field")
        }
        (Text, Email | Phone | Choice | Number | Boolean | Date | DateTime)
        | (Email | Phone | Choice | Number | Boolean | Date | DateTime, Text) => {
            Compatibility::BothWays
        }
        (User | Company, Text) => Compatibility::OneWay,
        _ => Compatibility::Refused("these types have nothing in common: map it to a text field"),
    }
}

/// The value as the target's type takes it. `from` is the field it was read from, if from one.
pub(in crate::planner) fn convert(
    value: &Value,
    from: Option<&Field>,
    to: &Field,
    side: &SideSettings,
) -> Result<Value, Unresolved> {
    if to.many {
        let elements: Result<Vec<Value>, Unresolved> =
            value.elements().iter().map(|element| single(element, from, to, side)).collect();
        return elements.map(|elements| {
            if elements.is_empty() { Value::Cleared } else { Value::List(elements) }
        });
    }
    match value {
        Value::List(items) => match items.iter().find(|item| !item.is_empty()) {
            Some(first) => single(first, from, to, side),
            None => Ok(Value::Cleared),
        },
        other => single(other, from, to, side),
    }
}

fn single(
    value: &Value,
    from: Option<&Field>,
    to: &Field,
    side: &SideSettings,
) -> Result<Value, Unresolved> {
    match to.kind {
        FieldType::User if !value.is_empty() => user(value, side).ok_or(Unresolved::UnknownUser),
        _ => plain(value, from, to),
    }
}

/// The user of a side who is meant: by address, as users are known on the other side, or as somebody has
/// typed it in, by address or id.
fn user(value: &Value, side: &SideSettings) -> Option<Value> {
    let by_address = |address: &str| side.users.get_key_value(&fold(address));
    let by_id = |id: &str| side.users.iter().find(|(_, known)| known.as_str() == id);
    let (id, email) = match value {
        Value::Reference(Reference { email: Some(email), .. }) => (by_address(email)?.1, email),
        Value::Text(text) | Value::Email(text) => {
            let (email, id) = by_address(text).or_else(|| by_id(text.trim()))?;
            (id, email)
        }
        _ => return None,
    };
    Some(Value::Reference(Reference { id: id.clone(), email: Some(email.clone()) }))
}

/// The value as a type takes it that needs to know nothing of its account.
pub(in crate::planner) fn plain(
    value: &Value,
    from: Option<&Field>,
    to: &Field,
) -> Result<Value, Unresolved> {
    if value.is_empty() {
        return Ok(Value::Cleared);
    }
    match (to.kind, value) {
        (FieldType::Text | FieldType::Tag, Value::Choice(choice)) => {
            let label = from.and_then(|field| field.options.get(&choice.id));
            Ok(Value::Text(label.unwrap_or(&choice.id).clone()))
        }
        (FieldType::Text | FieldType::Tag, other) => Ok(Value::Text(other.text())),
        (FieldType::Email, Value::Text(text) | Value::Email(text)) if text.contains('@') => {
            Ok(Value::Email(text.trim().to_owned()))
        }
        (FieldType::Phone, Value::Text(text) | Value::Phone(text)) => {
            Ok(Value::Phone(text.clone()))
        }
        (FieldType::Number, Value::Number(_))
        | (FieldType::Boolean, Value::Boolean(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::DateTime, Value::DateTime(_))
        | (FieldType::Consent, Value::Consent(_)) => Ok(value.clone()),
        (FieldType::Number, Value::Text(text)) => read::<Decimal>(text).map(Value::Number),
        (FieldType::Boolean, Value::Text(text)) => read::<bool>(text).map(Value::Boolean),
        (FieldType::Date, Value::Text(text)) => read::<Date>(text).map(Value::Date),
        (FieldType::DateTime, Value::Text(text)) => read::<Timestamp>(text).map(Value::DateTime),
        (FieldType::Choice, Value::Choice(choice)) => {
            let label = from.and_then(|field| field.options.get(&choice.id));
            option(to, choice, label.map(String::as_str))
        }
        (FieldType::Choice, Value::Text(text)) => option(to, &Choice::new(text), Some(text)),
        (FieldType::Company, Value::Text(id)) => {
            Ok(Value::Reference(Reference { id: id.trim().to_owned(), email: None }))
        }
        (FieldType::Consent, Value::Text(text)) => {
            let named = Consent::ALL.iter().find(|consent| consent.as_str() == text.trim());
            named.map(|consent| Value::Consent(*consent)).ok_or(Unresolved::WrongShape)
        }
        _ => Err(Unresolved::WrongShape),
    }
}

/// The target's option with this id or this label. A list without options takes anything.
fn option(to: &Field, choice: &Choice, label: Option<&str>) -> Result<Value, Unresolved> {
    if to.options.is_empty() || to.options.contains_key(&choice.id) {
        return Ok(Value::Choice(choice.clone()));
    }
    let label = label.map(fold);
    to.options
        .iter()
        .find(|(_, name)| Some(fold(name)) == label)
        .map(|(id, _)| Value::Choice(Choice::new(id)))
        .ok_or(Unresolved::UnknownOption)
}

fn read<T: FromStr>(text: &str) -> Result<T, Unresolved> {
    text.trim().parse().map_err(|_| Unresolved::WrongShape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> Field {
        Field::new("f", kind)
    }

    #[test]
    fn a_day_is_never_made_a_moment() {
        let refused = compatibility(&field(FieldType::Date), &field(FieldType::DateTime));
        assert!(matches!(refused, Compatibility::Refused(why) if why.contains("text field")));
    }

    #[test]
    fn a_list_is_not_mapped_to_a_single_field() {
        let list = Field { many: true, ..field(FieldType::Email) };
        assert!(matches!(
            compatibility(&list, &field(FieldType::Email)),
            Compatibility::Refused(_)
        ));
        assert_eq!(compatibility(&list, &list), Compatibility::BothWays);
    }

    #[test]
    fn every_pair_of_types_that_is_allowed_converts_something() {
        let side = SideSettings {
            app: "Right".into(),
            objects: vec![],
            schemas: std::collections::BTreeMap::new(),
            region: None,
            users: [("eva@x.es".to_owned(), "9".to_owned())].into(),
            converts: Default::default(),
            tags: None,
        };
        let samples = [
            (
                FieldType::Text,
                vec![
                    Value::Text("true".into()),
                    Value::Text("7".into()),
                    Value::Text("a@b.c".into()),
                    Value::Text("2026-01-02".into()),
                    Value::Text("2026-01-02T03:04:05Z".into()),
                ],
            ),
            (FieldType::Number, vec![Value::Number(Decimal::new(15, 1))]),
            (FieldType::Boolean, vec![Value::Boolean(true)]),
            (FieldType::Date, vec![Value::Date(jiff::civil::date(2026, 1, 2))]),
            (FieldType::DateTime, vec![Value::DateTime(Timestamp::UNIX_EPOCH)]),
            (FieldType::Choice, vec![Value::Choice(Choice::new("a"))]),
            (FieldType::Email, vec![Value::Email("a@b.c".into())]),
            (FieldType::Phone, vec![Value::Phone("1".into())]),
            (
                FieldType::User,
                vec![Value::Reference(Reference {
                    id: "1".into(),
                    email: Some("EVA@x.es".into()),
                })],
            ),
            (FieldType::Tag, vec![Value::Text("vip".into())]),
        ];
        for (from, values) in &samples {
            for (to, _) in &samples {
                let (from, to) = (field(*from), field(*to));
                let converted = values.iter().any(|v| convert(v, Some(&from), &to, &side).is_ok());
                let allowed = !matches!(compatibility(&from, &to), Compatibility::Refused(_));
                assert!(!allowed || converted, "{:?} to {:?}", from.kind, to.kind);
            }
        }
    }

    #[test]
    fn options_are_found_by_id_then_by_label() {
        let mut from = field(FieldType::Choice);
        from.options = [("1".to_owned(), "Web".to_owned())].into();
        let mut to = field(FieldType::Choice);
        to.options =
            [("w".to_owned(), "web".to_owned()), ("x".to_owned(), "Fair".to_owned())].into();
        let side = SideSettings {
            app: String::new(),
            objects: vec![],
            schemas: std::collections::BTreeMap::new(),
            region: None,
            users: std::collections::BTreeMap::new(),
            converts: Default::default(),
            tags: None,
        };
        let convert = |id: &str| convert(&Value::Choice(Choice::new(id)), Some(&from), &to, &side);
        assert_eq!(convert("1"), Ok(Value::Choice(Choice::new("w"))));
        assert_eq!(convert("x"), Ok(Value::Choice(Choice::new("x"))));
        assert_eq!(convert("7"), Err(Unresolved::UnknownOption));
    }
}
