//! What people do at the app's own screen. Values have the shape of the API's objects.

use serde_json::Value;

use super::draft::Draft;
use super::fields::{self, Wish};
use super::state::State;
use super::{Emulator, changes};

impl Emulator {
    /// A person makes a contact. Returns its id, or 0 if the API would not take the values either.
    pub fn person_adds(&self, contact: Value) -> u64 {
        let mut state = self.lock();
        let Some(draft) = read(&contact, &state) else { return 0 };
        let person = state.person;
        changes::create(&mut state, draft, person)
    }

    /// A person changes a contact. Returns false if there is none, or if the API would not take the
    /// values either.
    pub fn person_edits(&self, id: u64, patch: Value) -> bool {
        let mut state = self.lock();
        let Some(draft) = read(&patch, &state) else { return false };
        let person = state.person;
        changes::update(&mut state, id, draft, person)
    }

    /// A person puts a contact into the bin. Returns false if there is none.
    pub fn person_deletes(&self, id: u64) -> bool {
        let mut state = self.lock();
        let person = state.person;
        changes::delete(&mut state, id, person)
    }

    /// A person takes a contact out of the bin. Returns false if it is not there.
    pub fn person_restores(&self, id: u64) -> bool {
        let mut state = self.lock();
        let person = state.person;
        changes::restore(&mut state, id, person)
    }

    /// A person merges two contacts: the loser's id vanishes. Returns false if one is missing.
    pub fn person_merges(&self, winner: u64, loser: u64) -> bool {
        let mut state = self.lock();
        let person = state.person;
        changes::merge(&mut state, winner, loser, person)
    }

    /// A person adds a custom field to contacts. Returns its id, or 0 if the API would not take it
    /// either.
    pub fn person_adds_field(&self, field: Value) -> u64 {
        let wish = field.as_object().and_then(|field| Wish::read(field).ok());
        wish.map_or(0, |wish| fields::add(&mut self.lock(), wish, false))
    }

    /// A person deletes a custom field of contacts, with all that they hold in it. Returns false if
    /// there is none, or if it is one that can't be deleted.
    pub fn person_removes_field(&self, id: u64) -> bool {
        fields::remove(&mut self.lock(), id)
    }
}

fn read(values: &Value, state: &State) -> Option<Draft> {
    let (draft, flaws) = Draft::read(values.as_object()?, state);
    flaws.is_empty().then_some(draft)
}
