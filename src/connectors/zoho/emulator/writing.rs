//! Writing records: making, updating, upserting and deleting them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal, success};
use super::call::{Call, count, is_id};
use super::catalogue::Module;
use super::checks::Place;
use super::credits::per;
use super::events::Event;
use super::people::ME;
use super::state::State;

/// Records in a body, and ids to delete.
const RECORDS_MAX: u64 = 100;
const TRIGGERS: [&str; 5] = ["workflow", "approval", "blueprint", "pathfinder", "orchestration"];

type Item = Map<String, Value>;

/// The body of a write.
pub(super) struct Batch {
    pub(super) records: Vec<Item>,
    /// What shall run. `null`, where it was left out: then everything does.
    trigger: Value,
    pub(super) body: Value,
    /// Only records that were not modified since shall be written.
    unmodified_since: Option<Timestamp>,
}

impl Batch {
    pub(super) fn read(call: &Call, limit: u64) -> Result<Self, Refusal> {
        let body = call.json()?;
        let data = body.get("data").ok_or_else(|| Refusal::mandatory("data", "$.data"))?;
        let data = data.as_array().filter(|data| !data.is_empty());
        let data = data.ok_or_else(|| Refusal::kind("data", "$.data", "jsonarray"))?;
        if count(data) > limit {
            let details = json!({
                "maximum_length": limit,
                "api_name": "data",
                "json_path": "$.data",
            });
            return Err(Refusal::limit(details));
        }
        let records: Option<Vec<Item>> =
            data.iter().map(|record| record.as_object().cloned()).collect();
        let records = records.ok_or_else(|| Refusal::kind("data", "$.data", "jsonobject"))?;
        let trigger = body.get("trigger").cloned().unwrap_or_default();
        let is_known = |item: &Value| item.as_str().is_some_and(|name| TRIGGERS.contains(&name));
        let is_good = match &trigger {
            Value::Null => true,
            Value::Array(all) => all.iter().all(is_known),
            _ => false,
        };
        if !is_good {
            return Err(Refusal::kind("trigger", "$.trigger", "jsonarray"));
        }
        let unmodified_since = call.time("if-unmodified-since")?;
        Ok(Self { records, trigger, body, unmodified_since })
    }

    fn cost(&self) -> u64 {
        per(10, count(&self.records))
    }
}

/// `POST /{Module}`.
pub(super) fn insert(state: &mut State, module: Module, call: &Call) -> Outcome {
    let batch = Batch::read(call, RECORDS_MAX)?;
    let mut events = Vec::new();
    let mut items = Vec::new();
    for (index, record) in batch.records.iter().enumerate() {
        let place = Place { module, index, id: None };
        items.push(insert_one(state, &batch, place, record, &mut events));
    }
    state.notify(&events);
    Ok(Answer::batch("data", items, 201).costing(batch.cost()))
}

fn insert_one(
    state: &mut State,
    batch: &Batch,
    place: Place,
    record: &Item,
    events: &mut Vec<Event>,
) -> Result<Value, Refusal> {
    state.check(place, record)?;
    let event = state.create(place.module, record, Some(&batch.trigger));
    let mut details = state.written(&event.id);
    details.insert("$approval_state".to_owned(), json!("approved"));
    events.push(event);
    Ok(success(&Value::Object(details), "record added"))
}

/// `PUT /{Module}`, and `PUT /{Module}/{id}` with the id of the path.
pub(super) fn update(state: &mut State, module: Module, id: Option<&str>, call: &Call) -> Outcome {
    let batch = Batch::read(call, if id.is_some() { 1 } else { RECORDS_MAX })?;
    let mut events = Vec::new();
    let mut items = Vec::new();
    for (index, record) in batch.records.iter().enumerate() {
        let given = match id {
            Some(id) => Ok(id),
            None => id_of(record, Place { module, index, id: None }),
        };
        items.push(given.and_then(|id| {
            let place = Place { module, index, id: Some(id) };
            update_one(state, &batch, place, record, &mut events)
        }));
    }
    state.notify(&events);
    Ok(Answer::batch("data", items, 200).costing(batch.cost()))
}

/// The id that a record names.
fn id_of<'a>(record: &'a Item, place: Place) -> Result<&'a str, Refusal> {
    let path = place.path("id");
    let id = record.get("id").ok_or_else(|| Refusal::mandatory("id", &path))?;
    id.as_str().ok_or_else(|| Refusal::kind("id", &path, "bigint"))
}

