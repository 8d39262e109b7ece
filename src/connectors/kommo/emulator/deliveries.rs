//! What is to be posted to webhooks, and how often it is tried.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::contact::Contact;
use super::hook_body;
use super::state::State;

/// One attempt to tell a webhook of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names it; all attempts have the same.
    pub id: u64,
    /// Where it is posted to.
    pub url: String,
    /// The content type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Which attempt this is, from 1 on.
    pub attempt: u32,
}

/// What is told of a contact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Update,
    Delete,
    Restore,
}

impl Action {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }

    /// Whether a hook with this setting wants it.
    fn is_meant_by(self, setting: &str, is_owner_changed: bool) -> bool {
        setting
            .strip_suffix("_contact")
            .is_some_and(|verb| verb == self.name() || verb == "responsible" && is_owner_changed)
    }
}

#[derive(Default)]
pub(super) struct Outbox {
    last_id: u64,
    waiting: BTreeMap<u64, Waiting>,
}

struct Waiting {
    hook: u64,
    url: String,
    body: String,
    attempt: u32,
    due: Timestamp,
    /// Handed out, and not answered yet.
    is_out: bool,
}

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";
const MINUTE: Duration = Duration::from_secs(60);

impl Outbox {
    /// Drops what waits for a hook.
    pub(super) fn forget(&mut self, hook: u64) {
        self.waiting.retain(|_, waiting| waiting.hook != hook);
    }
}

/// One delivery for each hook that wants it. `old_owner` is given if the owner changed.
pub(super) fn announce(
    state: &mut State,
    action: Action,
    contact: &Contact,
    old_owner: Option<u64>,
) {
    let is_wanted = |setting: &String| action.is_meant_by(setting, old_owner.is_some());
    let hooks: Vec<(u64, String)> = state
        .hooks
        .iter()
        .filter(|hook| !hook.is_disabled && hook.settings.iter().any(is_wanted))
        .map(|hook| (hook.id, hook.destination.clone()))
        .collect();
    if hooks.is_empty() {
        return;
    }
    let body = hook_body::write(state, action, contact, old_owner);
    for (hook, url) in hooks {
        state.outbox.last_id += 1;
        let waiting =
            Waiting { hook, url, body: body.clone(), attempt: 1, due: state.time, is_out: false };
        state.outbox.waiting.insert(state.outbox.last_id, waiting);
    }
}

pub(super) fn take_due(state: &mut State) -> Vec<Delivery> {
    let now = state.time;
    let mut due = Vec::new();
    for (id, waiting) in &mut state.outbox.waiting {
        if !waiting.is_out && waiting.due <= now {
            waiting.is_out = true;
            due.push(Delivery {
                id: *id,
                url: waiting.url.clone(),
                content_type: CONTENT_TYPE,
                body: waiting.body.clone(),
                attempt: waiting.attempt,
            });
        }
    }
    due
}

pub(super) fn settle(state: &mut State, id: u64, status: Option<u16>) {
    let is_out = state.outbox.waiting.get(&id).is_some_and(|waiting| waiting.is_out);
    let waiting = if is_out { state.outbox.waiting.remove(&id) } else { None };
    let Some(mut waiting) = waiting else { return };
    if status.is_some_and(|status| (100..300).contains(&status)) {
        return;
    }
    if let Some(hook) = state.hooks.iter_mut().find(|hook| hook.id == waiting.hook) {
        hook.count_failure(state.time);
        if hook.is_disabled {
            state.outbox.forget(waiting.hook);
            return;
        }
    }
    if let Some(wait) = wait_after(waiting.attempt, status) {
        waiting.attempt += 1;
        waiting.due = state.time + wait / state.options.clock_factor.max(1);
        waiting.is_out = false;
        state.outbox.waiting.insert(id, waiting);
    }
}

/// How long after a failed attempt the next one comes, if any does.
fn wait_after(attempt: u32, status: Option<u16>) -> Option<Duration> {
    let is_servers_fault = matches!(status, Some(499..=599));
    match attempt {
        1 => Some(5 * MINUTE),
        2 => Some(15 * MINUTE),
        3 if is_servers_fault => Some(15 * MINUTE),
        4 if is_servers_fault => Some(60 * MINUTE),
        _ => None,
    }
}
