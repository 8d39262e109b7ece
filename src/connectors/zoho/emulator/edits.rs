//! What a write does to a record, once it is known to be good.

use serde_json::{Map, Value, json};

use super::catalogue::Module;
use super::events::{Event, Operation};
use super::fields::Kind;
use super::records::{Stored, id_in, is_empty};
use super::state::State;
use super::tags::names_in;
use super::times;

/// A change of one field.
pub(super) enum Edit {
    Owner(String),
    Tags(Vec<String>),
    Value(String, Value),
}

impl State {
    /// Makes a record. `trigger` is what a write by the API said.
    pub(super) fn create(
        &mut self,
        module: Module,
        values: &Map<String, Value>,
        trigger: Option<&Value>,
    ) -> Event {
        let id = self.next_id();
        let now = self.stamp();
        self.records.insert(id.clone(), Stored::new(module, id.clone(), now));
        let edits = self.read_edits(module, &id, values);
        let event = self.carry_out(module, &id, edits, trigger);
        Event { operation: Operation::Insert, ..event }
    }

    /// Changes a record that is there.
    pub(super) fn change(
        &mut self,
        module: Module,
        id: &str,
        values: &Map<String, Value>,
        trigger: Option<&Value>,
    ) -> Event {
        let edits = self.read_edits(module, id, values);
        self.carry_out(module, id, edits, trigger)
    }

    pub(super) fn carry_out(
        &mut self,
        module: Module,
        id: &str,
        edits: Vec<Edit>,
        trigger: Option<&Value>,
    ) -> Event {
        let now = self.stamp();
        let mut names = Vec::new();
        if let Some(stored) = self.records.get_mut(id) {
            stored.modified_at = now;
            if let Some(trigger) = trigger {
                stored.trigger = trigger.clone();
            }
            names = edits.into_iter().filter_map(|edit| apply(stored, edit)).collect();
        }
        self.index(id);
        let changed = self.show(module, id, names);
        Event { module, operation: Operation::Update, id: id.to_owned(), changed }
    }

    fn show(&self, module: Module, id: &str, names: Vec<String>) -> Vec<(String, Value)> {
        let Some(stored) = self.records.get(id) else { return Vec::new() };
        let value = |name: String| {
            let field = self.catalogue.field(module, &name)?;
            Some((name, self.value_of(stored, field)))
        };
        names.into_iter().filter_map(value).collect()
    }

    /// What a body asks for. Unknown and read-only fields are passed over in silence.
    fn read_edits(&mut self, module: Module, id: &str, values: &Map<String, Value>) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut learned = Vec::new();
        let mut tags = None;
        let fields = self.catalogue.fields(module).iter().filter(|field| !field.is_read_only);
        for field in fields {
            let name = &field.api_name;
            let Some(value) = values.get(name) else { continue };
            match field.kind {
                Kind::Owner => edits.extend(id_in(value).map(|id| Edit::Owner(id.to_owned()))),
                Kind::Tags => tags = Some(names_in(value, &self.tags)),
                Kind::DateTime => {
                    let time = value.as_str().and_then(times::parse);
                    let time = time.map_or(Value::Null, |time| json!(time.to_string()));
                    edits.push(Edit::Value(name.clone(), time));
                }
                Kind::Lookup | Kind::User => {
                    let id = id_in(value).map_or(Value::Null, |id| json!({"id": id}));
                    edits.push(Edit::Value(name.clone(), id));
                }
                Kind::MultiPicklist => {
                    let value = self.merge_choices(id, name, value, values);
                    let list = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                    learned.extend(list.map(|choice| (name.clone(), choice.to_owned())));
                    edits.push(Edit::Value(name.clone(), value));
                }
                Kind::Picklist => {
                    let choice = value.as_str().filter(|choice| !choice.is_empty());
                    learned.extend(choice.map(|choice| (name.clone(), choice.to_owned())));
                    edits.push(Edit::Value(name.clone(), value.clone()));
                }
                _ => edits.push(Edit::Value(name.clone(), value.clone())),
            }
        }
        for (name, choice) in learned {
            self.catalogue.learn(module, &name, &choice);
        }
        if let Some(names) = tags {
            edits.push(Edit::Tags(self.tag_ids(module, &names)));
        }
        edits
    }

    /// The values of a multi-select: replaced, unless the body says to add to them.
    fn merge_choices(
        &self,
        id: &str,
        name: &str,
        value: &Value,
        values: &Map<String, Value>,
    ) -> Value {
        let append = values.get("$append_values").and_then(|names| names.get(name));
        let old = self.records.get(id).and_then(|stored| stored.values.get(name));
        match (append, old, value) {
            (Some(Value::Bool(true)), Some(Value::Array(old)), Value::Array(new)) => {
                let mut all = old.clone();
                all.extend(new.iter().filter(|choice| !old.contains(choice)).cloned());
                Value::Array(all)
            }
            _ => value.clone(),
        }
    }
}

/// Does it, and says which field is different now.
fn apply(stored: &mut Stored, edit: Edit) -> Option<String> {
    let (name, is_changed) = match edit {
        Edit::Owner(owner) => {
            let is_changed = stored.owner != owner;
            stored.owner = owner;
            ("Owner".to_owned(), is_changed)
        }
        Edit::Tags(tags) => {
            let is_changed = stored.tags != tags;
            stored.tags = tags;
            ("Tag".to_owned(), is_changed)
        }
        Edit::Value(name, value) if is_empty(&value) => {
            let is_changed = stored.values.remove(&name).is_some();
            (name, is_changed)
        }
        Edit::Value(name, value) => {
            // A box that nobody ticked is not ticked.
            let old = stored.values.get(&name).unwrap_or(&Value::Bool(false));
            let is_changed = *old != value;
            stored.values.insert(name.clone(), value);
            (name, is_changed)
        }
    };
    is_changed.then_some(name)
}
