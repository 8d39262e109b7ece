//! The endpoints of webhooks.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome};
use super::flaws::{Flaw, Flaws};
use super::query::Query;
use super::state::State;
use super::{Emulator, batch};

pub(super) struct Hook {
    pub(super) id: u64,
    pub(super) destination: String,
    pub(super) settings: Vec<String>,
    pub(super) is_disabled: bool,
    sort: u64,
    created_by: u64,
    created_at: i64,
    updated_at: i64,
    failures: VecDeque<Timestamp>,
}

const HOOKS_MAX: usize = 100;
/// More failures than this within [`FAILURES_WITHIN`] disable a hook.
const FAILURES_MAX: usize = 100;
const FAILURES_WITHIN: Duration = Duration::from_secs(2 * 3600);

const VERBS: [&str; 6] = ["add", "update", "delete", "restore", "responsible", "note"];
const ENTITIES: [&str; 4] = ["lead", "contact", "company", "customer"];
const OTHER_SETTINGS: [&str; 10] = [
    "status_lead",
    "add_task",
    "update_task",
    "delete_task",
    "responsible_task",
    "add_talk",
    "update_talk",
    "add_message",
    "add_outgoing_message",
    "add_chat_template_review",
];

impl Emulator {
    /// Gives all webhooks up, as after too many failures.
    pub fn disable_webhooks(&self) {
        let mut state = self.lock();
        let hooks: Vec<u64> = state.hooks.iter().map(|hook| hook.id).collect();
        for hook in hooks {
            state.outbox.forget(hook);
        }
        for hook in &mut state.hooks {
            hook.is_disabled = true;
        }
    }
}

impl Hook {
    pub(super) fn count_failure(&mut self, now: Timestamp) {
        self.failures.push_back(now);
        while self.failures.front().is_some_and(|first| *first + FAILURES_WITHIN < now) {
            self.failures.pop_front();
        }
        self.is_disabled = self.is_disabled || self.failures.len() > FAILURES_MAX;
    }

    fn show(&self, account_id: u64) -> Value {
        json!({
            "id": self.id,
            "destination": self.destination,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "account_id": account_id,
            "created_by": self.created_by,
            "sort": self.sort,
            "disabled": self.is_disabled,
            "settings": self.settings,
        })
    }
}

pub(super) fn list(state: &State, query: &Query) -> Answer {
    let destination = query.one(&["filter", "destination"]);
    let hooks: Vec<Value> = state
        .hooks
        .iter()
        .filter(|hook| destination.is_none_or(|wanted| wanted == hook.destination))
        .map(|hook| hook.show(state.options.account_id))
        .collect();
    if hooks.is_empty() {
        return Answer::no_content();
    }
    Answer::hal(200, &json!({ "_total_items": hooks.len(), "_embedded": { "webhooks": hooks } }))
}

/// A destination that is there already gains the settings it had not; a disabled one stays so.
pub(super) fn create(state: &mut State, body: &str, actor: u64) -> Outcome {
    let body = batch::object(body)?;
    let (destination, settings) = read(&body)?;
    let sort = body.get("sort").and_then(Value::as_u64).unwrap_or(10);
    let (now, account_id) = (state.now(), state.options.account_id);
    if let Some(hook) = state.hooks.iter_mut().find(|hook| hook.destination == destination) {
        for setting in settings {
            if !hook.settings.contains(&setting) {
                hook.settings.push(setting);
            }
        }
        hook.sort = sort;
        hook.updated_at = now;
        return Ok(Answer::hal(201, &hook.show(account_id)));
    }
    if state.hooks.len() >= HOOKS_MAX {
        return Err(Answer::problem(400, "The account has 100 webhooks already"));
    }
    let hook = Hook {
        id: state.next_id(),
        destination,
        settings,
        is_disabled: false,
        sort,
        created_by: actor,
        created_at: now,
        updated_at: now,
        failures: VecDeque::new(),
    };
    let answer = Answer::hal(201, &hook.show(account_id));
    state.hooks.push(hook);
    Ok(answer)
}

pub(super) fn delete(state: &mut State, body: &str) -> Outcome {
    let body = batch::object(body)?;
    let destination = body.get("destination").and_then(Value::as_str);
    let found = state.hooks.iter().position(|hook| Some(hook.destination.as_str()) == destination);
    let Some(place) = found else { return Err(Answer::problem(404, "Webhook not found")) };
    let hook = state.hooks.remove(place);
    state.outbox.forget(hook.id);
    Ok(Answer::no_content())
}

fn read(body: &Map<String, Value>) -> Result<(String, Vec<String>), Answer> {
    let mut found = Vec::new();
    let destination = body.get("destination").and_then(Value::as_str).unwrap_or_default();
    if !["http://", "https://"].iter().any(|scheme| destination.starts_with(scheme)) {
        found.push(Flaw::wrong_type("destination", "url"));
    }
    let mut settings = Vec::new();
    match body.get("settings").and_then(Value::as_array) {
        Some(list) => {
            for (index, setting) in list.iter().enumerate() {
                match setting.as_str() {
                    Some(code) if is_setting(code) => settings.push(code.to_owned()),
                    _ => found.push(Flaw::not_a_choice(format!("settings.{index}"))),
                }
            }
        }
        None => found.push(Flaw::wrong_type("settings", "array")),
    }
    let mut flaws = Flaws::default();
    flaws.note("0", &found);
    flaws.settle()?;
    Ok((destination.to_owned(), settings))
}

fn is_setting(code: &str) -> bool {
    OTHER_SETTINGS.contains(&code)
        || code
            .split_once('_')
            .is_some_and(|(verb, object)| VERBS.contains(&verb) && ENTITIES.contains(&object))
}
