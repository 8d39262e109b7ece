//! Moves people into two empty apps: their users, the custom fields, and everybody's records.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::dice::Dice;
use super::words::USERS;
use super::{BIRTHDAY, CITY, OPT_OUT, People};
use crate::connectors::kommo::emulator::Emulator as Kommo;
use crate::connectors::zoho::emulator::Emulator as Zoho;

/// The ids that the apps gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The left app's field that says that somebody wants no e-mails.
    pub opt_out_field: u64,
    /// The left app's field for a city.
    pub city_field: u64,
    /// The left app's field for a date of birth.
    pub birthday_field: u64,
    /// The left app's users, with their e-mail addresses.
    pub left_users: BTreeMap<u64, String>,
    /// The right app's users, with their e-mail addresses.
    pub right_users: BTreeMap<String, String>,
    /// The left app's contacts of each person, by the person's number, in the order of the person.
    pub left_ids: BTreeMap<u32, Vec<u64>>,
    /// The right app's contacts of each person, by the person's number, in the order of the person.
    pub right_ids: BTreeMap<u32, Vec<String>>,
}

/// Moves everybody in, in an order that the seed decides: some come to the left app before they come
/// to the right, some after.
#[must_use]
pub fn move_in(people: &People, kommo: &Kommo, zoho: &Zoho) -> Moved {
    let field =
        |name: &str, kind: &str| kommo.person_adds_field(json!({ "name": name, "type": kind }));
    let mut moved = Moved {
        opt_out_field: field(OPT_OUT, "checkbox"),
        city_field: field(CITY, "text"),
        birthday_field: field(BIRTHDAY, "birthday"),
        ..Moved::default()
    };
    for (name, email) in USERS {
        moved.left_users.insert(kommo.add_user(name, email), email.to_owned());
        moved.right_users.insert(zoho.add_user(name, email), email.to_owned());
    }
    let both = people.people.iter().flat_map(|person| [(person, true), (person, false)]);
    let mut order: Vec<_> = both.collect();
    Dice::new(people.seed).shuffle(&mut order);
    for (person, is_left) in order {
        if is_left {
            let records = person.left.iter().map(|contact| moved.contact_of_left(contact));
            let ids = records.map(|contact| kommo.person_adds(contact)).collect();
            moved.left_ids.insert(person.number, ids);
        } else {
            let records = person.right.iter().map(|record| moved.record_of_right(record));
            let ids = records.map(|record| zoho.person_adds(record)).collect();
            moved.right_ids.insert(person.number, ids);
        }
    }
    moved
}

impl Moved {
    /// With the left app's ids in place of names.
    fn contact_of_left(&self, contact: &Json) -> Json {
        let mut contact = contact.clone();
        let email = contact.get("responsible_user_id").and_then(Json::as_str);
        let user = self.left_users.iter().find(|(_, known)| Some(known.as_str()) == email);
        let user = user.map(|(id, _)| *id);
        if let (Some(user), Some(contact)) = (user, contact.as_object_mut()) {
            contact.insert("responsible_user_id".to_owned(), json!(user));
        }
        let fields = contact.get_mut("custom_fields_values").and_then(Json::as_array_mut);
        for field in fields.into_iter().flatten().filter_map(Json::as_object_mut) {
            let id = match field.get("field_name").and_then(Json::as_str) {
                Some(OPT_OUT) => self.opt_out_field,
                Some(CITY) => self.city_field,
                Some(BIRTHDAY) => self.birthday_field,
                _ => continue,
            };
            field.insert("field_id".to_owned(), json!(id));
        }
        contact
    }

    /// With the right app's ids in place of names.
    fn record_of_right(&self, record: &Json) -> Json {
        let mut record = record.clone();
        let email = record.pointer("/Owner/email").and_then(Json::as_str);
        let user = self.right_users.iter().find(|(_, known)| Some(known.as_str()) == email);
        let user = user.map(|(id, _)| id.clone());
        if let (Some(user), Some(record)) = (user, record.as_object_mut()) {
            record.insert("Owner".to_owned(), json!({ "id": user }));
        }
        record
    }
}
