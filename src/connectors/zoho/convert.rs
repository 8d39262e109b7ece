//! Between Zoho's values and ours. The type of a field decides what its JSON means.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Map, Value as Json, json};

use crate::connectors::Query;
use crate::record::{
    Choice, Consent, Field, FieldType, Record, Reference, Revision, Schema, Value,
};

/// Fields that are always asked for, beside those that are wanted.
pub(super) const TIMES: [&str; 2] = ["Created_Time", "Modified_Time"];

/// A record with the fields that were asked for: those it does not hold are cleared.
pub(super) fn record(data: &Map<String, Json>, query: &Query, schema: &Schema) -> Option<Record> {
    let mut record = Record::new(query.object.clone(), data.get("id")?.as_str()?);
    let modified = data.get("Modified_Time").and_then(Json::as_str);
    record.modified_at = modified.and_then(moment);
    record.created_at = data.get("Created_Time").and_then(Json::as_str).and_then(moment);
    record.revision = record.modified_at.map(revision);
    for field in &query.fields {
        // Empty fields come as null. One that is hidden from us, or was asked for in another request,
        // does not come at all: nothing is known of it.
        let Some(json) = data.get(field.as_str()) else { continue };
        let value = match schema.get(field) {
            Some(known) => read(json, known),
            None => read(json, &Field::new(field.as_str(), FieldType::Text)),
        };
        record.fields.insert(field.clone(), value);
    }
    Some(record)
}

/// The time of last change, in a form that does not depend on the time zone of whoever reads it.
pub(super) fn revision(modified: Timestamp) -> Revision {
    Revision::new(modified.as_second().to_string())
}

/// ISO 8601 with an offset.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

fn read(json: &Json, field: &Field) -> Value {
    if let Json::Array(items) = json {
        return Value::List(items.iter().map(|item| single(item, field.kind)).collect());
    }
    single(json, field.kind)
}

fn single(json: &Json, kind: FieldType) -> Value {
    let text = match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(yes) => return boolean(*yes, kind),
        Json::Object(object) => return object_value(object, kind),
        Json::Null | Json::Array(_) => return Value::Cleared,
    };
    if text.is_empty() {
        return Value::Cleared;
    }
    match kind {
        FieldType::Email => Value::Email(text),
        FieldType::Phone => Value::Phone(text),
        FieldType::Choice => Value::Choice(Choice::new(text)),
        FieldType::Number => match Decimal::from_scientific(&text).or_else(|_| text.parse()) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Text(text),
        },
        FieldType::Date => text.parse().map_or(Value::Text(text), Value::Date),
        FieldType::DateTime => moment(&text).map_or(Value::Text(text), Value::DateTime),
        FieldType::Text
        | FieldType::Boolean
        | FieldType::User
        | FieldType::Company
        | FieldType::Consent
        | FieldType::Tag => Value::Text(text),
    }
}

/// An opt-out box that is not ticked says nothing of consent.
fn boolean(yes: bool, kind: FieldType) -> Value {
    match (kind, yes) {
        (FieldType::Consent, true) => Value::Consent(Consent::OptedOut),
        (FieldType::Consent, false) => Value::Consent(Consent::Unknown),
        _ => Value::Boolean(yes),
    }
}

fn object_value(object: &Map<String, Json>, kind: FieldType) -> Value {
    let text = |name: &str| object.get(name).and_then(Json::as_str).map(str::to_owned);
    match kind {
        FieldType::Tag => text("name").map_or(Value::Cleared, Value::Text),
        _ => match text("id") {
            Some(id) => Value::Reference(Reference { id, email: text("email") }),
            None => Value::Cleared,
        },
    }
}

/// A value as it is sent: null empties the field.
pub(super) fn sent(value: &Value) -> Json {
    match value {
        _ if value.is_empty() => match value {
            Value::List(_) => json!([]),
            _ => Json::Null,
        },
        Value::Boolean(yes) => json!(yes),
        Value::Consent(consent) => json!(consent.forbids()),
        Value::Number(number) => number_json(number),
        Value::Reference(reference) => json!({ "id": reference.id }),
        // Whole seconds with an offset: a fraction is refused.
        Value::DateTime(at) => {
            let whole = Timestamp::from_second(at.as_second()).unwrap_or(*at);
            json!(whole.to_string().replace('Z', "+00:00"))
        }
        Value::List(items) => items.iter().map(sent).collect(),
        Value::Choice(choice) => json!(choice.id),
        Value::Text(_) | Value::Email(_) | Value::Phone(_) | Value::Date(_) | Value::Cleared => {
            json!(value.text())
        }
    }
}

fn number_json(number: &Decimal) -> Json {
    let number = number.normalize();
    if number.scale() == 0
        && let Some(whole) = number.to_i64()
    {
        return json!(whole);
    }
    number.to_f64().map_or(Json::Null, |float| json!(float))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FieldId, ObjectName};

    #[test]
    fn the_sample_record_reads_with_its_times_in_utc() {
        let page: super::super::wire::Records =
            serde_json::from_slice(include_bytes!("fixtures/records.json")).unwrap();
        let fields = ["Last_Name", "Email", "Email_Opt_Out", "Owner", "Tag", "Hidden"];
        let query = Query {
            object: ObjectName::new("Contacts"),
            collection: String::new(),
            fields: fields.iter().map(|field| FieldId::new(*field)).collect(),
            removals_every: std::time::Duration::ZERO,
            moment: 0,
        };
        let schema: Schema = [
            Field::new("Email", FieldType::Email),
            Field::new("Email_Opt_Out", FieldType::Consent),
            Field::new("Owner", FieldType::User),
            Field { many: true, ..Field::new("Tag", FieldType::Tag) },
        ]
        .into_iter()
        .collect();
        let record = record(&page.data[0], &query, &schema).unwrap();
        assert_eq!(record.modified_at.unwrap().to_string(), "2026-08-01T08:00:00Z");
        assert_eq!(record.get(&"Hidden".into()), None, "what does not come is not known");
        let get = |field: &str| record.get(&FieldId::new(field)).unwrap().clone();
        assert_eq!(get("Email"), Value::Email("ana@example.com".into()));
        assert_eq!(get("Email_Opt_Out"), Value::Consent(Consent::Unknown));
        assert_eq!(get("Tag"), Value::List(vec![Value::Text("vip".into())]));
        let Value::Reference(owner) = get("Owner") else { panic!("no owner") };
        assert_eq!(owner.email.as_deref(), Some("eva@example.com"));
    }

    #[test]
    fn values_are_sent_in_their_own_types() {
        let at: Timestamp = "2026-08-01T10:00:00.5Z".parse().unwrap();
        assert_eq!(sent(&Value::DateTime(at)), json!("2026-08-01T10:00:00+00:00"));
        assert_eq!(sent(&Value::Consent(Consent::Complained)), json!(true));
        assert_eq!(sent(&Value::Number("12.5".parse().unwrap())), json!(12.5));
        assert_eq!(sent(&Value::Number("12.0".parse().unwrap())), json!(12));
        assert_eq!(sent(&Value::Cleared), Json::Null);
        assert_eq!(sent(&Value::Date("2026-08-01".parse().unwrap())), json!("2026-08-01"));
    }
}
