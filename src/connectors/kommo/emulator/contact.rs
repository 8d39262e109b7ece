//! One contact, and how it is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::State;

#[derive(Clone)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) responsible_user_id: u64,
    pub(super) created_by: u64,
    pub(super) updated_by: u64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) is_deleted: bool,
    /// By the field's id, as they are read back; a field without any is not there.
    pub(super) values: BTreeMap<u64, Vec<Value>>,
    pub(super) tags: Vec<u64>,
    written_at: Timestamp,
    /// What the search knew before the last write.
    indexed: Option<String>,
}

impl Contact {
    pub(super) fn new(id: u64, actor: u64, now: Timestamp) -> Self {
        Self {
            id,
            name: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            responsible_user_id: actor,
            created_by: actor,
            updated_by: actor,
            created_at: now.as_second(),
            updated_at: 0,
            is_deleted: false,
            values: BTreeMap::new(),
            tags: Vec::new(),
            written_at: now,
            indexed: None,
        }
    }

    pub(super) fn show(&self, state: &State, with_leads: bool) -> Value {
        let tags: Vec<Value> = self
            .tags
            .iter()
            .map(|id| json!({ "id": id, "name": state.tags.get(id), "color": null }))
            .collect();
        let embedded = if with_leads {
            json!({ "tags": tags, "companies": [], "leads": [] })
        } else {
            json!({ "tags": tags, "companies": [] })
        };
        json!({
            "id": self.id,
            "name": self.name,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "responsible_user_id": self.responsible_user_id,
            "group_id": 0,
            "created_by": self.created_by,
            "updated_by": self.updated_by,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "closest_task_at": null,
            "is_deleted": self.is_deleted,
            "is_unsorted": false,
            "custom_fields_values": self.show_values(state),
            "account_id": state.options.account_id,
            "_links": self.links(state),
            "_embedded": embedded,
        })
    }

    /// What a list of the bin shows.
    pub(super) fn show_deleted(&self, state: &State) -> Value {
        json!({
            "id": self.id,
            "updated_at": self.updated_at,
            "is_deleted": true,
            "_links": self.links(state),
        })
    }

    pub(super) fn links(&self, state: &State) -> Value {
        state.links(&format!("contacts/{}", self.id))
    }

    fn show_values(&self, state: &State) -> Option<Vec<Value>> {
        let filled = state.fields.iter().filter_map(|field| {
            let values = self.values.get(&field.id)?;
            Some(json!({
                "field_id": field.id,
                "field_name": field.name,
                "field_code": field.code,
                "field_type": field.kind,
                "values": values,
            }))
        });
        let filled: Vec<Value> = filled.collect();
        if filled.is_empty() { None } else { Some(filled) }
    }

    /// To be called before a write: what was written so far is still found until the search catches
    /// up.
    pub(super) fn begin_write(&mut self, now: Timestamp, search_lag: Duration) {
        if self.is_indexed(now, search_lag) {
            self.indexed = Some(self.text());
        }
        self.written_at = now;
    }

    /// Whether the search finds it by this text, which is in lower case.
    pub(super) fn is_found(&self, needle: &str, now: Timestamp, search_lag: Duration) -> bool {
        if self.is_indexed(now, search_lag) {
            self.text().contains(needle)
        } else {
            self.indexed.as_ref().is_some_and(|text| text.contains(needle))
        }
    }

    fn is_indexed(&self, now: Timestamp, search_lag: Duration) -> bool {
        self.written_at + search_lag <= now
    }

    fn text(&self) -> String {
        let names = [&self.name, &self.first_name, &self.last_name];
        let values =
            self.values.values().flatten().filter_map(|value| value.get("value")?.as_str());
        let all: Vec<&str> = names.into_iter().map(String::as_str).chain(values).collect();
        all.join("\n").to_lowercase()
    }
}
