//! Somebody as each app writes it down.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::face::Face;
use super::{BIRTHDAY, CITY, OPT_OUT};

/// Fields without a value are left out.
pub(super) fn kommo(face: &Face) -> Json {
    let mut fields = Vec::new();
    let phones = [("WORK", &face.phone), ("MOB", &face.mobile), ("OTHER", &face.other_phone)];
    let emails = [("WORK", &face.email), ("PRIV", &face.private_email)];
    fields.extend(labelled("PHONE", &phones));
    fields.extend(labelled("EMAIL", &emails));
    fields.extend(filled(&face.title).map(|title| coded("POSITION", &json!([{ "value": title }]))));
    fields.extend(filled(&face.city).map(|city| named(CITY, &json!(city))));
    fields.extend(birthday(face).map(|seconds| named(BIRTHDAY, &json!(seconds))));
    fields.extend(face.is_opted_out.then(|| named(OPT_OUT, &json!(true))));
    let mut contact = Map::new();
    for (key, name) in [("first_name", &face.first_name), ("last_name", &face.last_name)] {
        contact.extend(filled(name).map(|name| (key.to_owned(), json!(name))));
    }
    contact.insert("responsible_user_id".to_owned(), json!(face.owner));
    contact.insert("custom_fields_values".to_owned(), Json::Array(fields));
    contact.insert("_embedded".to_owned(), json!({ "tags": tags(face) }));
    Json::Object(contact)
}

/// Fields without a value are left out.
pub(super) fn zoho(face: &Face) -> Json {
    let birthday = face.birthday.map(|day| day.to_string()).unwrap_or_default();
    let texts = [
        ("First_Name", &face.first_name),
        ("Last_Name", &face.last_name),
        ("Email", &face.email),
        ("Phone", &face.phone),
        ("Mobile", &face.mobile),
        ("Title", &face.title),
        ("Mailing_City", &face.city),
        ("Date_of_Birth", &birthday),
    ];
    let mut record = Map::new();
    for (key, text) in texts {
        record.extend(filled(text).map(|text| (key.to_owned(), json!(text))));
    }
    record.insert("Email_Opt_Out".to_owned(), json!(face.is_opted_out));
    record.insert("Owner".to_owned(), json!({ "email": face.owner }));
    record.insert("Tag".to_owned(), tags(face));
    Json::Object(record)
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn labelled(code: &str, values: &[(&str, &String)]) -> Option<Json> {
    let values: Vec<Json> = values
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| json!({ "value": value, "enum_code": label }))
        .collect();
    (!values.is_empty()).then(|| coded(code, &Json::Array(values)))
}

fn coded(code: &str, values: &Json) -> Json {
    json!({ "field_code": code, "values": values })
}

fn named(name: &str, value: &Json) -> Json {
    json!({ "field_name": name, "values": [{ "value": value }] })
}

/// A midnight of the day, in Unix seconds.
fn birthday(face: &Face) -> Option<i64> {
    let midnight = TimeZone::UTC.to_timestamp(face.birthday?.at(0, 0, 0, 0)).ok();
    midnight.map(Timestamp::as_second).map(|seconds| seconds - face.midnight_east * 3_600)
}

fn tags(face: &Face) -> Json {
    face.tags.iter().map(|name| json!({ "name": name })).collect()
}
