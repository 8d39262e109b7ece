//! Two apps with people, as plain JSON, and a sync that is as simple as can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use concord::connectors::{kommo, zoho};
use concord::lab::check::{Difference, Problem, differences};
use concord::lab::people::{Kind, Moved, People, Person, move_in, people};
use concord::ports::ManualClock;
use serde_json::{Value as Json, json};

pub struct Town {
    pub people: People,
    pub moved: Moved,
    pub kommo: Vec<Json>,
    pub zoho: Vec<Json>,
}

/// The values of a record that both apps have, less the address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flat {
    pub texts: BTreeMap<&'static str, String>,
    pub tags: BTreeSet<String>,
    pub is_opted_out: bool,
}

const TEXTS: [(&str, &str); 2] = [("first_name", "First_Name"), ("last_name", "Last_Name")];
const STAND_IN: &str = "(unknown)";
const PHONES: [(&str, &str); 2] = [("WORK", "Phone"), ("MOB", "Mobile")];

impl Town {
    /// Everybody has moved in, and nothing else has happened.
    pub fn untouched(count: u32, seed: u64) -> Self {
        Self::of(people(count, seed))
    }

    pub fn of(people: People) -> Self {
        let start = jiff::Timestamp::from_second(1_767_225_600).unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let left = kommo::emulator::Emulator::new(kommo::emulator::Options::new(clock.clone()));
        let right = zoho::emulator::Emulator::new(zoho::emulator::Options::new(clock));
        let moved = move_in(&people, &left, &right);
        Self { people, moved, kommo: left.contacts(), zoho: right.contacts() }
    }

    /// Both apps are the same, as far as they can be.
    pub fn perfect(count: u32, seed: u64) -> Self {
        let mut town = Self::untouched(count, seed);
        town.make_the_same();
        town
    }

    pub fn differences(&self) -> Vec<Difference> {
        differences(&self.people, &self.moved, &self.kommo, &self.zoho)
    }

    /// The first person of a kind who satisfies a test.
    pub fn find(&self, kind: Kind, is_meant: impl Fn(&Person) -> bool) -> Person {
        let mut people = self.people.people.iter();
        people.find(|person| person.kind == kind && is_meant(person)).unwrap().clone()
    }

    /// Somebody with nothing special, who was in both apps from the start.
    pub fn anna(&self) -> String {
        address(&self.find(Kind::Plain, is_on_both_sides))
    }

    pub fn left(&mut self, address: &str) -> &mut Json {
        self.kommo.iter_mut().find(|contact| left_address(contact) == address).unwrap()
    }

    pub fn right(&mut self, address: &str) -> &mut Json {
        self.zoho.iter_mut().find(|record| right_address(record) == address).unwrap()
    }

    pub fn remove_left(&mut self, address: &str) {
        self.kommo.retain(|contact| left_address(contact) != address);
    }

    pub fn remove_right(&mut self, address: &str) {
        self.zoho.retain(|record| right_address(record) != address);
    }

    /// A contact of its own, with the values of another.
    pub fn add_left(&mut self, mut contact: Json) {
        contact["id"] = json!(9_000_000 + self.kommo.len());
        self.kommo.push(contact);
    }

    /// A record of its own, with the values of another.
    pub fn add_right(&mut self, mut record: Json) {
        record["id"] = json!((9_000_000_000_000_000_000_u64 + self.zoho.len() as u64).to_string());
        self.zoho.push(record);
    }

