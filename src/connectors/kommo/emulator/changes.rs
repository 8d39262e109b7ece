//! What happens to contacts, by whomever: the change with its event and its webhooks.

use serde_json::Value;

use super::contact::Contact;
use super::deliveries::{Action, announce};
use super::draft::Draft;
use super::events;
use super::state::State;

/// Returns the contact's id.
pub(super) fn create(state: &mut State, draft: Draft, actor: u64) -> u64 {
    let mut contact = Contact::new(state.next_id(), actor, state.time);
    let is_named = draft.is_named();
    draft.apply(state, &mut contact, actor);
    if !is_named {
        let name = format!("{} {}", contact.first_name, contact.last_name);
        contact.name = name.trim().to_owned();
    }
    events::note(state, "contact_added", contact.id, actor);
    announce(state, Action::Add, &contact, None);
    let id = contact.id;
    state.contacts.insert(id, contact);
    id
}

/// Returns false if there is no such contact.
pub(super) fn update(state: &mut State, id: u64, draft: Draft, actor: u64) -> bool {
    let Some(mut contact) = live(state, id).cloned() else { return false };
    let owner = contact.responsible_user_id;
    contact.begin_write(state.time, state.options.search_lag);
    draft.apply(state, &mut contact, actor);
    let old_owner = (owner != contact.responsible_user_id).then_some(owner);
    announce(state, Action::Update, &contact, old_owner);
    state.contacts.insert(id, contact);
    true
}

/// Returns false if there is no such contact.
pub(super) fn delete(state: &mut State, id: u64, actor: u64) -> bool {
    set_deleted(state, id, actor, true)
}

/// Returns false if there is no such contact in the bin.
pub(super) fn restore(state: &mut State, id: u64, actor: u64) -> bool {
    set_deleted(state, id, actor, false)
}

fn set_deleted(state: &mut State, id: u64, actor: u64, is_deleted: bool) -> bool {
    let now = state.now();
    let found = state.contacts.get_mut(&id).filter(|contact| contact.is_deleted != is_deleted);
    let Some(contact) = found else { return false };
    contact.is_deleted = is_deleted;
    contact.updated_by = actor;
    contact.updated_at = contact.updated_at.max(now);
    let contact = contact.clone();
    let (action, event) = if is_deleted {
        (Action::Delete, "contact_deleted")
    } else {
        (Action::Restore, "contact_restored")
    };
    events::note(state, event, id, actor);
    announce(state, action, &contact, None);
    true
}

/// The loser vanishes, without a webhook and without a trace in the bin; what it had and the winner
/// had not goes to the winner. Returns false unless both are there.
pub(super) fn merge(state: &mut State, winner: u64, loser: u64, actor: u64) -> bool {
    if winner == loser || live(state, loser).is_none() {
        return false;
    }
    let Some(mut contact) = live(state, winner).cloned() else { return false };
    let Some(lost) = state.contacts.remove(&loser) else { return false };
    contact.begin_write(state.time, state.options.search_lag);
    for (field, values) in lost.values {
        let is_list = state.fields.iter().any(|known| known.id == field && known.holds_many());
        match contact.values.get_mut(&field) {
            None => {
                contact.values.insert(field, values);
            }
            Some(kept) if is_list => add_missing(kept, values),
            Some(_) => {}
        }
    }
    for tag in lost.tags {
        if !contact.tags.contains(&tag) {
            contact.tags.push(tag);
        }
    }
    contact.updated_by = actor;
    contact.updated_at = contact.updated_at.max(state.now());
    events::note(state, "entity_merged", winner, actor);
    events::note(state, "entity_merged", loser, actor);
    announce(state, Action::Update, &contact, None);
    state.contacts.insert(winner, contact);
    true
}

fn add_missing(kept: &mut Vec<Value>, values: Vec<Value>) {
    for value in values {
        if !kept.iter().any(|known| known.get("value") == value.get("value")) {
            kept.push(value);
        }
    }
}

pub(super) fn live(state: &State, id: u64) -> Option<&Contact> {
    state.contacts.get(&id).filter(|contact| !contact.is_deleted)
}
