//! What happened in the account, as the events API tells it.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::page::{Frame, Page};
use super::query::Query;
use super::state::State;

pub(super) struct Event {
    id: String,
    kind: &'static str,
    entity_id: u64,
    created_by: u64,
    created_at: i64,
}

const LIMIT_MAX: usize = 100;
/// How many ids a filter may name.
const FILTER_MAX: usize = 10;

/// The kinds that happen here, with a number and a label each; only the name is to be relied on.
const KINDS: [(&str, u32, &str); 4] = [
    ("contact_added", 1, "Contacto añadido"),
    ("contact_deleted", 2, "Contacto eliminado"),
    ("contact_restored", 3, "Contacto restaurado"),
    ("entity_merged", 4, "Fusión"),
];

pub(super) fn note(state: &mut State, kind: &'static str, entity_id: u64, created_by: u64) {
    let id = format!("01{:024x}", state.events.len() + 1);
    let created_at = state.now();
    state.events.push(Event { id, kind, entity_id, created_by, created_at });
}

impl Event {
    fn show(&self, state: &State) -> Value {
        json!({
            "id": self.id,
            "type": self.kind,
            "entity_id": self.entity_id,
            "entity_type": "contact",
            "created_by": self.created_by,
            "created_at": self.created_at,
            "value_after": [],
            "value_before": [],
            "account_id": state.options.account_id,
            "_links": state.links(&format!("events/{}", self.id)),
            "_embedded": {
                "entity": {
                    "id": self.entity_id,
                    "_links": state.links(&format!("contacts/{}", self.entity_id)),
                },
            },
        })
    }
}

/// The newest first.
pub(super) fn list(state: &State, query: &Query) -> Outcome {
    let kinds = query.words(&["filter", "type"]);
    let entities = query.words(&["filter", "entity"]);
    let entity_ids = query.numbers(&["filter", "entity_id"]);
    let authors = query.numbers(&["filter", "created_by"]);
    let time = query.range(&["filter", "created_at"]);
    let is_too_long =
        |ids: &Option<Vec<u64>>| ids.as_ref().is_some_and(|ids| ids.len() > FILTER_MAX);
    if is_too_long(&entity_ids) || is_too_long(&authors) {
        return Err(Answer::problem(400, "A filter takes 10 values or less"));
    }
    if entity_ids.is_some() && entities.as_ref().is_none_or(|entities| entities.len() != 1) {
        return Err(Answer::problem(400, "filter[entity_id] needs one filter[entity]"));
    }
    let is_wanted = |event: &&Event| {
        kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind))
            && entities.as_ref().is_none_or(|entities| entities.contains(&"contact"))
            && entity_ids.as_ref().is_none_or(|ids| ids.contains(&event.entity_id))
            && authors.as_ref().is_none_or(|ids| ids.contains(&event.created_by))
            && time.holds(event.created_at)
    };
    let events: Vec<&Event> = state.events.iter().rev().filter(is_wanted).collect();
    let frame = Frame {
        base_url: &state.options.base_url,
        path: "events",
        name: "events",
        is_counted: false,
    };
    Ok(Page::cut(events, query, LIMIT_MAX).answer(&frame, query, |event| event.show(state)))
}

pub(super) fn kinds(state: &State) -> Answer {
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|(key, number, label)| json!({ "key": key, "type": number, "lang": label }))
        .collect();
    let body = json!({
        "_total_items": kinds.len(),
        "_links": state.links("events/types"),
        "_embedded": { "events_types": kinds },
    });
    Answer::hal(200, &body)
}
