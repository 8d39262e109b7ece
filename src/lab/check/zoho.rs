//! Reads the right app's contacts.

use serde_json::Value as Json;

use super::normal;
use super::row::{
    BIRTHDAY, CITY, EMAIL, FIRST_NAME, LAST_NAME, MOBILE, OWNER, PHONE, Row, TITLE, plain,
};
use crate::lab::people::Moved;

pub(super) fn row(record: &Json, moved: &Moved) -> Row {
    let mut row = Row::new("zoho", record.get("id"));
    let texts = [
        (FIRST_NAME, "First_Name"),
        (LAST_NAME, "Last_Name"),
        (TITLE, "Title"),
        (CITY, "Mailing_City"),
        (BIRTHDAY, "Date_of_Birth"),
    ];
    for (field, key) in texts {
        row.say(field, plain(record.get(key)), normal::text);
    }
    row.say(EMAIL, plain(record.get("Email")), normal::email);
    row.say(PHONE, plain(record.get("Phone")), normal::phone);
    row.say(MOBILE, plain(record.get("Mobile")), normal::phone);
    row.say(OWNER, owner(record, moved), normal::email);
    row.say_tags(record.get("Tag"));
    row.say_opt_out(record.get("Email_Opt_Out"));
    row
}

/// The user's e-mail address, which people who have not moved in yet have in place of the id.
fn owner(record: &Json, moved: &Moved) -> String {
    let id = record.pointer("/Owner/id").and_then(Json::as_str);
    let email = id.and_then(|id| moved.right_users.get(id)).cloned();
    email.unwrap_or_else(|| plain(record.pointer("/Owner/email")))
}
