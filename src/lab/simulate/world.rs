//! Two apps, their people, and a connection between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;
use uuid::Uuid;

use super::ids;
use crate::connectors::Connector;
use crate::connectors::memory::{Author, Faults, Habits, MemoryConnector, Vendor};
use crate::planner::{
    Approval, Channel, ConsentChannel, ConsentPolicy, DeletionPolicy, Entry, FirstRun, Function,
    Limit, MatchKey, NamePart, Rule, Settings, SideSettings, Sync, SyncState, Thresholds,
    WritePolicy,
};
use crate::ports::{Clock, ManualClock};
use crate::record::{Field, FieldId, FieldType, PerSide, RemoteId, Schema, Semantic, Side, Value};
use crate::runner::{Ran, RunError, Runner, Timings};
use crate::store::{
    Account, AccountId, Connection, ConnectionFeed, ConnectionId, Error, FeedId, LeaseKey,
    LeaseKind, Store, SyncProgress, Trigger, WorkspaceId,
};

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Arc<dyn Store>,
    pub(super) vendors: PerSide<Arc<Vendor>>,
    pub(super) connection: ConnectionId,
    pub(super) workspace: WorkspaceId,
    pub(super) feeds: PerSide<FeedId>,
    connectors: PerSide<Arc<dyn Connector>>,
    people: u32,
}

/// A clock that stands somewhere in time.
pub(super) fn clock() -> Arc<ManualClock> {
    const START: i64 = 1_767_225_600;
    let start = Timestamp::from_second(START).unwrap_or(Timestamp::UNIX_EPOCH);
    Arc::new(ManualClock::at(start))
}

impl World {
    pub(super) async fn build(
        seed: u64,
        rng: &mut ChaCha12Rng,
        clock: Arc<ManualClock>,
        store: Arc<dyn Store>,
    ) -> Result<Self, Error> {
        let shouts = rng.next_u32().is_multiple_of(3);
        // In half of the worlds a listing shows late what was written; a direct read never does.
        let list_lag_seconds = if rng.next_u32().is_multiple_of(2) { 30 } else { 0 };
        let vendors = PerSide::from_fn(|side| {
            let habits = match side {
                Side::Left => Habits {
                    page_max: 5,
                    write_many_max: 4,
                    search_lag_seconds: 0,
                    list_lag_seconds: 0,
                    shouts: false,
                },
                Side::Right => Habits {
                    page_max: 3,
                    write_many_max: 2,
                    search_lag_seconds: 8,
                    list_lag_seconds,
                    shouts,
                },
            };
            Arc::new(Vendor::new("contacts".into(), schema(side), habits, clock.clone()))
        });
        let connectors = PerSide::from_fn(|side| {
            Arc::new(MemoryConnector::new(vendors.of(side).clone())) as Arc<dyn Connector>
        });
        // Each seed in a workspace of its own, so that many can share a database.
        let id = |nth: u128| Uuid::from_u128(u128::from(seed) << 64 | nth);
        let workspace = WorkspaceId(id(1));
        let feeds = PerSide { left: FeedId(id(20)), right: FeedId(id(21)) };
        for (side, feed) in feeds.iter() {
            let number = 10 + u128::from(side == Side::Right);
            let account = account(workspace, AccountId(id(number)), side);
            store.add_account(&account, b"").await?;
            store.open_feed(workspace, account.id, &"contacts".into(), "", *feed).await?;
        }
        let connection = ConnectionId(id(30));
        let feed =
            |side: Side| ConnectionFeed { side, rank: 0, feed: *feeds.of(side), planned_to: 0 };
        store
            .add_connection(&Connection {
                workspace,
                id: connection,
                title: "simulated".to_owned(),
                settings: settings(),
                feeds: vec![feed(Side::Left), feed(Side::Right)],
                progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
                again: false,
            })
            .await?;
        let mut world = Self {
            seed,
            clock,
            store,
            vendors,
            connection,
            workspace,
            feeds,
            connectors,
            people: 0,
        };
        for _ in 0..8 {
            world.arrive(rng);
        }
        Ok(world)
    }

    pub(super) fn worker(&self, number: u32, timings: &Timings) -> Runner {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let holder = format!("worker-{number}");
        Runner::new(self.store.clone(), clock, ids(self.seed, number), holder, timings.clone())
    }

    pub(super) async fn run(&self, runner: &Runner, trigger: Trigger) -> Result<Ran, RunError> {
        runner.run(self.workspace, self.connection, &self.connectors, trigger).await
    }

    /// Whether somebody holds the lease of the connection, dead or alive.
    pub(super) async fn is_held(&self) -> Result<bool, Error> {
        let (kind, subject) = (LeaseKind::Connection, self.connection.0);
        let key = LeaseKey { workspace: self.workspace, kind, subject };
        let Some(held) = self.store.acquire(&key, "nobody", Duration::from_secs(1)).await? else {
            return Ok(true);
        };
        self.store.release(&held).await?;
        Ok(false)
    }

