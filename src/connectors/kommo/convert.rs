//! From Kommo's contacts to records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::api::Api;
use super::days::Days;
use super::labelled::{Labelled, split};
use super::wire::{Contact, CustomField, CustomValue, User};
use super::{CONTACTS, fields};
use crate::connectors::{Error, ErrorKind, Query, Result};
use crate::record::{Choice, FieldId, Record, Reference, Revision, Value, name};

/// The users of the account: id to e-mail address.
#[derive(Clone, Default)]
pub(super) struct Users(BTreeMap<u64, Option<String>>);

impl Users {
    /// Reads all of them. Only administrators may: for others there are none.
    pub(super) async fn load(api: &Api) -> Result<Self> {
        let mut users = BTreeMap::new();
        for page in 1.. {
            let path = format!("/api/v4/users?limit=250&page={page}");
            let list = match api.read_list(&path, "users").await {
                Ok(list) => list,
                Err(error) if error.kind == ErrorKind::Forbidden && error.code == "no_right" => {
                    break;
                }
                Err(error) => return Err(error),
            };
            let has_next = list.has_next;
            let active = |user: &User| user.rights.is_active;
            let found = list.elements::<User>("users")?.into_iter().filter(active);
            users.extend(found.map(|user| (user.id, user.email)));
            if !has_next {
                break;
            }
        }
        Ok(Self(users))
    }

    pub(super) fn by_email(&self) -> BTreeMap<String, String> {
        let known = self.0.iter().filter_map(|(id, email)| Some((email.as_ref()?, id)));
        known.map(|(email, id)| (email.trim().to_lowercase(), id.to_string())).collect()
    }

    pub(super) fn knows(&self, id: u64) -> bool {
        self.0.contains_key(&id)
    }

    /// Knows these too, without an address.
    pub(super) fn forgive(&mut self, ids: impl Iterator<Item = u64>) {
        for id in ids {
            self.0.entry(id).or_default();
        }
    }

    fn reference(&self, id: i64) -> Value {
        // 0 stands for robots: nobody is in charge.
        if id <= 0 {
            return Value::Cleared;
        }
        let email = u64::try_from(id).ok().and_then(|id| self.0.get(&id).cloned().flatten());
        Value::Reference(Reference { id: id.to_string(), email })
    }
}

pub(super) fn not_understood(operation: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, operation, "not_understood")
}

/// What is known of the account beside its contacts, as far as a read needs it.
#[derive(Default)]
pub(super) struct Around {
    pub(super) users: Users,
    pub(super) days: Days,
    /// The fields that the account has.
    pub(super) fields: BTreeSet<FieldId>,
}

/// A contact as a record with the fields that were asked for: those it does not hold are cleared,
/// those that the account does not have are absent.
pub(super) fn record(contact: &Contact, query: &Query, around: &Around) -> Record {
    let mut record = Record::new(CONTACTS, contact.id.to_string().as_str());
    record.revision = contact.updated_at.map(|at| Revision::new(at.to_string()));
    record.created_at = contact.created_at.and_then(|at| Timestamp::from_second(at).ok());
    record.modified_at = contact.updated_at.and_then(|at| Timestamp::from_second(at).ok());
    let mut all = BTreeMap::new();
    let text = |value: &Option<String>| match value {
        Some(text) if !text.is_empty() => Value::Text(text.clone()),
        _ => Value::Cleared,
    };
    let (first, last) = name_parts(contact);
    all.insert(FieldId::new(fields::NAME), text(&contact.name));
    all.insert(FieldId::new(fields::FIRST_NAME), text(&first));
    all.insert(FieldId::new(fields::LAST_NAME), text(&last));
    let owner = around.users.reference(contact.responsible_user_id.unwrap_or_default());
    all.insert(FieldId::new(fields::OWNER), owner);
    let tags = contact.embedded.tags.iter().flatten().map(|tag| Value::Text(tag.name.clone()));
    all.insert(FieldId::new(fields::TAGS), Value::List(tags.collect()));
    for field in contact.custom_fields_values.iter().flatten() {
        all.extend(custom(field, &around.days));
    }
    let is_there = |field: &FieldId| {
        let whole = split(field).0;
        let whole = FieldId::new(whole);
        fields::is_built_in(whole.as_str())
            || around.fields.contains(&whole)
            || all.contains_key(&whole)
    };
    for field in &query.fields {
        // Kommo leaves out empty fields as well as those that were deleted.
        let empty = || is_there(field).then_some(Value::Cleared);
        if let Some(value) = all.get(field).cloned().or_else(empty) {
            record.fields.insert(field.clone(), value);
        }
        // The labels go with the list.
        let labels = FieldId::new(format!("{field}.labels"));
        if let Some(value) = all.get(&labels) {
            record.fields.insert(labels, value.clone());
        }
    }
    record
}

/// Many accounts fill only the full name: then its parts are read from it.
fn name_parts(contact: &Contact) -> (Option<String>, Option<String>) {
    let is_empty = |part: &Option<String>| part.as_deref().unwrap_or_default().is_empty();
    if !is_empty(&contact.first_name) || !is_empty(&contact.last_name) {
        return (contact.first_name.clone(), contact.last_name.clone());
    }
    let parts = name::split(contact.name.as_deref().unwrap_or_default(), &[]);
    (Some(parts.first), Some(parts.last))
}

