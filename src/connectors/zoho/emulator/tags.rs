//! Tags: a list of them per module, and which records have which.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal, success};
use super::call::{Call, count, is_id};
use super::catalogue::Module;
use super::credits::per;
use super::edits::Edit;
use super::people::ME;
use super::settings::module;
use super::state::State;

pub(super) struct Tag {
    id: String,
    module: Module,
    name: String,
    color: Option<String>,
    made_at: jiff::Timestamp,
}

/// What to do with the tags that are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Remove,
}

const ALLOWED: u64 = 200;
const RECORDS_MAX: u64 = 500;

/// The names of tags that are given as names, as objects with a name, or as objects with an id.
pub(super) fn names_in(value: &Value, known: &[Tag]) -> Vec<String> {
    let name = |item: &Value| {
        let by_id = || {
            let id = item.get("id")?.as_str()?;
            known.iter().find(|tag| tag.id == id).map(|tag| tag.name.clone())
        };
        let text = item.as_str().or_else(|| item.get("name")?.as_str());
        text.map(str::to_owned).or_else(by_id)
    };
    value.as_array().into_iter().flatten().filter_map(name).collect()
}

impl State {
    pub(super) fn describe_tags(&self, ids: &[String]) -> Value {
        let find = |id: &String| self.tags.iter().find(|tag| tag.id == *id);
        let show = |tag: &Tag| json!({"name": tag.name, "id": tag.id, "color_code": tag.color});
        Value::Array(ids.iter().filter_map(find).map(show).collect())
    }

