//! What people do in the two apps once they are the same: each edits other fields of the same persons.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Town;
use crate::lab::people::Kind;

/// How many people are edited on each side.
const EDITED: usize = 5;

/// What a person did, known by words that nobody else has written.
pub(super) struct Edit {
    words: String,
    /// Whether it was done in Kommo, and so is to arrive in Zoho CRM.
    is_left: bool,
}

/// Of these edits, made at that time, those that have not arrived on the other side.
pub(super) fn on_the_way<'a>(edits: Vec<&'a Edit>, town: &Town, at: Timestamp) -> Vec<&'a Edit> {
    let (kommo, zoho) = (town.kommo.contacts_since(at), town.zoho.contacts_since(at));
    let has_arrived = |edit: &Edit| {
        let there = if edit.is_left { &zoho } else { &kommo };
        there.iter().any(|contact| says(contact, &edit.words))
    };
    edits.into_iter().filter(|edit| !has_arrived(edit)).collect()
}

fn says(value: &Json, words: &str) -> bool {
    match value {
        Json::String(text) => text == words,
        Json::Array(items) => items.iter().any(|item| says(item, words)),
        Json::Object(fields) => fields.values().any(|field| says(field, words)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Edits people on both sides at once: a title on the left, a city on the right; and somebody new.
pub(super) fn edit(town: &Town) -> Vec<Edit> {
    let linked = town.people.people.iter().filter(|person| {
        person.kind == Kind::Plain && person.left.len() == 1 && person.right.len() == 1
    });
    let mut edits = Vec::new();
    for person in linked.take(EDITED) {
        let left = town.moved.left_ids.get(&person.number).and_then(|ids| ids.first());
        let right = town.moved.right_ids.get(&person.number).and_then(|ids| ids.first());
        if let (Some(left), Some(right)) = (left, right) {
            let title = format!("Edited on the left, no. {}.", person.number);
            let values = json!([{ "field_code": "POSITION", "values": [{ "value": title }] }]);
            if town.kommo.person_edits(*left, json!({ "custom_fields_values": values })) {
                edits.push(Edit { words: title, is_left: true });
            }
            let city = format!("Edited on the right, no. {}.", person.number);
            if town.zoho.person_edits(right, json!({ "Mailing_City": city })) {
                edits.push(Edit { words: city, is_left: false });
            }
        }
    }
    let owner = town.moved.left_users.keys().next();
    let address = "nora.newcomer@demo.example";
    let new: Json = json!({
        "responsible_user_id": owner,
        "first_name": "Nora", "last_name": "Newcomer", "name": "Nora Newcomer",
        "custom_fields_values": [{
            "field_code": "EMAIL",
            "values": [{ "value": address, "enum_code": "WORK" }],
        }],
    });
    if town.kommo.person_adds(new) > 0 {
        edits.push(Edit { words: address.to_owned(), is_left: true });
    }
    edits
}
