//! The endpoints of contacts.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome};
use super::batch;
use super::changes;
use super::contact::Contact;
use super::draft::Draft;
use super::flaws::{Flaw, Flaws};
use super::page::{Frame, Page};
use super::query::Query;
use super::sieve::{self, Sieve};
use super::state::State;

const LIMIT_MAX: usize = 250;

pub(super) fn list(state: &State, query: &Query) -> Answer {
    let sieve = Sieve::read(query, state.options.filters_ignored);
    let mut contacts: Vec<&Contact> =
        state.contacts.values().filter(|contact| sieve.keeps(contact, state)).collect();
    sieve::sort(&mut contacts, query);
    let with_leads = query.is_with("leads");
    let frame = Frame {
        base_url: &state.options.base_url,
        path: "contacts",
        name: "contacts",
        is_counted: false,
    };
    Page::cut(contacts, query, LIMIT_MAX).answer(&frame, query, |contact| {
        if contact.is_deleted {
            contact.show_deleted(state)
        } else {
            contact.show(state, with_leads)
        }
    })
}

/// 204 if there is none, not 404.
pub(super) fn one(state: &State, id: u64, query: &Query) -> Answer {
    match changes::live(state, id) {
        Some(contact) => Answer::hal(200, &contact.show(state, query.is_with("leads"))),
        None => Answer::no_content(),
    }
}

/// Makes one contact for each item, whatever is there already.
pub(super) fn create(state: &mut State, body: &str, actor: u64) -> Outcome {
    let items = batch::items(body)?;
    let (mut drafts, mut flaws) = (Vec::new(), Flaws::default());
    for (index, item) in items.iter().enumerate() {
        let request_id = batch::request_id(item, index);
        match read(item, state) {
            Ok((_, draft)) => drafts.push((request_id, draft)),
            Err(found) => flaws.note(&request_id, &found),
        }
    }
    flaws.settle()?;
    let mut receipts = Vec::new();
    for (request_id, draft) in drafts {
        let id = changes::create(state, draft, actor);
        receipts.push(json!({
            "id": id,
            "is_deleted": false,
            "is_unsorted": false,
            "request_id": request_id,
            "_links": state.links(&format!("contacts/{id}")),
        }));
    }
    Ok(wrap(state, &receipts))
}

pub(super) fn update_many(state: &mut State, body: &str, actor: u64) -> Outcome {
    let items = batch::items(body)?;
    let (mut drafts, mut flaws) = (Vec::new(), Flaws::default());
    for (index, item) in items.iter().enumerate() {
        let request_id = batch::request_id(item, index);
        let draft = read(item, state).and_then(|(item, draft)| {
            let id = item.get("id").and_then(Value::as_u64);
            let id = id.ok_or_else(|| vec![Flaw::wrong_type("id", "int")])?;
            Ok((known(state, id)?, draft))
        });
        match draft {
            Ok(draft) => drafts.push(draft),
            Err(found) => flaws.note(&request_id, &found),
        }
    }
    flaws.settle()?;
    let mut receipts = Vec::new();
    for (id, draft) in drafts {
        changes::update(state, id, draft, actor);
        receipts.extend(receipt(state, id));
    }
    Ok(wrap(state, &receipts))
}

pub(super) fn update_one(state: &mut State, id: u64, body: &str, actor: u64) -> Outcome {
    let item = Value::Object(batch::object(body)?);
    let mut flaws = Flaws::default();
    match read(&item, state).and_then(|(_, draft)| Ok((known(state, id)?, draft))) {
        Ok((id, draft)) => {
            changes::update(state, id, draft, actor);
        }
        Err(found) => flaws.note(&batch::request_id(&item, 0), &found),
    }
    flaws.settle()?;
    Ok(Answer::hal(200, &receipt(state, id).unwrap_or_default()))
}

fn read<'a>(item: &'a Value, state: &State) -> Result<(&'a Map<String, Value>, Draft), Vec<Flaw>> {
    let Some(item) = item.as_object() else {
        return Err(vec![Flaw::wrong_type("", "object")]);
    };
    let (draft, flaws) = Draft::read(item, state);
    if flaws.is_empty() { Ok((item, draft)) } else { Err(flaws) }
}

fn known(state: &State, id: u64) -> Result<u64, Vec<Flaw>> {
    match changes::live(state, id) {
        Some(contact) => Ok(contact.id),
        None => Err(vec![Flaw::not_found("id")]),
    }
}

/// What is said of an updated contact; its fields are not repeated.
fn receipt(state: &State, id: u64) -> Option<Value> {
    let contact = changes::live(state, id)?;
    Some(json!({
        "id": contact.id,
        "name": contact.name,
        "updated_at": contact.updated_at,
        "is_deleted": false,
        "is_unsorted": false,
        "_links": contact.links(state),
    }))
}

fn wrap(state: &State, receipts: &[Value]) -> Answer {
    let body = json!({
        "_links": state.links("contacts"),
        "_embedded": { "contacts": receipts },
    });
    Answer::hal(200, &body)
}
