//! Everything that an emulated account holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Value, json};

use super::bin::Removed;
use super::bulk::Job;
use super::call::count;
use super::catalogue::Catalogue;
use super::channels::Channel;
use super::credits::Credits;
use super::deliveries::Outbox;
use super::faults::Faults;
use super::log::Request;
use super::options::Options;
use super::pages::Pages;
use super::people::User;
use super::records::Stored;
use super::tags::Tag;
use super::times;
use super::tokens::Tokens;

pub(super) struct State {
    pub(super) options: Options,
    pub(super) catalogue: Catalogue,
    pub(super) users: Vec<User>,
    pub(super) tags: Vec<Tag>,
    pub(super) records: BTreeMap<String, Stored>,
    pub(super) bin: Vec<Removed>,
    pub(super) pages: Pages,
    pub(super) jobs: Vec<Job>,
    pub(super) tokens: Tokens,
    pub(super) credits: Credits,
    pub(super) channels: Vec<Channel>,
    pub(super) outbox: Outbox,
    pub(super) faults: Faults,
    pub(super) requests: Vec<Request>,
    last_stamp: Timestamp,
    last_id: u64,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        let now = options.clock.now();
        Self {
            catalogue: Catalogue::standard(),
            users: vec![User::me(now)],
            tags: Vec::new(),
            records: BTreeMap::new(),
            bin: Vec::new(),
            pages: Pages::default(),
            jobs: Vec::new(),
            tokens: Tokens::new(&options.scopes),
            credits: Credits::default(),
            channels: Vec::new(),
            outbox: Outbox::default(),
            faults: Faults::default(),
            requests: Vec::new(),
            last_stamp: times::whole_second(now),
            last_id: 5_725_767_000_000_524_000,
            options,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// How many credits there are in any 24 hours.
    pub(super) fn credits_allowed(&self) -> u64 {
        let of_edition = 50_000 + 250 * count(&self.users);
        self.options.credits.unwrap_or(of_edition)
    }

    /// The time of a write: whole seconds that never go back, whatever the clock does.
    pub(super) fn stamp(&mut self) -> Timestamp {
        self.last_stamp = self.last_stamp.max(times::whole_second(self.now()));
        self.last_stamp
    }

    pub(super) fn next_id(&mut self) -> String {
        self.last_id += 1;
        self.last_id.to_string()
    }

    /// A time as the user of the tokens sees it.
    pub(super) fn time(&self, time: Timestamp) -> Value {
        let offset = Offset::from_hours(self.options.utc_offset_hours).unwrap_or(Offset::UTC);
        json!(times::render(time, offset))
    }
}
