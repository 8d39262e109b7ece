//! A record of either app, field by field under the same names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::normal;

/// The fields that both apps have.
pub(super) const FIELDS: [&str; 11] =
    [FIRST_NAME, LAST_NAME, EMAIL, PHONE, MOBILE, TITLE, CITY, BIRTHDAY, TAGS, OPT_OUT, OWNER];

pub(super) const FIRST_NAME: &str = "first_name";
pub(super) const LAST_NAME: &str = "last_name";
pub(super) const EMAIL: &str = "email";
pub(super) const PHONE: &str = "phone";
pub(super) const MOBILE: &str = "mobile";
pub(super) const TITLE: &str = "title";
pub(super) const CITY: &str = "city";
pub(super) const BIRTHDAY: &str = "birthday";
pub(super) const TAGS: &str = "tags";
pub(super) const OPT_OUT: &str = "email_opt_out";
pub(super) const OWNER: &str = "owner";

/// Numbers beside those of work and mobile.
pub(super) const PHONES: &str = "phones";
/// Addresses beside the first.
pub(super) const EMAILS: &str = "emails";

/// A record as a whole.
pub(super) const RECORD: &str = "record";

/// A value as it stands there, and what it comes to.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) raw: String,
    pub(super) means: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) app: &'static str,
    pub(super) id: String,
    fields: BTreeMap<&'static str, Said>,
    /// In small letters, with what is written.
    pub(super) tags: BTreeMap<String, String>,
    /// What the other app has no field for.
    pub(super) extras: Vec<(&'static str, Said)>,
    /// What all numbers and addresses of the record come to, by the kind of extra they could be.
    pub(super) holds: BTreeSet<(&'static str, String)>,
}

impl Row {
    pub(super) fn new(app: &'static str, id: Option<&Json>) -> Self {
        Self { app, id: plain(id), ..Self::default() }
    }

    pub(super) fn say(&mut self, field: &'static str, raw: String, normal: fn(&str) -> String) {
        let means = normal(&raw);
        self.fields.insert(field, Said { raw, means });
    }

    pub(super) fn say_tags(&mut self, tags: Option<&Json>) {
        let tags = tags.and_then(Json::as_array).into_iter().flatten();
        let names = tags.map(|tag| plain(tag.get("name")));
        self.tags = names.map(|name| (normal::text(&name).to_lowercase(), name)).collect();
        let raw: Vec<&str> = self.tags.values().map(String::as_str).collect();
        let means: Vec<&str> = self.tags.keys().map(String::as_str).collect();
        let said = Said { raw: raw.join(", "), means: means.join("\n") };
        self.fields.insert(TAGS, said);
    }

    pub(super) fn say_opt_out(&mut self, value: Option<&Json>) {
        let is_opted_out = value.and_then(Json::as_bool).unwrap_or_default();
        self.say(OPT_OUT, is_opted_out.to_string(), normal::text);
    }

    /// Something that the other app has no field for.
    pub(super) fn say_extra(
        &mut self,
        kind: &'static str,
        raw: String,
        normal: fn(&str) -> String,
    ) {
        let means = normal(&raw);
        self.extras.push((kind, Said { raw, means }));
    }

    pub(super) fn raw(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", |said| said.raw.as_str())
    }

    pub(super) fn means(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", |said| said.means.as_str())
    }

    pub(super) fn is_opted_out(&self) -> bool {
        self.means(OPT_OUT) == "true"
    }

    /// The e-mail address that a person is known by; empty if there is none.
    pub(super) fn address(&self) -> &str {
        self.means(EMAIL)
    }

    /// What a report calls the person.
    pub(super) fn person(&self) -> String {
        match self.address() {
            "" => format!("{} {}", self.app, self.id),
            address => address.to_owned(),
        }
    }
}

/// A text or a number as text; anything else is empty.
pub(super) fn plain(value: Option<&Json>) -> String {
    match value {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
