//! All that an account holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::account::{self, User};
use super::contact::Contact;
use super::deliveries::Outbox;
use super::events::Event;
use super::faults::Fault;
use super::fields::{self, Field};
use super::gate::Request;
use super::oauth::Tokens;
use super::options::Options;
use super::throttle::Throttle;
use super::webhooks::Hook;

pub(super) struct State {
    pub(super) options: Options,
    /// The time of the request at hand: the clock's, and never earlier than before.
    pub(super) time: Timestamp,
    pub(super) contacts: BTreeMap<u64, Contact>,
    pub(super) fields: Vec<Field>,
    pub(super) tags: BTreeMap<u64, String>,
    pub(super) users: Vec<User>,
    /// The user in whose name the tokens act.
    pub(super) integration: u64,
    /// The user who works at the app's own screen.
    pub(super) person: u64,
    pub(super) events: Vec<Event>,
    pub(super) hooks: Vec<Hook>,
    pub(super) outbox: Outbox,
    pub(super) tokens: Tokens,
    pub(super) throttle: Throttle,
    pub(super) faults: Vec<Fault>,
    pub(super) requests: Vec<Request>,
    answers: u64,
    last_id: u64,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        let mut state = Self {
            time: options.clock.now(),
            options,
            contacts: BTreeMap::new(),
            fields: Vec::new(),
            tags: BTreeMap::new(),
            users: Vec::new(),
            integration: 0,
            person: 0,
            events: Vec::new(),
            hooks: Vec::new(),
            outbox: Outbox::default(),
            tokens: Tokens::default(),
            throttle: Throttle::default(),
            faults: Vec::new(),
            requests: Vec::new(),
            answers: 0,
            last_id: 7_145_000,
        };
        state.integration = account::add_user(&mut state, "Integration", "integration@example.com");
        state.person = account::add_user(&mut state, "Marta Ruiz", "marta@example.com");
        fields::add_predefined(&mut state);
        state
    }

    pub(super) fn tick(&mut self) {
        self.time = self.time.max(self.options.clock.now());
    }

    /// Whole seconds: the app knows no finer time.
    pub(super) fn now(&self) -> i64 {
        self.time.as_second()
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// What `X-Request-Id` says of the next answer.
    pub(super) fn next_answer_id(&mut self) -> String {
        self.answers += 1;
        format!("{:032x}", self.answers)
    }

    /// The `_links` of something under the API's root.
    pub(super) fn links(&self, path: &str) -> Value {
        json!({ "self": { "href": format!("{}/api/v4/{path}", self.options.base_url) } })
    }
}