fn custom(field: &CustomField, days: &Days) -> BTreeMap<FieldId, Value> {
    let id = field.id();
    if fields::is_labelled(&field.field_type) {
        let entry = |value: &CustomValue| {
            (plain(&value.value), value.enum_code.clone().unwrap_or_else(|| "WORK".to_owned()))
        };
        return Labelled(field.values.iter().map(entry).collect()).spread(id.as_str());
    }
    let mut values = field.values.iter().map(|value| single(&field.field_type, value, days));
    let value = if field.field_type == "multiselect" {
        Value::List(values.collect())
    } else {
        values.next().unwrap_or(Value::Cleared)
    };
    [(id, value)].into()
}

fn single(kind: &str, value: &CustomValue, days: &Days) -> Value {
    let raw = plain(&value.value);
    let text = || if raw.is_empty() { Value::Cleared } else { Value::Text(raw.clone()) };
    match kind {
        "numeric" | "monetary" | "price" => {
            raw.parse::<Decimal>().map_or_else(|_| text(), Value::Number)
        }
        "checkbox" => Value::Boolean(matches!(raw.as_str(), "true" | "1")),
        "select" | "radiobutton" | "multiselect" => match value.enum_id {
            Some(id) => Value::Choice(Choice::new(id.to_string())),
            None => text(),
        },
        _ if fields::is_day(kind) => moment(&raw).map_or_else(text, |at| Value::Date(days.day(at))),
        "date_time" => moment(&raw).map_or_else(text, Value::DateTime),
        _ => text(),
    }
}

/// The words of a JSON value, whichever way Kommo wrote it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Seconds since 1970, or RFC 3339.
fn moment(raw: &str) -> Option<Timestamp> {
    match raw.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => raw.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ObjectName;
    use std::time::Duration;

    fn query(fields: &[&str]) -> Query {
        Query {
            object: ObjectName::new(CONTACTS),
            collection: String::new(),
            fields: fields.iter().map(|field| FieldId::new(*field)).collect(),
            removals_every: Duration::ZERO,
            moment: 0,
        }
    }

    #[test]
    fn the_sample_contact_reads_as_a_record() {
        let contact: Contact =
            serde_json::from_slice(include_bytes!("fixtures/contact.json")).unwrap();
        let users = Users([(504_141, Some("Eva@example.com".to_owned()))].into());
        let fields = [
            "first_name",
            "PHONE",
            "PHONE.MOB",
            "PHONE.HOME",
            "EMAIL.primary",
            "POSITION",
            "tags",
            "responsible_user_id",
            "cf_9",
            "cf_10",
            "ADDRESS.city",
        ];
        let around = Around { users, fields: [FieldId::new("cf_9")].into(), ..Around::default() };
        let record = record(&contact, &query(&fields), &around);
        let get = |field: &str| record.get(&FieldId::new(field)).cloned();
        assert_eq!(get("first_name"), Some(Value::Text("Ana".into())));
        assert_eq!(get("PHONE").unwrap().elements().len(), 2);
        assert_eq!(get("PHONE.MOB"), Some(Value::Phone("+15557654321".into())));
        assert_eq!(get("PHONE.HOME"), Some(Value::Cleared));
        assert_eq!(get("EMAIL.primary"), Some(Value::Email("ana@example.com".into())));
        assert_eq!(get("POSITION"), Some(Value::Text("CTO".into())));
        assert_eq!(get("tags"), Some(Value::List(vec![Value::Text("vip".into())])));
        assert_eq!(get("cf_9"), Some(Value::Cleared), "the account has it, and it is empty");
        assert_eq!(get("cf_10"), None, "the account has no such field");
        assert_eq!(get("ADDRESS.city"), None, "nor this list");
        assert_eq!(get("EMAIL"), None, "what was not asked for is absent");
        assert_eq!(get("PHONE.labels"), Some(Value::Text("WORK,MOB".into())));
        assert!(
            matches!(get("responsible_user_id"), Some(Value::Reference(r)) if r.email.is_some())
        );
    }

    #[test]
    fn a_contact_with_nothing_but_a_full_name_has_its_parts() {
        let json = r#"{"id": 1, "name": "Ana Diaz", "first_name": "", "last_name": null}"#;
        let contact: Contact = serde_json::from_str(json).unwrap();
        let (first, last) = name_parts(&contact);
        assert_eq!((first.as_deref(), last.as_deref()), (Some("Ana"), Some("Diaz")));
    }

    #[test]
    fn values_are_read_whichever_way_they_are_written() {
        let value = |json: &str| CustomValue {
            value: serde_json::from_str(json).unwrap(),
            enum_id: None,
            enum_code: None,
        };
        let single = |kind, value: &CustomValue| single(kind, value, &Days::default());
        assert_eq!(single("numeric", &value("12.50")), Value::Number("12.5".parse().unwrap()));
        assert_eq!(single("numeric", &value("\"7\"")), Value::Number(Decimal::from(7)));
        assert_eq!(single("checkbox", &value("true")), Value::Boolean(true));
        assert_eq!(single("text", &value("12")), Value::Text("12".into()));
        assert_eq!(single("text", &value("null")), Value::Cleared);
    }
}
