//! Zoho's JSON, as far as it is read here (zoho.com/crm/developer/docs/api/v8). Ids are text: as
//! numbers they would lose digits.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// A page of records.
#[derive(Deserialize)]
pub(super) struct Records {
    #[serde(default)]
    pub(super) data: Vec<Map<String, Json>>,
    #[serde(default)]
    pub(super) info: Info,
}

/// Where a list goes on.
#[derive(Default, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) more_records: bool,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// How many records there are.
#[derive(Deserialize)]
pub(super) struct Counted {
    pub(super) count: u64,
}

/// What became of bulk jobs.
#[derive(Deserialize)]
pub(super) struct Jobs {
    pub(super) data: Vec<Job>,
}

#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) state: String,
    pub(super) result: Option<JobResult>,
}

#[derive(Deserialize)]
pub(super) struct JobResult {
    pub(super) count: u64,
    #[serde(default)]
    pub(super) more_records: bool,
}

/// The answers to a write, in the order of what was sent.
#[derive(Deserialize)]
pub(super) struct Outcomes {
    pub(super) data: Vec<super::refusal::Outcome>,
}

#[derive(Deserialize)]
pub(super) struct Deleted {
    #[serde(default)]
    pub(super) data: Vec<DeletedRecord>,
    #[serde(default)]
    pub(super) info: Info,
}

#[derive(Deserialize)]
pub(super) struct DeletedRecord {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct Orgs {
    pub(super) org: Vec<Org>,
}

#[derive(Deserialize)]
pub(super) struct Org {
    pub(super) zgid: String,
    pub(super) company_name: Option<String>,
    pub(super) domain_name: Option<String>,
    pub(super) country_code: Option<String>,
    pub(super) time_zone: Option<String>,
    /// What it has bought: in whatever form, nothing else depends on it.
    #[serde(default)]
    pub(super) license_details: Json,
}

#[derive(Deserialize)]
pub(super) struct Users {
    #[serde(default)]
    pub(super) users: Vec<User>,
    #[serde(default)]
    pub(super) info: Info,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Fields {
    pub(super) fields: Vec<FieldAbout>,
}

/// A field as the organisation describes it.
#[derive(Deserialize)]
pub(super) struct FieldAbout {
    pub(super) api_name: String,
    pub(super) field_label: Option<String>,
    pub(super) display_label: Option<String>,
    pub(super) data_type: String,
    pub(super) length: Option<usize>,
    #[serde(default)]
    pub(super) system_mandatory: bool,
    #[serde(default)]
    pub(super) read_only: bool,
    #[serde(default)]
    pub(super) field_read_only: bool,
    #[serde(default = "shown")]
    pub(super) visible: bool,
    #[serde(default)]
    pub(super) operation_type: Operations,
    #[serde(default)]
    pub(super) pick_list_values: Vec<Pick>,
}

fn shown() -> bool {
    true
}

#[derive(Deserialize)]
pub(super) struct Operations {
    #[serde(default = "shown")]
    pub(super) api_create: bool,
    #[serde(default = "shown")]
    pub(super) api_update: bool,
}

impl Default for Operations {
    fn default() -> Self {
        Self { api_create: true, api_update: true }
    }
}

/// What is registered for notifications: an element for each module of each channel.
#[derive(Deserialize)]
pub(super) struct Watch {
    #[serde(default)]
    pub(super) watch: Vec<Watched>,
}

#[derive(Deserialize)]
pub(super) struct Watched {
    /// A text or a number.
    pub(super) channel_id: Json,
    pub(super) channel_expiry: Option<String>,
    #[serde(default)]
    pub(super) events: Vec<String>,
    pub(super) notify_url: Option<String>,
    pub(super) token: Option<String>,
}

/// The answers to registering for notifications, or to taking that back.
#[derive(Deserialize)]
pub(super) struct WatchOutcomes {
    pub(super) watch: Vec<super::refusal::Outcome>,
}

/// A notification, but for what it says of the records.
#[derive(Deserialize)]
pub(super) struct Notification {
    pub(super) module: String,
    /// Texts or numbers.
    pub(super) ids: Vec<Json>,
    pub(super) token: Option<String>,
}

/// An option. The actual value is what is read and written; what is displayed may differ.
#[derive(Deserialize)]
pub(super) struct Pick {
    pub(super) actual_value: String,
    pub(super) display_value: Option<String>,
}
