//! The tags of contacts: how an item names them, and their endpoints.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::batch;
use super::flaws::{Flaw, Flaws};
use super::page::{Frame, Page};
use super::query::Query;
use super::state::State;

const LIMIT_MAX: usize = 250;

/// How an item names a tag.
pub(super) enum Tag {
    Id(u64),
    Name(String),
}

/// Reads a list of tags; `null` is an empty one. Ids that are not `known` go to `flaws`.
pub(super) fn read(
    list: &Value,
    path: &str,
    known: &BTreeMap<u64, String>,
    flaws: &mut Vec<Flaw>,
) -> Vec<Tag> {
    let tags = match list {
        Value::Null => return Vec::new(),
        Value::Array(tags) => tags,
        _ => {
            flaws.push(Flaw::wrong_type(path, "array"));
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        let id = tag.get("id").and_then(Value::as_u64);
        let name = tag.get("name").and_then(Value::as_str);
        match (id, name) {
            (Some(id), _) if known.contains_key(&id) => read.push(Tag::Id(id)),
            (Some(_), _) => flaws.push(Flaw::not_a_choice(format!("{path}.{index}.id"))),
            (None, Some(name)) => read.push(Tag::Name(name.to_owned())),
            (None, None) => flaws.push(Flaw::wrong_type(format!("{path}.{index}.name"), "string")),
        }
    }
    read
}

pub(super) fn find(state: &State, tag: &Tag) -> Option<u64> {
    match tag {
        Tag::Id(id) => Some(*id),
        Tag::Name(name) => state.tags.iter().find(|(_, known)| *known == name).map(|(id, _)| *id),
    }
}

/// The id of a tag, which is made if there is none of its name.
pub(super) fn ensure(state: &mut State, tag: Tag) -> u64 {
    if let Some(id) = find(state, &tag) {
        return id;
    }
    let id = state.next_id();
    if let Tag::Name(name) = tag {
        state.tags.insert(id, name);
    }
    id
}

pub(super) fn list(state: &State, query: &Query) -> Answer {
    let ids = query.numbers(&["filter", "id"]);
    let names = query.many(&["filter", "name"]);
    let needle = query.one(&["query"]).map(str::to_lowercase);
    let is_wanted = |(id, name): &(&u64, &String)| {
        ids.as_ref().is_none_or(|ids| ids.contains(id))
            && names.as_ref().is_none_or(|names| names.contains(&name.as_str()))
            && needle.as_ref().is_none_or(|needle| name.to_lowercase().contains(needle))
    };
    let tags: Vec<(&u64, &String)> = state.tags.iter().filter(is_wanted).collect();
    let frame = Frame {
        base_url: &state.options.base_url,
        path: "contacts/tags",
        name: "tags",
        is_counted: false,
    };
    Page::cut(tags, query, LIMIT_MAX).answer(
        &frame,
        query,
        |(id, name)| json!({ "id": id, "name": name, "color": null }),
    )
}

/// A name that is there already keeps its id.
pub(super) fn create(state: &mut State, body: &str) -> Outcome {
    let items = batch::items(body)?;
    let (mut names, mut flaws) = (Vec::new(), Flaws::default());
    for (index, item) in items.iter().enumerate() {
        let request_id = batch::request_id(item, index);
        match item.get("name").and_then(Value::as_str) {
            Some(name) => names.push((request_id, name.to_owned())),
            None => flaws.note(&request_id, &[Flaw::wrong_type("name", "string")]),
        }
    }
    flaws.settle()?;
    let mut shown = Vec::new();
    for (request_id, name) in names {
        let id = ensure(state, Tag::Name(name.clone()));
        shown.push(json!({ "id": id, "name": name, "request_id": request_id }));
    }
    let body = json!({ "_total_items": shown.len(), "_embedded": { "tags": shown } });
    Ok(Answer::hal(200, &body))
}