    /// Copies between the apps what one has and the other has not. The left app prevails.
    pub fn make_the_same(&mut self) {
        let mut holders: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (at, contact) in self.kommo.iter().enumerate() {
            holders.entry(left_address(contact)).or_default().0.push(at);
        }
        for (at, record) in self.zoho.iter().enumerate() {
            holders.entry(right_address(record)).or_default().1.push(at);
        }
        holders.remove("");
        for (address, (lefts, rights)) in holders {
            match (lefts.as_slice(), rights.as_slice()) {
                ([left], [right]) => {
                    let mut flat = self.read_right(&self.zoho[*right]);
                    let prevailing = self.read_left(&self.kommo[*left]);
                    flat.texts.extend(prevailing.texts);
                    flat.tags.extend(prevailing.tags);
                    flat.is_opted_out |= prevailing.is_opted_out;
                    write_left(&mut self.kommo[*left], &flat, &self.moved);
                    write_right(&mut self.zoho[*right], &flat, &self.moved);
                }
                ([left, ..], []) => {
                    let flat = self.read_left(&self.kommo[*left]);
                    let phone = flat.texts.get("Phone").cloned().unwrap_or_default();
                    if !phone.contains(char::is_alphabetic) {
                        let mut record = json!({ "Email": address });
                        write_right(&mut record, &flat, &self.moved);
                        self.add_right(record);
                    }
                }
                ([], [right, ..]) => {
                    let flat = self.read_right(&self.zoho[*right]);
                    let mut contact = json!({});
                    let email = json!({ "value": address, "enum_code": "WORK" });
                    values(&mut contact, "field_code", &json!("EMAIL")).push(email);
                    write_left(&mut contact, &flat, &self.moved);
                    self.add_left(contact);
                }
                _ => {}
            }
        }
    }

    pub fn read_left(&self, contact: &Json) -> Flat {
        let mut flat = Flat::default();
        for (key, other) in TEXTS {
            flat.tell(other, contact[key].as_str().unwrap_or_default());
        }
        for field in contact["custom_fields_values"].as_array().into_iter().flatten() {
            let first = &field["values"][0]["value"];
            if first.is_null() {
                continue;
            }
            match (field["field_code"].as_str(), field["field_id"].as_u64()) {
                (Some("PHONE"), _) => {
                    for (label, other) in PHONES {
                        let phones = field["values"].as_array().unwrap();
                        let phone = phones.iter().find(|phone| phone["enum_code"] == label);
                        flat.tell(
                            other,
                            phone.map_or("", |phone| phone["value"].as_str().unwrap()),
                        );
                    }
                }
                (Some("POSITION"), _) => flat.tell("Title", first.as_str().unwrap()),
                (_, Some(id)) if id == self.moved.city_field => {
                    flat.tell("Mailing_City", first.as_str().unwrap());
                }
                (_, Some(id)) if id == self.moved.birthday_field => {
                    flat.tell("Date_of_Birth", &day_of(first.as_i64().unwrap()));
                }
                (_, Some(id)) if id == self.moved.opt_out_field => {
                    flat.is_opted_out = first.as_bool().unwrap();
                }
                _ => {}
            }
        }
        let owner = contact["responsible_user_id"].as_u64().unwrap();
        flat.tell("Owner", &self.moved.left_users[&owner]);
        flat.tags = names(&contact["_embedded"]["tags"]);
        flat
    }

    pub fn read_right(&self, record: &Json) -> Flat {
        let mut flat = Flat::default();
        let texts = ["Title", "Mailing_City", "Date_of_Birth"];
        let keys = [TEXTS, PHONES].concat().into_iter().map(|(_, key)| key);
        for key in keys.chain(texts) {
            flat.tell(key, record[key].as_str().unwrap_or_default());
        }
        if flat.text("Last_Name") == STAND_IN {
            flat.texts.remove("Last_Name");
        }
        flat.tell("Owner", &self.moved.right_users[record["Owner"]["id"].as_str().unwrap()]);
        flat.tags = names(&record["Tag"]);
        flat.is_opted_out = record["Email_Opt_Out"].as_bool().unwrap();
        flat
    }
}

impl Flat {
    fn tell(&mut self, key: &'static str, text: &str) {
        if !text.is_empty() {
            self.texts.insert(key, text.to_owned());
        }
    }

    fn text(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }
}

