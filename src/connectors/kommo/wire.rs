//! Kommo's JSON, as far as it is read here (developers.kommo.com/reference). Unknown keys are left
//! alone: writes name only what they change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::fields;
use crate::record::FieldId;

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Listing {
    #[serde(rename = "_links", default)]
    links: Links,
    #[serde(rename = "_embedded", default)]
    embedded: BTreeMap<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
struct Links {
    next: Option<serde_json::Value>,
}

impl Listing {
    /// Whether there is a further page. No count is given.
    pub(super) fn has_next(&self) -> bool {
        self.links.next.is_some()
    }

    /// The elements of this name; none if they are not what is expected.
    pub(super) fn take<T: DeserializeOwned>(mut self, name: &str) -> Option<Vec<T>> {
        serde_json::from_value(self.embedded.remove(name)?).ok()
    }
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) subdomain: Option<String>,
    pub(super) current_user_id: Option<u64>,
    pub(super) country: Option<String>,
    #[serde(rename = "_embedded")]
    pub(super) embedded: Option<AccountEmbedded>,
}

impl Account {
    /// Its time zone (IANA name), if it was asked for.
    pub(super) fn time_zone(&self) -> Option<&str> {
        self.embedded.as_ref()?.datetime_settings.as_ref()?.timezone.as_deref()
    }
}

#[derive(Deserialize)]
pub(super) struct AccountEmbedded {
    pub(super) datetime_settings: Option<DatetimeSettings>,
}

#[derive(Deserialize)]
pub(super) struct DatetimeSettings {
    pub(super) timezone: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) rights: Rights,
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Rights {
    pub(super) is_active: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Self { is_active: true }
    }
}

#[derive(Deserialize)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) responsible_user_id: Option<i64>,
    pub(super) created_at: Option<i64>,
    pub(super) updated_at: Option<i64>,
    #[serde(default)]
    pub(super) is_deleted: bool,
    pub(super) custom_fields_values: Option<Vec<CustomField>>,
    #[serde(rename = "_embedded", default)]
    pub(super) embedded: ContactEmbedded,
}

#[derive(Default, Deserialize)]
pub(super) struct ContactEmbedded {
    #[serde(default)]
    pub(super) tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
pub(super) struct Tag {
    pub(super) id: u64,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct CustomField {
    pub(super) field_id: u64,
    pub(super) field_code: Option<String>,
    #[serde(default)]
    pub(super) field_type: String,
    #[serde(default)]
    pub(super) values: Vec<CustomValue>,
}

impl CustomField {
    pub(super) fn id(&self) -> FieldId {
        fields::id(self.field_id, self.field_code.as_deref())
    }
}

#[derive(Deserialize)]
pub(super) struct CustomValue {
    #[serde(default)]
    pub(super) value: serde_json::Value,
    pub(super) enum_id: Option<u64>,
    pub(super) enum_code: Option<String>,
}

/// A custom field as the account describes it.
#[derive(Deserialize)]
pub(super) struct FieldAbout {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) is_api_only: bool,
    pub(super) enums: Option<Vec<EnumAbout>>,
}

#[derive(Deserialize)]
pub(super) struct EnumAbout {
    pub(super) id: u64,
    pub(super) value: String,
    pub(super) code: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) entity_id: u64,
    pub(super) created_at: i64,
}

/// A webhook as the account has it.
#[derive(Deserialize)]
pub(super) struct Hook {
    pub(super) id: u64,
    pub(super) destination: String,
    #[serde(default)]
    pub(super) disabled: bool,
    #[serde(default)]
    pub(super) settings: BTreeSet<String>,
}

/// One record of the answer to a write.
#[derive(Deserialize)]
pub(super) struct WrittenContact {
    pub(super) id: u64,
    pub(super) updated_at: Option<i64>,
    pub(super) request_id: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_bodies_are_read() {
        let contact: Contact =
            serde_json::from_slice(include_bytes!("fixtures/contact.json")).unwrap();
        assert_eq!(contact.custom_fields_values.unwrap()[0].values.len(), 2);
        assert_eq!(contact.embedded.tags.unwrap()[0].name, "vip");
        let list: Listing = serde_json::from_slice(include_bytes!("fixtures/list.json")).unwrap();
        assert!(list.has_next());
        assert!(list.take::<serde_json::Value>("contacts").is_some());
        let answer: Listing =
            serde_json::from_slice(include_bytes!("fixtures/create_answer.json")).unwrap();
        let made: Vec<WrittenContact> = answer.take("contacts").unwrap();
        assert_eq!(made[0].id, 40_401_635);
        let events: Listing =
            serde_json::from_slice(include_bytes!("fixtures/event_list.json")).unwrap();
        assert_eq!(events.take::<Event>("events").unwrap()[0].kind, "contact_deleted");
    }
}