fn update_one(
    state: &mut State,
    batch: &Batch,
    place: Place,
    record: &Item,
    events: &mut Vec<Event>,
) -> Result<Value, Refusal> {
    let Place { module, id, .. } = place;
    let known = id.and_then(|id| state.live(module, id));
    let Some(stored) = known else {
        return Err(Refusal::id(json!({"api_name": "id", "json_path": place.path("id")})));
    };
    if stored.is_converted {
        let details = json!({"api_name": "id", "json_path": place.path("id")});
        let message = "can't update the converted record";
        return Err(Refusal::new(400, "CONVERTED_RECORD", message, details));
    }
    if batch.unmodified_since.is_some_and(|since| stored.modified_at > since) {
        let details = json!({"id": stored.id, "Modified_Time": state.time(stored.modified_at)});
        let message = "the record has been modified since the time given";
        return Err(Refusal::new(412, "ALREADY_MODIFIED", message, details));
    }
    let id = stored.id.clone();
    state.check(place, record)?;
    events.push(state.change(module, &id, record, Some(&batch.trigger)));
    Ok(success(&Value::Object(state.written(&id)), "record updated"))
}

impl State {
    /// What a write tells of the record it has written.
    pub(super) fn written(&self, id: &str) -> Item {
        let Some(stored) = self.records.get(id) else { return Item::new() };
        let told = [
            ("id", json!(id)),
            ("Created_Time", self.time(stored.created_at)),
            ("Created_By", self.short_user(ME)),
            ("Modified_Time", self.time(stored.modified_at)),
            ("Modified_By", self.short_user(ME)),
        ];
        told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// `DELETE /{Module}?ids=`, and `DELETE /{Module}/{id}`.
pub(super) fn delete(state: &mut State, module: Module, id: Option<&str>, call: &Call) -> Outcome {
    let ids = match id {
        Some(id) => vec![id.to_owned()],
        None => call.list("ids"),
    };
    if ids.is_empty() {
        return Err(Refusal::missing_param("ids"));
    }
    if count(&ids) > RECORDS_MAX {
        return Err(Refusal::long_param("ids", RECORDS_MAX));
    }
    let mut events = Vec::new();
    let mut items = Vec::new();
    for id in &ids {
        let details = json!({"id": id});
        items.push(match state.delete(module, id) {
            Some(event) => {
                events.push(event);
                Ok(success(&details, "record deleted"))
            }
            None if is_id(id) => {
                Err(Refusal::new(400, "INVALID_DATA", "record not deleted", details))
            }
            None => Err(Refusal::id(details)),
        });
    }
    state.notify(&events);
    Ok(Answer::batch("data", items, 200).costing(per(10, count(&ids))))
}

/// `POST /{Module}/upsert`.
pub(super) fn upsert(state: &mut State, module: Module, call: &Call) -> Outcome {
    let batch = Batch::read(call, RECORDS_MAX)?;
    let order = state.check_order(module, batch.body.get("duplicate_check_fields"))?;
    let mut events = Vec::new();
    let mut items = Vec::new();
    for (index, record) in batch.records.iter().enumerate() {
        items.push(upsert_one(state, &batch, &order, (module, index), record, &mut events));
    }
    state.notify(&events);
    Ok(Answer::batch("data", items, 200).costing(batch.cost()))
}

fn upsert_one(
    state: &mut State,
    batch: &Batch,
    order: &[String],
    (module, index): (Module, usize),
    record: &Item,
    events: &mut Vec<Event>,
) -> Result<Value, Refusal> {
    let new = Place { module, index, id: None };
    let (id, field) = if record.contains_key("id") {
        (Some(id_of(record, new)?.to_owned()), None)
    } else {
        match state.find_duplicate(module, order, record) {
            Some((id, field)) => (Some(id), Some(field)),
            None => (None, None),
        }
    };
    let mut answer = match &id {
        Some(id) => {
            update_one(state, batch, Place { id: Some(id.as_str()), ..new }, record, events)?
        }
        None => insert_one(state, batch, new, record, events)?,
    };
    if let Some(answer) = answer.as_object_mut() {
        let action = if id.is_some() { "update" } else { "insert" };
        answer.insert("action".to_owned(), json!(action));
        answer.insert("duplicate_field".to_owned(), json!(field));
    }
    Ok(answer)
}
