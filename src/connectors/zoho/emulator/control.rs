//! The screen of the app over HTTP, for other processes: `/_emulator/...`.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use super::catalogue::Module;
use super::conversion;
use super::faults::Fault;
use super::log::Request;
use super::state::State;

pub(super) fn answer(state: &mut State, call: &Call) -> Answer {
    let segments = call.segments();
    let body = || call.json().unwrap_or_default();
    match (&call.method, segments.as_slice()) {
        (&Method::GET, ["_emulator", "contacts"]) => {
            Answer::json(200, Value::Array(state.raw_records(Module::Contacts, Timestamp::MIN)))
        }
        (&Method::POST, ["_emulator", "contacts"]) => match body() {
            Value::Object(record) => {
                Answer::json(201, json!({"id": state.person_adds(Module::Contacts, &record)}))
            }
            _ => unreadable(),
        },
        (&Method::PATCH, ["_emulator", "contacts", id]) => match body() {
            Value::Object(patch) => done(state.person_edits(id, &patch)),
            _ => unreadable(),
        },
        (&Method::DELETE, ["_emulator", "contacts", id]) => done(state.person_deletes(id)),
        (&Method::GET, ["_emulator", "code"]) => {
            let now = state.now();
            Answer::json(200, json!({"code": state.tokens.grant_code(now)}))
        }
        (&Method::GET, ["_emulator", "requests"]) => {
            Answer::json(200, state.requests.iter().map(describe).collect())
        }
        (&Method::DELETE, ["_emulator", "requests"]) => {
            state.requests.clear();
            Answer::empty(204)
        }
        (&Method::POST, ["_emulator", "faults"]) => match Fault::from_json(&body()) {
            Some(fault) => {
                state.faults.order(fault);
                Answer::empty(204)
            }
            None => unreadable(),
        },
        _ => Answer::json(404, json!({"error": "there is nothing here"})),
    }
}

fn unreadable() -> Answer {
    Answer::json(400, json!({"error": "the body cannot be read"}))
}

fn done(is_done: bool) -> Answer {
    if is_done {
        Answer::empty(204)
    } else {
        Answer::json(404, json!({"error": "no such contact"}))
    }
}

fn describe(request: &Request) -> Value {
    json!({
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "status": request.status,
        "at": request.at.to_string(),
    })
}

/// What a person does at the app's own screen, where nothing is checked.
impl State {
    pub(super) fn raw_records(&self, module: Module, since: Timestamp) -> Vec<Value> {
        let changed = self
            .of_module(module)
            .filter(|stored| stored.modified_at.as_second() >= since.as_second());
        changed.map(|stored| self.raw(stored)).collect()
    }

    pub(super) fn person_adds(&mut self, module: Module, record: &Map<String, Value>) -> String {
        let event = self.create(module, record, None);
        let id = event.id.clone();
        self.notify(&[event]);
        id
    }

    pub(super) fn person_edits(&mut self, id: &str, patch: &Map<String, Value>) -> bool {
        let Some(module) = self.person(id) else { return false };
        let event = self.change(module, id, patch, None);
        self.notify(&[event]);
        true
    }

    pub(super) fn person_deletes(&mut self, id: &str) -> bool {
        let event = self.person(id).and_then(|module| self.delete(module, id));
        let is_done = event.is_some();
        self.notify(event.as_slice());
        is_done
    }

    /// A lead becomes a contact. Gives the contact's id.
    pub(super) fn person_converts(&mut self, id: &str) -> Option<String> {
        let mut events = Vec::new();
        let converted = conversion::convert_one(self, id, &Map::new(), &mut events).ok()?;
        self.notify(&events);
        Some(converted.pointer("/details/Contacts/id")?.as_str()?.to_owned())
    }

    /// What a person is here, be it a contact or a lead.
    fn person(&self, id: &str) -> Option<Module> {
        let modules = [Module::Contacts, Module::Leads];
        modules.into_iter().find(|module| self.live(*module, id).is_some())
    }

    pub(super) fn person_merges(&mut self, master: &str, child: &str) -> bool {
        let events = self.merge(Module::Contacts, master, child);
        if let Some(events) = &events {
            self.notify(events);
        }
        events.is_some()
    }
}
