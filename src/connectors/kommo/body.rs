//! The body of a write: only what is to change, lists of labelled values whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::days::Days;
use super::labelled::{Labelled, split};
use super::lists::{Lists, is_list};
use super::tags::TagIds;
use super::{KommoConnector, fields};
use crate::connectors::{Error, ErrorKind, Result, Write};
use crate::record::{FieldId, Record, Value};

/// One contact of a batch.
pub(super) struct Item {
    /// Its place among the writes.
    pub(super) at: usize,
    pub(super) body: Map<String, Json>,
    /// Fields that change with it.
    pub(super) also: BTreeMap<FieldId, Value>,
}

/// What is sent for a write, with its lists as they stand and the ids of the tags that it takes off.
pub(super) async fn item(
    connector: &KommoConnector,
    at: usize,
    write: &Write,
    standing: &Lists,
    ids: &TagIds,
) -> Result<Item> {
    let days = if write.fields.values().any(|value| matches!(value, Value::Date(_))) {
        connector.days().await?.clone()
    } else {
        Days::default()
    };
    let mut body = Map::new();
    body.insert("request_id".to_owned(), Json::from(at.to_string()));
    if let Some(id) = &write.id {
        let number: u64 =
            id.as_str().parse().map_err(|_| Error::new(ErrorKind::Protocol, "update", "bad_id"))?;
        body.insert("id".to_owned(), Json::from(number));
    }
    let known = write.known.as_ref();
    let mut also = BTreeMap::new();
    let mut custom = Vec::new();
    let mut lists: BTreeMap<&str, Labelled> = BTreeMap::new();
    for (field, value) in &write.fields {
        let (whole, part) = split(field);
        match whole {
            fields::NAME | fields::FIRST_NAME | fields::LAST_NAME => {
                body.insert(whole.to_owned(), Json::from(value.text()));
            }
            fields::OWNER => {
                let id = match value {
                    Value::Reference(reference) => reference.id.parse::<u64>().ok(),
                    _ => None,
                };
                // Nobody in charge can't be said: a cleared owner is left as it is.
                body.extend(id.map(|id| (whole.to_owned(), Json::from(id))));
            }
            fields::TAGS => {}
            _ if is_list(field) => {
                let stored = || standing.get(whole).cloned().unwrap_or_default();
                let list = lists.entry(whole).or_insert_with(stored);
                match part {
                    Some(part) => list.set_part(part, value),
                    None => list.set_whole(value),
                }
            }
            _ => custom.push(addressed(whole, sent(value, &days))),
        }
    }
    for (whole, list) in lists {
        let values =
            list.0.iter().map(|(value, label)| json!({ "value": value, "enum_code": label }));
        custom.push(addressed(whole, values.collect()));
        also.extend(parts_known(known, whole));
        also.extend(list.spread(whole));
    }
    if !custom.is_empty() {
        body.insert("custom_fields_values".to_owned(), Json::Array(custom));
    }
    also.extend(whole_name(&mut body, known));
    tags(write, ids, &mut body);
    also.retain(|field, _| !write.fields.contains_key(field));
    Ok(Item { at, body, also })
}

/// The parts of a list that were known are empty now, unless the new list has them.
fn parts_known(known: Option<&Record>, whole: &str) -> BTreeMap<FieldId, Value> {
    let fields = known.into_iter().flat_map(|record| record.fields.keys());
    let parts = fields.filter(|field| split(field) != (whole, None) && split(field).0 == whole);
    parts.map(|field| (field.clone(), Value::Cleared)).collect()
}

/// First, last and full name are stored apart: whoever writes one part writes the full name with it.
fn whole_name(body: &mut Map<String, Json>, known: Option<&Record>) -> Option<(FieldId, Value)> {
    let is_part = |name: &str| body.contains_key(name);
    if body.contains_key(fields::NAME)
        || !(is_part(fields::FIRST_NAME) || is_part(fields::LAST_NAME))
    {
        return None;
    }
    let stored = |name: &str| {
        known
            .and_then(|record| record.get(&FieldId::new(name)))
            .map(Value::text)
            .unwrap_or_default()
    };
    let joined = |first: &str, last: &str| format!("{first} {last}").trim().to_owned();
    // Of a record that is there, nothing is written that is not known.
    let is_known = |name: &str| known.is_some_and(|r| r.get(&FieldId::new(name)).is_some());
    let all = [fields::NAME, fields::FIRST_NAME, fields::LAST_NAME];
    if body.contains_key("id") && !all.into_iter().all(is_known) {
        return None;
    }
    // A full name that says something else than its parts was chosen by somebody: it stays.
    let (first, last) = (stored(fields::FIRST_NAME), stored(fields::LAST_NAME));
    let before = stored(fields::NAME);
    if !before.is_empty() && before != joined(&first, &last) {
        return None;
    }
    let part =
        |name: &str, old: String| body.get(name).and_then(Json::as_str).map_or(old, str::to_owned);
    let (first, last) = (part(fields::FIRST_NAME, first), part(fields::LAST_NAME, last));
    let whole = joined(&first, &last);
    // The part that was read from the full name is written with it, so that it stays.
    body.insert(fields::FIRST_NAME.to_owned(), Json::from(first));
    body.insert(fields::LAST_NAME.to_owned(), Json::from(last));
    body.insert(fields::NAME.to_owned(), Json::from(whole.clone()));
    Some((FieldId::new(fields::NAME), Value::Text(whole)))
}

/// Tags are changed one by one, never as a set: those of others stay.
fn tags(write: &Write, ids: &TagIds, body: &mut Map<String, Json>) {
    let named = |name: &String| json!({ "name": name });
    if !write.tags_add.is_empty() {
        let tags: Vec<Json> = write.tags_add.iter().map(named).collect();
        if write.id.is_some() {
            body.insert("tags_to_add".to_owned(), Json::Array(tags));
        } else {
            body.insert("_embedded".to_owned(), json!({ "tags": tags }));
        }
    }
    let lost = write.tags_remove.iter().filter_map(|name| ids.get(&name.to_lowercase())).flatten();
    let lost: Vec<Json> = lost.map(|id| json!({ "id": id })).collect();
    if !lost.is_empty() {
        body.insert("tags_to_delete".to_owned(), Json::Array(lost));
    }
}

/// A custom field with its values; without any, it is emptied.
fn addressed(field: &str, values: Vec<Json>) -> Json {
    let values = if values.is_empty() { Json::Null } else { Json::Array(values) };
    match field.strip_prefix("cf_").and_then(|number| number.parse::<u64>().ok()) {
        Some(id) => json!({ "field_id": id, "values": values }),
        None => json!({ "field_code": field, "values": values }),
    }
}

fn sent(value: &Value, days: &Days) -> Vec<Json> {
    match value {
        Value::List(items) => items.iter().flat_map(|item| sent(item, days)).collect(),
        _ if value.is_empty() => Vec::new(),
        Value::Choice(choice) => match choice.id.parse::<u64>() {
            Ok(id) => vec![json!({ "enum_id": id })],
            Err(_) => vec![json!({ "value": choice.id })],
        },
        Value::Boolean(yes) => vec![json!({ "value": yes })],
        Value::Date(day) => vec![json!({ "value": days.moment(*day) })],
        Value::DateTime(at) => vec![json!({ "value": at.as_second() })],
        Value::Number(_)
        | Value::Text(_)
        | Value::Email(_)
        | Value::Phone(_)
        | Value::Reference(_)
        | Value::Consent(_)
        | Value::Cleared => vec![json!({ "value": value.text() })],
    }
}
