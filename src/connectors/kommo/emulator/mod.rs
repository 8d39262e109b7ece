//! A Kommo account in this process, over HTTP: API v4 as its published behaviour says, and the
//! app's own screen as methods. It serves demos and judges the connector, so it shares no code with
//! it. Where the published behaviour is silent it takes the stricter reading.

mod account;
mod admin;
mod answer;
mod batch;
mod changes;
mod contact;
mod contacts;
mod deliveries;
mod draft;
mod events;
mod faults;
mod fields;
mod flaws;
mod gate;
mod hook_body;
mod jwt;
mod oauth;
mod options;
mod page;
mod person;
mod query;
mod routes;
mod server;
mod sieve;
mod state;
mod tags;
mod throttle;
mod values;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use answer::Answer;
use gate::Exchange;
use state::State;

pub use deliveries::Delivery;
pub use faults::{Fault, FaultKind};
pub use gate::Request;
pub use oauth::{CLIENT_ID, CLIENT_SECRET};
pub use options::Options;

/// The account. A clone is the same account.
#[derive(Clone)]
pub struct Emulator {
    state: Arc<Mutex<State>>,
}

impl Emulator {
    /// An account with two users (the integration's and a person) and the predefined fields, and
    /// nothing else.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(options))) }
    }

    /// The account's HTTP interface; under `/_emulator/` also the app's own screen, for other
    /// processes.
    pub fn router(&self) -> axum::Router {
        server::router(self.clone())
    }

    /// The long-lived token.
    #[must_use]
    pub fn token(&self) -> String {
        self.lock().options.token.clone()
    }

    /// Adds a user to the account.
    pub fn add_user(&self, name: &str, email: &str) -> u64 {
        account::add_user(&mut self.lock(), name, email)
    }

    /// The contacts that are not deleted, as `GET /contacts/{id}` shows them.
    #[must_use]
    pub fn contacts(&self) -> Vec<Value> {
        self.contacts_since(Timestamp::MIN)
    }

    /// Those of them that were changed since a time.
    #[must_use]
    pub fn contacts_since(&self, since: Timestamp) -> Vec<Value> {
        let state = self.lock();
        let since = since.as_second();
        let live = state.contacts.values().filter(|contact| !contact.is_deleted);
        let changed = live.filter(|contact| contact.updated_at >= since);
        changed.map(|contact| contact.show(&state, false)).collect()
    }

    /// What was asked of the API so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.lock().requests.clear();
    }

    /// Orders a fault for requests to come.
    pub fn order(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// What is to be posted to webhooks now; each attempt is handed out once, and what became of it
    /// is told by [`Emulator::answered`].
    pub fn due_deliveries(&self) -> Vec<Delivery> {
        deliveries::take_due(&mut self.lock())
    }

    /// What a webhook answered to an attempt; `None` if nothing came within two seconds.
    pub fn answered(&self, delivery: u64, status: Option<u16>) {
        deliveries::settle(&mut self.lock(), delivery, status);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole contacts.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tick();
        state
    }

    fn answer(&self, exchange: &Exchange) -> Answer {
        if exchange.path.starts_with("/_emulator/") {
            admin::answer(self, exchange)
        } else {
            gate::answer(&mut self.lock(), exchange)
        }
    }
}
