//! The emulator as its users hold it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::catalogue::Module;
use super::deliveries::Delivery;
use super::faults::Fault;
use super::log::Request;
use super::options::Options;
use super::people::User;
use super::server;
use super::state::State;

/// An account in an emulated Zoho CRM, with the accounts server beside it.
#[derive(Clone)]
pub struct Emulator {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    in_flight: AtomicU32,
    concurrency: u32,
}

/// A call that is being answered.
pub(super) struct Slot {
    emulator: Emulator,
    /// Whether there were too many before it.
    pub(super) is_crowded: bool,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.emulator.inner.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Emulator {
    /// An account without records, and with one refresh token.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let concurrency = options.concurrency;
        let state = Mutex::new(State::new(options));
        let inner = Inner { state, in_flight: AtomicU32::new(0), concurrency };
        Self { inner: Arc::new(inner) }
    }

    /// The API, the accounts server and the screen for other processes, on one port.
    pub fn router(&self) -> Router {
        server::router(self.clone())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole records.
        self.inner.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn enter(&self) -> Slot {
        let others = self.inner.in_flight.fetch_add(1, Ordering::SeqCst);
        Slot { emulator: self.clone(), is_crowded: others >= self.inner.concurrency }
    }

    /// A refresh token that is valid, unless it was revoked; the newest, if there are several.
    #[must_use]
    pub fn refresh_token(&self) -> String {
        self.lock().tokens.newest_refresh().unwrap_or_default().to_owned()
    }

    /// A code of a consent: for one use, within two minutes.
    #[must_use]
    pub fn grant_code(&self) -> String {
        let mut state = self.lock();
        let now = state.now();
        state.tokens.grant_code(now)
    }

    /// A person opens the consent page at this address, and agrees or not: where their browser is sent
    /// then. None if the page shows an error instead.
    #[must_use]
    pub fn consent(&self, url: &str, agrees: bool) -> Option<String> {
        let mut state = self.lock();
        let now = state.now();
        state.tokens.page(now, url, agrees)
    }

    /// Ends all access tokens.
    pub fn expire_access_tokens(&self) {
        self.lock().tokens.expire_access();
    }

    /// A person gives no more than these scopes from now on, with commas or blanks between them.
    pub fn give_only(&self, scopes: &str) {
        self.lock().tokens.give_only(scopes);
    }

    /// Takes back the consent: no refresh token is valid any more, nor any of its access tokens.
    pub fn revoke_refresh_token(&self) {
        self.lock().tokens.revoke_all();
    }

    /// A person adds a contact; its id.
    pub fn person_adds(&self, record: Value) -> String {
        self.lock().person_adds(Module::Contacts, &object(record))
    }

    /// A person adds a lead. Gives its id.
    pub fn person_adds_lead(&self, record: Value) -> String {
        self.lock().person_adds(Module::Leads, &object(record))
    }

    /// A person converts a lead. Gives the id of the contact that it became; none if it can't be
    /// converted.
    pub fn person_converts(&self, id: &str) -> Option<String> {
        self.lock().person_converts(id)
    }

    /// A person changes fields of a contact or lead; false if it is not there.
    pub fn person_edits(&self, id: &str, patch: Value) -> bool {
        self.lock().person_edits(id, &object(patch))
    }

    /// A person puts a contact or lead into the recycle bin; false if it is not there.
    pub fn person_deletes(&self, id: &str) -> bool {
        self.lock().person_deletes(id)
    }

    /// A person takes a contact out of the recycle bin; false if it is not in there.
    pub fn person_restores(&self, id: &str) -> bool {
        self.lock().restore(Module::Contacts, id)
    }

    /// A person merges one contact into another; false if either is not there.
    pub fn person_merges(&self, master: &str, child: &str) -> bool {
        self.lock().person_merges(master, child)
    }

    /// A person adds a field to contacts, or makes a field that is there unique.
    pub fn person_adds_field(&self, field: Value) {
        self.lock().catalogue.add(Module::Contacts, &field);
    }

    /// A colleague joins; the id.
    pub fn add_user(&self, name: &str, email: &str) -> String {
        let mut state = self.lock();
        let (id, now) = (state.next_id(), state.now());
        state.users.push(User::named(id.clone(), name, email, now));
        id
    }

    /// The contacts that are there, whole, each with `$trigger` as its last write by the API gave it.
    #[must_use]
    pub fn contacts(&self) -> Vec<Value> {
        self.contacts_since(Timestamp::MIN)
    }

    /// Those of them that were changed since a time.
    #[must_use]
    pub fn contacts_since(&self, since: Timestamp) -> Vec<Value> {
        self.lock().raw_records(Module::Contacts, since)
    }

    /// The leads that are there in the same way, converted ones among them.
    #[must_use]
    pub fn leads(&self) -> Vec<Value> {
        self.lock().raw_records(Module::Leads, Timestamp::MIN)
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// Empties the list of requests.
    pub fn forget_requests(&self) {
        self.lock().requests.clear();
    }

    /// The credits that were spent in the last 24 hours.
    #[must_use]
    pub fn credits_used(&self) -> u64 {
        let state = self.lock();
        state.credits.used(state.now())
    }

    /// Another client of the organisation spends credits.
    pub fn others_spend(&self, credits: u64) {
        let mut state = self.lock();
        let now = state.now();
        state.credits.spend(credits, now);
    }

    /// Orders a fault.
    pub fn order(&self, fault: Fault) {
        self.lock().faults.order(fault);
    }

    /// The notifications that wait to be sent. Each is handed out once.
    #[must_use]
    pub fn due_deliveries(&self) -> Vec<Delivery> {
        self.lock().outbox.hand_out()
    }

    /// Forgets all channels, as if their time were over.
    pub fn close_channels(&self) {
        self.lock().channels.clear();
    }

    /// Tells how a notification was answered, or that it was not. It is forgotten either way.
    pub fn answered(&self, delivery: u64, _status: Option<u16>) {
        self.lock().outbox.forget(delivery);
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
