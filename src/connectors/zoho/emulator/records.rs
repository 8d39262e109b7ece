//! Records: what is stored of them, and how they are shown.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalogue::Module;
use super::fields::{Field, Kind};
use super::people::ME;
use super::state::State;
use super::times;

pub(super) struct Stored {
    pub(super) module: Module,
    pub(super) id: String,
    /// What has no value is not in here.
    pub(super) values: Map<String, Value>,
    pub(super) owner: String,
    pub(super) tags: Vec<String>,
    pub(super) created_at: Timestamp,
    pub(super) modified_at: Timestamp,
    pub(super) is_converted: bool,
    /// As the last write by the API gave it.
    pub(super) trigger: Value,
    /// What the search knew from when on, as far back as its lag reaches.
    versions: Vec<(Timestamp, Map<String, Value>)>,
}

impl Stored {
    pub(super) fn new(module: Module, id: String, now: Timestamp) -> Self {
        Self {
            module,
            id,
            values: Map::new(),
            owner: ME.to_owned(),
            tags: Vec::new(),
            created_at: now,
            modified_at: now,
            is_converted: false,
            trigger: Value::Null,
            versions: Vec::new(),
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn display_name(&self) -> String {
        match self.module {
            Module::Accounts => self.text("Account_Name").to_owned(),
            Module::Leads | Module::Contacts => {
                format!("{} {}", self.text("First_Name"), self.text("Last_Name")).trim().to_owned()
            }
        }
    }

    /// The id in a lookup.
    pub(super) fn looked_up(&self, name: &str) -> Option<&str> {
        id_in(self.values.get(name)?)
    }

    /// What the search knows of it at a time; nothing, if it is too new.
    pub(super) fn indexed(&self, seen: Timestamp) -> Option<&Map<String, Value>> {
        let known = self.versions.iter().rev().find(|(since, _)| *since <= seen);
        known.map(|(_, values)| values)
    }

    fn index(&mut self, now: Timestamp, seen: Timestamp) {
        let known = self.versions.iter().rposition(|(since, _)| *since <= seen);
        self.versions.drain(..known.unwrap_or_default());
        self.versions.push((now, self.values.clone()));
    }
}

/// The id in `{"id": ".."}`.
pub(super) fn id_in(value: &Value) -> Option<&str> {
    value.get("id").and_then(Value::as_str)
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

impl State {
    /// The time up to which the search knows what was written.
    pub(super) fn seen_by_search(&self) -> Timestamp {
        self.now() - self.options.search_lag
    }

    /// A record that is there, of this module.
    pub(super) fn live(&self, module: Module, id: &str) -> Option<&Stored> {
        self.records.get(id).filter(|stored| stored.module == module)
    }

    pub(super) fn of_module(&self, module: Module) -> impl Iterator<Item = &Stored> {
        self.records.values().filter(move |stored| stored.module == module)
    }

    /// Puts what was written before the search's eyes, as late as it learns of it.
    pub(super) fn index(&mut self, id: &str) {
        let (now, seen) = (self.now(), self.seen_by_search());
        if let Some(stored) = self.records.get_mut(id) {
            stored.index(now, seen);
        }
    }

    pub(super) fn value_of(&self, stored: &Stored, field: &Field) -> Value {
        match field.api_name.as_str() {
            "id" => json!(stored.id),
            "Owner" => self.user(&stored.owner),
            "Created_By" | "Modified_By" => self.user(ME),
            "Created_Time" => self.time(stored.created_at),
            "Modified_Time" | "Change_Log_Time__s" => self.time(stored.modified_at),
            "Full_Name" => json!(stored.display_name()),
            "Tag" => self.describe_tags(&stored.tags),
            "Layout" => json!({"name": "Standard", "id": stored.module.layout_id()}),
            "Record_Status__s" => json!("Available"),
            "Converted__s" => json!(stored.is_converted),
            name => self.stored_value(field.kind, stored.values.get(name)),
        }
    }

    fn stored_value(&self, kind: Kind, value: Option<&Value>) -> Value {
        let Some(value) = value else {
            return if kind == Kind::Boolean { json!(false) } else { Value::Null };
        };
        match kind {
            Kind::DateTime => {
                let time = value.as_str().and_then(times::parse);
                time.map_or(Value::Null, |time| self.time(time))
            }
            Kind::Lookup => {
                let Some(id) = id_in(value) else { return Value::Null };
                let name = self.records.get(id).map(Stored::display_name);
                json!({"name": name, "id": id})
            }
            Kind::User => id_in(value).map_or(Value::Null, |id| self.user(id)),
            _ => value.clone(),
        }
    }

    /// Only these fields, as lists show a record. The id always comes; unknown names do not.
    pub(super) fn select(&self, stored: &Stored, names: &[String]) -> Value {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), json!(stored.id));
        for name in names {
            if let Some(field) = self.catalogue.field(stored.module, name) {
                shown.insert(name.clone(), self.value_of(stored, field));
            }
        }
        Value::Object(shown)
    }

    /// All fields, and the system's own.
    pub(super) fn whole(&self, stored: &Stored) -> Map<String, Value> {
        let fields = self.catalogue.fields(stored.module).iter();
        let mut shown: Map<String, Value> =
            fields.map(|field| (field.api_name.clone(), self.value_of(stored, field))).collect();
        let converted = if stored.is_converted {
            json!({
                "contact": stored.looked_up("Converted_Contact"),
                "account": stored.looked_up("Converted_Account"),
                "deal": null,
            })
        } else {
            json!({})
        };
        let system = [
            ("$approved", json!(true)),
            ("$approval_state", json!("approved")),
            ("$editable", json!(true)),
            ("$converted_detail", converted),
            ("$locked_for_me", json!(false)),
            ("$currency_symbol", json!("€")),
            ("$state", json!("save")),
        ];
        shown.extend(system.map(|(name, value)| (name.to_owned(), value)));
        shown
    }

    /// The whole record with what the API does not tell: the trigger of the last write by the API.
    pub(super) fn raw(&self, stored: &Stored) -> Value {
        let mut shown = self.whole(stored);
        shown.insert("$trigger".to_owned(), stored.trigger.clone());
        Value::Object(shown)
    }
}
