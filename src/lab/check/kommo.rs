//! Reads the left app's contacts.

use serde_json::Value as Json;

use super::normal;
use super::row::{
    BIRTHDAY, CITY, EMAIL, EMAILS, FIRST_NAME, LAST_NAME, MOBILE, OWNER, PHONE, PHONES, Row, TITLE,
    plain,
};
use crate::lab::people::{self, Moved};

pub(super) fn row(contact: &Json, moved: &Moved) -> Row {
    let mut row = Row::new("kommo", contact.get("id"));
    row.say(FIRST_NAME, plain(contact.get("first_name")), normal::text);
    row.say(LAST_NAME, plain(contact.get("last_name")), normal::text);
    row.say(OWNER, owner(contact, moved), normal::email);
    row.say_tags(contact.pointer("/_embedded/tags"));
    say_phones(&mut row, &coded(contact, "PHONE"));
    say_emails(&mut row, &coded(contact, "EMAIL"));
    row.say(TITLE, plain(first(&coded(contact, "POSITION"))), normal::text);
    let city = custom(contact, moved.city_field, people::CITY);
    row.say(CITY, plain(first(&city)), normal::text);
    let birthday = custom(contact, moved.birthday_field, people::BIRTHDAY);
    row.say(BIRTHDAY, day(first(&birthday)), normal::text);
    let opt_out = custom(contact, moved.opt_out_field, people::OPT_OUT);
    row.say_opt_out(first(&opt_out));
    row
}

fn say_phones(row: &mut Row, phones: &[&Json]) {
    let first_of = |label: &str| {
        phones.iter().position(|phone| phone.get("enum_code").and_then(Json::as_str) == Some(label))
    };
    let (work, mobile) = (first_of("WORK"), first_of("MOB"));
    for (at, phone) in phones.iter().enumerate() {
        let number = plain(phone.get("value"));
        row.holds.insert((PHONES, normal::phone(&number)));
        if Some(at) == work {
            row.say(PHONE, number, normal::phone);
        } else if Some(at) == mobile {
            row.say(MOBILE, number, normal::phone);
        } else {
            row.say_extra(PHONES, number, normal::phone);
        }
    }
}

fn say_emails(row: &mut Row, emails: &[&Json]) {
    for (at, email) in emails.iter().enumerate() {
        let address = plain(email.get("value"));
        row.holds.insert((EMAILS, normal::email(&address)));
        if at == 0 {
            row.say(EMAIL, address, normal::email);
        } else {
            row.say_extra(EMAILS, address, normal::email);
        }
    }
}

/// The user's e-mail address, which people who have not moved in yet have in place of the id.
fn owner(contact: &Json, moved: &Moved) -> String {
    let owner = contact.get("responsible_user_id");
    let email = owner.and_then(Json::as_u64).and_then(|id| moved.left_users.get(&id));
    email.cloned().unwrap_or_else(|| plain(owner))
}

/// The values of one of the app's own fields.
fn coded<'a>(contact: &'a Json, code: &str) -> Vec<&'a Json> {
    values(contact, |field| field.get("field_code").and_then(Json::as_str) == Some(code))
}

/// The values of a custom field, which has no id yet before people have moved in.
fn custom<'a>(contact: &'a Json, id: u64, name: &str) -> Vec<&'a Json> {
    values(contact, |field| match field.get("field_id").and_then(Json::as_u64) {
        Some(own) => own == id,
        None => field.get("field_name").and_then(Json::as_str) == Some(name),
    })
}

fn values(contact: &Json, is_meant: impl Fn(&Json) -> bool) -> Vec<&Json> {
    let fields = contact.get("custom_fields_values").and_then(Json::as_array);
    let field = fields.into_iter().flatten().find(|field| is_meant(field));
    let values = field.and_then(|field| field.get("values")).and_then(Json::as_array);
    values.into_iter().flatten().collect()
}

fn first<'a>(values: &[&'a Json]) -> Option<&'a Json> {
    values.first()?.get("value")
}

/// The day that a Unix time stands for, or what is there in its place.
fn day(value: Option<&Json>) -> String {
    value.and_then(Json::as_i64).and_then(normal::day).unwrap_or_else(|| plain(value))
}
