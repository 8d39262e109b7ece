//! The values of custom fields as they are written, made into what is read back.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{Choice, Field, Form};
use super::flaws::Flaw;

const TEXT_MAX: usize = 256;

/// The fields that are named, with their new values; none clear a field. What is wrong goes to
/// `flaws`.
pub(super) fn read(
    list: &Value,
    fields: &[Field],
    flaws: &mut Vec<Flaw>,
) -> Vec<(u64, Vec<Value>)> {
    let Some(items) = list.as_array() else {
        if !list.is_null() {
            flaws.push(Flaw::wrong_type("custom_fields_values", "array"));
        }
        return Vec::new();
    };
    let mut read = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("custom_fields_values.{index}");
        match find(item, fields, &path) {
            Ok(field) => read.push((field.id, read_field(field, item, &path, flaws))),
            Err(flaw) => flaws.push(flaw),
        }
    }
    read
}

/// A field is addressed by its id or by its code.
fn find<'a>(item: &Value, fields: &'a [Field], path: &str) -> Result<&'a Field, Flaw> {
    if let Some(id) = given(item, "field_id") {
        let path = format!("{path}.field_id");
        let Some(id) = id.as_u64() else { return Err(Flaw::wrong_type(path, "int")) };
        return fields.iter().find(|field| field.id == id).ok_or_else(|| Flaw::not_a_choice(path));
    }
    let code = given(item, "field_code").and_then(Value::as_str);
    let Some(code) = code else {
        return Err(Flaw::wrong_type(format!("{path}.field_id"), "int"));
    };
    fields
        .iter()
        .find(|field| field.code.as_deref() == Some(code))
        .ok_or_else(|| Flaw::not_a_choice(format!("{path}.field_code")))
}

fn read_field(field: &Field, item: &Value, path: &str, flaws: &mut Vec<Flaw>) -> Vec<Value> {
    let entries = match item.get("values") {
        Some(Value::Null) => return Vec::new(),
        Some(Value::Array(entries)) => entries,
        _ => {
            flaws.push(Flaw::wrong_type(format!("{path}.values"), "array"));
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| !is_blank(entry)) {
        match read_entry(field, entry, &format!("{path}.values.{index}")) {
            Ok(value) => read.push(value),
            Err(flaw) => flaws.push(flaw),
        }
    }
    if !field.holds_many() {
        read.truncate(1);
    }
    read
}

/// An empty text clears, as no value does.
fn is_blank(entry: &Value) -> bool {
    match entry.get("value") {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Null) => ["enum_id", "enum_code"].iter().all(|key| given(entry, key).is_none()),
        _ => false,
    }
}

fn read_entry(field: &Field, entry: &Value, path: &str) -> Result<Value, Flaw> {
    let value = entry.get("value");
    let wrong = |expected: &str| Flaw::wrong_type(format!("{path}.value"), expected);
    match field.form() {
        Form::Text => Ok(json!({ "value": text(field, value, path)? })),
        Form::Number => match number(value) {
            Some(number) => Ok(json!({ "value": number })),
            None => Err(wrong("numeric")),
        },
        Form::Flag => match value {
            Some(Value::Bool(flag)) => Ok(json!({ "value": flag })),
            _ => Err(wrong("bool")),
        },
        Form::Time => match seconds(value) {
            Some(seconds) => Ok(json!({ "value": seconds })),
            None => Err(wrong("int")),
        },
        Form::Choice => {
            let choice = choose(field, entry, path)?;
            Ok(json!({ "value": choice.value, "enum_id": choice.id, "enum_code": choice.code }))
        }
        Form::Labelled => {
            let text = text(field, value, path)?;
            let label = label(field, entry, path)?;
            let (id, code) = (label.map(|label| label.id), label.map(|label| &label.value));
            Ok(json!({ "value": text, "enum_id": id, "enum_code": code }))
        }
        Form::Opaque => Ok(entry.clone()),
    }
}

fn text(field: &Field, value: Option<&Value>, path: &str) -> Result<String, Flaw> {
    let Some(text) = value.and_then(Value::as_str) else {
        return Err(Flaw::wrong_type(format!("{path}.value"), "string"));
    };
    let is_limited = matches!(field.kind.as_str(), "text" | "multitext");
    if is_limited && text.chars().count() > TEXT_MAX {
        return Err(Flaw::too_long(format!("{path}.value"), TEXT_MAX));
    }
    Ok(text.to_owned())
}

/// Written as a number or as a text, read back as a text.
fn number(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            let is_number = text.trim().parse::<f64>().is_ok_and(f64::is_finite);
            is_number.then(|| text.trim().to_owned())
        }
        _ => None,
    }
}

fn seconds(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse::<Timestamp>().ok().map(|time| time.as_second()),
        _ => None,
    }
}

fn choose<'a>(field: &'a Field, entry: &Value, path: &str) -> Result<&'a Choice, Flaw> {
    let mut choices = field.choices.iter();
    let (key, found) = if let Some(id) = given(entry, "enum_id") {
        ("enum_id", choices.find(|choice| id.as_u64() == Some(choice.id)))
    } else if let Some(code) = given(entry, "enum_code") {
        let is_meant = |own: &String| code.as_str() == Some(own.as_str());
        ("enum_code", choices.find(|choice| choice.code.as_ref().is_some_and(is_meant)))
    } else {
        let value = entry.get("value").and_then(Value::as_str);
        ("value", choices.find(|choice| value == Some(choice.value.as_str())))
    };
    found.ok_or_else(|| Flaw::not_a_choice(format!("{path}.{key}")))
}

/// The label of a phone or an address: by id, by code, by code under its old name `enum`, or the
/// first one there is, which is `WORK`.
fn label<'a>(field: &'a Field, entry: &Value, path: &str) -> Result<Option<&'a Choice>, Flaw> {
    let given = ["enum_id", "enum_code", "enum"]
        .into_iter()
        .find_map(|key| given(entry, key).map(|label| (key, label)));
    let Some((key, label)) = given else { return Ok(field.choices.first()) };
    let is_meant = |choice: &&Choice| match label {
        Value::String(code) => *code == choice.value,
        Value::Number(id) => id.as_u64() == Some(choice.id),
        _ => false,
    };
    match field.choices.iter().find(is_meant) {
        Some(choice) => Ok(Some(choice)),
        None => Err(Flaw::not_a_choice(format!("{path}.{key}"))),
    }
}

fn given<'a>(entry: &'a Value, key: &str) -> Option<&'a Value> {
    entry.get(key).filter(|value| !value.is_null())
}