fn write_left(contact: &mut Json, flat: &Flat, moved: &Moved) {
    for (key, other) in TEXTS {
        contact[key] = json!(flat.text(other));
    }
    for (label, other) in PHONES {
        let phones = values(contact, "field_code", &json!("PHONE"));
        let phone = json!({ "value": flat.text(other), "enum_code": label });
        match phones.iter_mut().find(|phone| phone["enum_code"] == label) {
            Some(known) => *known = phone,
            None => phones.push(phone),
        }
        phones.retain(|phone| phone["value"] != "");
    }
    let birthday = (!flat.text("Date_of_Birth").is_empty())
        .then(|| json!([{ "value": seconds_of(flat.text("Date_of_Birth")) }]));
    let one = |text: &str| json!([{ "value": text }]);
    let fields = [
        ("field_code", json!("POSITION"), one(flat.text("Title"))),
        ("field_id", json!(moved.city_field), one(flat.text("Mailing_City"))),
        ("field_id", json!(moved.birthday_field), birthday.unwrap_or(json!([]))),
        ("field_id", json!(moved.opt_out_field), json!([{ "value": flat.is_opted_out }])),
    ];
    for (key, id, new) in fields {
        *values(contact, key, &id) = new.as_array().unwrap().clone();
    }
    let owner = moved.left_users.iter().find(|(_, email)| *email == flat.text("Owner"));
    contact["responsible_user_id"] = json!(owner.unwrap().0);
    contact["_embedded"]["tags"] = flat.tags.iter().map(|name| json!({ "name": name })).collect();
}

fn write_right(record: &mut Json, flat: &Flat, moved: &Moved) {
    for key in ["First_Name", "Phone", "Mobile", "Mailing_City", "Date_of_Birth"] {
        record[key] = json!(Some(flat.text(key)).filter(|text| !text.is_empty()));
    }
    record["Last_Name"] = match flat.text("Last_Name") {
        "" => json!(STAND_IN),
        name => json!(name),
    };
    record["Title"] = json!(flat.text("Title").chars().take(100).collect::<String>());
    record["Email_Opt_Out"] = json!(flat.is_opted_out);
    let owner = moved.right_users.iter().find(|(_, email)| *email == flat.text("Owner"));
    record["Owner"] = json!({ "id": owner.unwrap().0 });
    record["Tag"] = flat.tags.iter().map(|name| json!({ "name": name })).collect();
}

/// The values of a field of the left app, which is made if it is not there.
pub fn values<'a>(contact: &'a mut Json, key: &str, id: &Json) -> &'a mut Vec<Json> {
    if contact["custom_fields_values"].is_null() {
        contact["custom_fields_values"] = json!([]);
    }
    let fields = contact["custom_fields_values"].as_array_mut().unwrap();
    if !fields.iter().any(|field| field[key] == *id) {
        fields.push(json!({ key: id, "values": [] }));
    }
    let field = fields.iter_mut().find(|field| field[key] == *id).unwrap();
    field["values"].as_array_mut().unwrap()
}

fn names(tags: &Json) -> BTreeSet<String> {
    tags.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned()).collect()
}

fn day_of(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds + 12 * 3_600).unwrap();
    time.to_string()[..10].to_owned()
}

fn seconds_of(day: &str) -> i64 {
    format!("{day}T11:00:00Z").parse::<jiff::Timestamp>().unwrap().as_second()
}

/// The address by which the left app knows somebody, in small letters.
pub fn left_address(contact: &Json) -> String {
    let fields = contact["custom_fields_values"].as_array().into_iter().flatten();
    let mut emails = fields.filter(|field| field["field_code"] == "EMAIL");
    let first = emails.next().and_then(|field| field["values"][0]["value"].as_str());
    first.unwrap_or_default().to_lowercase()
}

/// The address by which the right app knows somebody, in small letters.
pub fn right_address(record: &Json) -> String {
    record["Email"].as_str().unwrap_or_default().to_lowercase()
}

pub fn address(person: &Person) -> String {
    match person.left.first() {
        Some(contact) => left_address(contact),
        None => right_address(&person.right[0]),
    }
}

pub fn is_on_both_sides(person: &Person) -> bool {
    !person.left.is_empty() && !person.right.is_empty()
}

/// That this was found, and nothing about anybody else.
#[track_caller]
pub fn assert_found(town: &Town, person: &str, field: &str, problem: Problem) -> Difference {
    let found = town.differences();
    assert!(found.iter().all(|difference| difference.person == person), "{found:#?}");
    let meant =
        |difference: &&Difference| difference.field == field && difference.problem == problem;
    let difference = found.iter().find(meant);
    difference.unwrap_or_else(|| panic!("no {problem:?} in {field}: {found:#?}")).clone()
}