    /// How many records one call writes.
    pub(super) fn call_max(&self) -> PerSide<usize> {
        PerSide::from_fn(|side| self.connectors.of(side).capability().write_many_max)
    }

    pub(super) fn order_faults(&self, seed: u64, faults: Faults) {
        for (side, vendor) in self.vendors.iter() {
            // Each seed has its own weather: some know no faults at all.
            let share = |rate: u32, bit: u64| if seed >> bit & 1 == 0 { rate } else { 0 };
            let faults = Faults {
                lost_before: share(faults.lost_before, 0),
                lost_after: share(faults.lost_after, 1),
                rate_limited: share(faults.rate_limited, 2),
                unauthorised: faults.unauthorised,
            };
            vendor.order_faults(seed * 2 + u64::from(side == Side::Right), faults);
        }
    }

    pub(super) fn stop_faults(&self) {
        for (_, vendor) in self.vendors.iter() {
            vendor.stop_faults();
        }
    }

    pub(super) fn engine_writes(&self) -> usize {
        let by_us = |vendor: &Arc<Vendor>| {
            vendor.history().iter().filter(|event| event.by == Author::Engine).count()
        };
        by_us(&self.vendors.left) + by_us(&self.vendors.right)
    }

    /// A person does something in one of the apps.
    pub(super) fn act(&mut self, rng: &mut ChaCha12Rng) {
        match rng.next_u32() % 12 {
            0..=2 => self.arrive(rng),
            3 => self.leave(rng),
            _ => self.edit(rng),
        }
    }

    /// Somebody new, on one side or on both at once.
    fn arrive(&mut self, rng: &mut ChaCha12Rng) {
        self.people += 1;
        let email = format!("p{}@x.es", self.people);
        for side in Side::BOTH {
            let both = rng.next_u32().is_multiple_of(3);
            if both || (rng.next_u32() & 1 == 0) == (side == Side::Left) {
                let mut fields = BTreeMap::new();
                fields.insert("email".into(), Value::Email(email.clone()));
                for field in editable(side) {
                    if !rng.next_u32().is_multiple_of(3) {
                        fields.insert((*field).into(), value(field, rng));
                    }
                }
                self.vendors.of(side).create(fields);
            }
        }
    }

    fn somebody(&self, side: Side, rng: &mut ChaCha12Rng) -> Option<RemoteId> {
        let records = self.vendors.of(side).records();
        let at = rng.next_u32() as usize % records.len().max(1);
        records.get(at).map(|record| record.id.clone())
    }

    fn edit(&self, rng: &mut ChaCha12Rng) {
        let side = if rng.next_u32() & 1 == 0 { Side::Left } else { Side::Right };
        let Some(id) = self.somebody(side, rng) else { return };
        let fields = editable(side);
        let at = rng.next_u32() as usize % fields.len().max(1);
        let Some(field) = fields.get(at) else { return };
        let change = [((*field).into(), value(field, rng))].into();
        self.vendors.of(side).edit(&id, change);
    }

    fn leave(&self, rng: &mut ChaCha12Rng) {
        let side = if rng.next_u32() & 1 == 0 { Side::Left } else { Side::Right };
        if let Some(id) = self.somebody(side, rng) {
            self.vendors.of(side).remove(&id);
        }
    }

    /// Hints as hooks bring them: doubled, late, out of order, some about nobody.
    pub(super) async fn hint(&self, rng: &mut ChaCha12Rng) -> Result<(), Error> {
        for side in Side::BOTH {
            let mut ids = BTreeSet::new();
            for _ in 0..rng.next_u32() % 4 {
                ids.extend(self.somebody(side, rng));
            }
            if rng.next_u32().is_multiple_of(5) {
                ids.insert(RemoteId::new("999999"));
            }
            for _ in 0..=rng.next_u32() % 2 {
                let now = self.clock.now();
                self.store.add_hints(self.workspace, *self.feeds.of(side), &ids, now).await?;
            }
        }
        Ok(())
    }

    /// The apps tell what was done there of late, by people and by us, but for some that is lost on the
    /// way.
    pub(super) async fn tell(&self, rng: &mut ChaCha12Rng) -> Result<(), Error> {
        for (side, vendor) in self.vendors.iter() {
            let late = vendor.history().into_iter().rev().take(TOLD_OF).map(|event| event.id);
            let ids: BTreeSet<_> = late.filter(|_| !rng.next_u32().is_multiple_of(4)).collect();
            let now = self.clock.now();
            self.store.add_hints(self.workspace, *self.feeds.of(side), &ids, now).await?;
        }
        Ok(())
    }
}

/// How many of the last things that were done an app tells of.
const TOLD_OF: usize = 8;