    /// The ids of these tags; those that are not there yet are made.
    pub(super) fn tag_ids(&mut self, module: Module, names: &[String]) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for name in names {
            let id = match self.find_tag(module, name) {
                Some(id) => id,
                None => self.make_tag(module, name, None),
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    fn find_tag(&self, module: Module, name: &str) -> Option<String> {
        let tag = self.tags.iter().find(|tag| tag.module == module && tag.name == name);
        tag.map(|tag| tag.id.clone())
    }

    fn make_tag(&mut self, module: Module, name: &str, color: Option<&str>) -> String {
        let id = self.next_id();
        let made_at = self.stamp();
        let color = color.map(str::to_owned);
        self.tags.push(Tag { id: id.clone(), module, name: name.to_owned(), color, made_at });
        id
    }

    fn describe_tag(&self, tag: &Tag) -> Value {
        json!({
            "id": tag.id,
            "name": tag.name,
            "color_code": tag.color,
            "created_time": self.time(tag.made_at),
            "modified_time": self.time(tag.made_at),
            "created_by": self.short_user(ME),
            "modified_by": self.short_user(ME),
        })
    }
}

/// The list under `tags` in a body.
fn tags_in(body: &Value) -> Result<&Vec<Value>, Refusal> {
    let tags = body.get("tags").ok_or_else(|| Refusal::mandatory("tags", "$.tags"))?;
    let tags = tags.as_array().filter(|tags| !tags.is_empty());
    tags.ok_or_else(|| Refusal::kind("tags", "$.tags", "jsonarray"))
}

/// `GET /settings/tags`.
pub(super) fn list(state: &State, call: &Call) -> Outcome {
    let module = module(call)?;
    let tags = state.tags.iter().filter(|tag| tag.module == module);
    let tags: Vec<Value> = tags.map(|tag| state.describe_tag(tag)).collect();
    let info = json!({"count": count(&tags), "allowed_count": ALLOWED});
    Ok(Answer::json(200, json!({"tags": tags, "info": info})))
}

/// `POST /settings/tags`.
pub(super) fn make(state: &mut State, call: &Call) -> Outcome {
    let module = module(call)?;
    let body = call.json()?;
    let tags = tags_in(&body)?;
    let items = (0..).zip(tags).map(|(index, tag)| make_one(state, module, index, tag)).collect();
    Ok(Answer::batch("tags", items, 201))
}

fn make_one(
    state: &mut State,
    module: Module,
    index: usize,
    tag: &Value,
) -> Result<Value, Refusal> {
    let path = format!("$.tags[{index}].name");
    let name = tag.get("name").ok_or_else(|| Refusal::mandatory("name", &path))?;
    let name = name.as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::kind("name", &path, "text"))?;
    if let Some(id) = state.find_tag(module, name) {
        let details = json!({"api_name": "name", "json_path": path, "id": id});
        return Err(Refusal::new(400, "DUPLICATE_DATA", "duplicate data", details));
    }
    let id = state.make_tag(module, name, tag.get("color_code").and_then(Value::as_str));
    let made = state.tags.iter().find(|tag| tag.id == id);
    let details = made.map_or(Value::Null, |tag| state.describe_tag(tag));
    Ok(success(&details, "tags created successfully"))
}

/// `POST /{Module}/{id}/actions/{add_tags|remove_tags}`, and the form for many records.
pub(super) fn act(
    state: &mut State,
    module: Module,
    id: Option<&str>,
    action: Action,
    call: &Call,
) -> Outcome {
    let body = if call.body.is_empty() { json!({}) } else { call.json()? };
    let names = match call.list("tag_names") {
        named if named.is_empty() => names_in(&Value::Array(tags_in(&body)?.clone()), &state.tags),
        named => named,
    };
    let is_overwriting = body.get("over_write").and_then(Value::as_bool).unwrap_or_default();
    let ids = match id {
        Some(id) => vec![id.to_owned()],
        None => ids(call, &body)?,
    };
    let mut events = Vec::new();
    let mut items = Vec::new();
    for id in &ids {
        let Some(stored) = state.live(module, id) else {
            items.push(Err(Refusal::id(json!({"id": id}))));
            continue;
        };
        let mut tags = stored.tags.clone();
        match action {
            Action::Add => {
                if is_overwriting {
                    tags.clear();
                }
                for tag in state.tag_ids(module, &names) {
                    if !tags.contains(&tag) {
                        tags.push(tag);
                    }
                }
            }
            Action::Remove => {
                let gone: Vec<String> =
                    names.iter().filter_map(|name| state.find_tag(module, name)).collect();
                tags.retain(|tag| !gone.contains(tag));
            }
        }
        events.push(state.carry_out(module, id, vec![Edit::Tags(tags.clone())], None));
        let details = json!({"id": id, "tags": state.describe_tags(&tags)});
        items.push(Ok(success(&details, "tags updated successfully")));
    }
    state.notify(&events);
    let done = count(&events);
    let mut answer = Answer::batch("data", items, 200).costing(per(50, count(&ids)));
    if id.is_none()
        && let Some(body) = answer.body.as_mut().and_then(Value::as_object_mut)
    {
        add_counts(body, done);
    }
    Ok(answer)
}

fn add_counts(body: &mut Map<String, Value>, done: u64) {
    body.insert("success_count".to_owned(), json!(done.to_string()));
    body.insert("locked_count".to_owned(), json!("0"));
}

/// The records of the form for many: from the body or the query.
fn ids(call: &Call, body: &Value) -> Result<Vec<String>, Refusal> {
    let Some(list) = body.get("ids") else {
        let ids = call.ids(RECORDS_MAX)?;
        return if ids.is_empty() { Err(Refusal::mandatory("ids", "$.ids")) } else { Ok(ids) };
    };
    let Some(list) = list.as_array() else {
        return Err(Refusal::kind("ids", "$.ids", "jsonarray"));
    };
    if count(list) > RECORDS_MAX {
        return Err(Refusal::limit(json!({"maximum_length": RECORDS_MAX, "api_name": "ids"})));
    }
    let text = |id: &Value| id.as_str().filter(|id| is_id(id)).map(str::to_owned);
    let ids: Option<Vec<String>> = list.iter().map(text).collect();
    ids.ok_or_else(|| Refusal::kind("ids", "$.ids", "bigint"))
}