fn account(workspace: WorkspaceId, id: AccountId, side: Side) -> Account {
    let name = format!("{side:?}");
    Account {
        environment: "production".to_owned(),
        label: name.clone(),
        ..Account::new(workspace, id, "memory", name, Timestamp::UNIX_EPOCH)
    }
}

pub(super) fn editable(side: Side) -> &'static [&'static str] {
    match side {
        Side::Left => &["first", "last", "phone", "city", "tags", "opt_out"],
        Side::Right => &["full", "phone", "city", "tags", "consent"],
    }
}

fn value(field: &str, rng: &mut ChaCha12Rng) -> Value {
    let mut pick = |choices: &[&str]| {
        let at = rng.next_u32() as usize % choices.len().max(1);
        match choices.get(at) {
            None | Some(&"") => Value::Cleared,
            Some(text) => Value::Text((*text).to_owned()),
        }
    };
    match field {
        "first" => pick(&["Ana", "Eva", "Ida María"]),
        "last" => pick(&["Diaz", "van Dijk", "López Ruiz", ""]),
        "full" => pick(&["Ana Diaz", "Eva van Dijk", "Uma Roth"]),
        "phone" => match pick(&["600123456", "+34 600 12 34 56", "911234567", ""]) {
            Value::Text(number) => Value::Phone(number),
            other => other,
        },
        "tags" => {
            let tags: Vec<Value> = [pick(&["vip", ""]), pick(&["press", ""])]
                .into_iter()
                .filter(|tag| !tag.is_empty())
                .collect();
            if tags.is_empty() { Value::Cleared } else { Value::List(tags) }
        }
        "opt_out" => Value::Boolean(rng.next_u32().is_multiple_of(4)),
        "consent" => match rng.next_u32() % 5 {
            0 => Value::Consent(crate::record::Consent::OptedOut),
            _ => Value::Consent(crate::record::Consent::OptedIn),
        },
        _ => pick(&["Sevilla", "Madrid", "Vigo", ""]),
    }
}

fn schema(side: Side) -> Schema {
    let text = |id: &str| Field::new(id, FieldType::Text);
    let with = |field: Field, semantic| Field { semantic: Some(semantic), ..field };
    let own = match side {
        Side::Left => vec![
            with(text("first"), Semantic::NameFirst),
            with(text("last"), Semantic::NameLast),
            Field::new("opt_out", FieldType::Boolean),
        ],
        Side::Right => {
            vec![with(text("full"), Semantic::NameFull), Field::new("consent", FieldType::Consent)]
        }
    };
    let shared = [
        Field::new("email", FieldType::Email),
        Field::new("phone", FieldType::Phone),
        text("city"),
        Field { many: true, ..Field::new("tags", FieldType::Tag) },
    ];
    own.into_iter().chain(shared).collect()
}

fn entries(source: Side) -> Vec<Entry> {
    let entry = |target: &str, inputs: &[&str], function: Function| Entry {
        id: crate::planner::EntryId(format!("{source:?}:{target}")),
        since: 0,
        objects: PerSide::default(),
        target: target.into(),
        inputs: inputs.iter().map(|input| (*input).into()).collect(),
        function,
        transforms: Vec::new(),
        fallback: Vec::new(),
    };
    let copy = |field: &str| entry(field, &[field], Function::Copy);
    let mut entries = vec![copy("email"), copy("phone"), copy("city"), copy("tags")];
    match source {
        Side::Left => entries.push(entry("full", &["first", "last"], Function::JoinName)),
        Side::Right => {
            entries.push(entry("first", &["full"], Function::SplitName(NamePart::First)));
            entries.push(entry("last", &["full"], Function::SplitName(NamePart::Last)));
        }
    }
    entries
}

fn settings() -> Settings {
    let sync = |source: Side| Sync {
        state: SyncState::Running,
        since: 0,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Tag,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: vec![Rule::default()],
        entries: entries(source),
    };
    let open = Limit { floor: 100_000, percent: 100, ceiling: None };
    Settings {
        version: 1,
        sides: PerSide::from_fn(|side| SideSettings {
            app: format!("{side:?}"),
            objects: vec!["contacts".into()],
            schemas: [("contacts".into(), schema(side))].into(),
            region: "ES".parse().ok(),
            users: BTreeMap::new(),
            converts: BTreeMap::new(),
            tags: Some(FieldId::new("tags")),
        }),
        syncs: PerSide { left: Some(sync(Side::Left)), right: Some(sync(Side::Right)) },
        preferred: Some(Side::Left),
        match_keys: vec![MatchKey::Email],
        avoid_duplicates: true,
        consent: vec![ConsentChannel {
            channel: Channel::Email,
            fields: PerSide { left: "opt_out".into(), right: "consent".into() },
        }],
        // People come and go by handfuls here; the brake has tests of its own.
        brake: Thresholds { deletions: open, clears: open, creates: open, one_field: open },
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    }
}
