//! Thousands of jobs, of which each has an effect that can be counted: somebody new is in one app, and is to
//! be made in the other. The processes that do them are killed at random. `JOBS=n` gives more of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use concord::connectors::Connector;
use concord::connectors::memory::{Habits, MemoryConnector, Vendor};
use concord::jobs::{Look, Nudge};
use concord::planner::{
    ConsentPolicy, DeletionPolicy, Entry, EntryId, FirstRun, Function, Limit, MatchKey, Rule, Sync,
    SyncState, WritePolicy,
};
use concord::ports::{SeededIds, SystemClock};
use concord::record::{Field, FieldType, PerSide, Schema, Value};
use concord::runner::{Runner, Timings};
use concord::store::{Connection, ConnectionFeed, ConnectionId, FeedId, Trigger, WorkspaceId};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::time::{Instant, sleep};

use crate::checks::Check;
use crate::house::{House, Server};

const JOBS: usize = 2_000;
const CONNECTIONS: usize = 50;
/// How many run at once in a process.
const AT_ONCE: usize = 4;
/// So that a lease lasts for 1.2 seconds, and what was sent in vain is given up after 12.
const DIVISOR: u32 = 50;
const AGAIN_AFTER: Duration = Duration::from_millis(600);
const KILL_EVERY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(240);
/// Longer than anything can still be on its way.
const REST: Duration = Duration::from_secs(14);

pub const ALL: &[(&str, Check)] = &[("each_job_is_done_and_its_effect_is_there_once", |house| {
    Box::pin(each_job_is_done_and_its_effect_is_there_once(house))
})];

/// Runs connections between apps in this process.
struct Runs {
    runner: Runner,
    connectors: Arc<BTreeMap<ConnectionId, PerSide<Arc<dyn Connector>>>>,
}

#[async_trait]
impl Look for Runs {
    async fn look(&self, nudge: Nudge) -> Duration {
        let Nudge { workspace, connection, trigger } = nudge;
        let connectors = &self.connectors[&connection];
        match self.runner.run(workspace, connection, connectors, trigger).await {
            Ok(ran) if ran.again => Duration::from_millis(50),
            _ => AGAIN_AFTER,
        }
    }

    fn stop(&self) {
        self.runner.stop();
    }
}

struct Town {
    house: House,
    workspace: WorkspaceId,
    /// The apps of each connection.
    vendors: Vec<(ConnectionId, PerSide<Arc<Vendor>>)>,
    connectors: Arc<BTreeMap<ConnectionId, PerSide<Arc<dyn Connector>>>>,
    dice: ChaCha12Rng,
    starts: u64,
}

impl Town {
    async fn new(house: House) -> Self {
        let workspace = house.bench.workspace;
        let (mut vendors, mut connectors) = (Vec::new(), BTreeMap::new());
        for number in 0..CONNECTIONS {
            let apps = PerSide::from_fn(|_| {
                let habits = Habits {
                    page_max: 50,
                    write_many_max: 20,
                    search_lag_seconds: 0,
                    list_lag_seconds: 0,
                    shouts: false,
                };
                Arc::new(Vendor::new("contacts".into(), schema(), habits, Arc::new(SystemClock)))
            });
            let id = add(&house, number).await;
            let reached = PerSide::from_fn(|side| {
                Arc::new(MemoryConnector::new(apps.of(side).clone())) as Arc<dyn Connector>
            });
            connectors.insert(id, reached);
            vendors.push((id, apps));
        }
        let (connectors, dice) = (Arc::new(connectors), ChaCha12Rng::seed_from_u64(1));
        Self { house, workspace, vendors, connectors, dice, starts: 0 }
    }

    fn throw(&mut self, sides: usize) -> usize {
        (self.dice.next_u64() % sides as u64) as usize
    }

    fn start(&mut self) -> Server {
        self.starts += 1;
        let runner = Runner::new(
            self.house.bench.store.clone(),
            Arc::new(SystemClock),
            Arc::new(SeededIds::new(self.starts)),
            format!("start {}", self.starts),
            Timings::default().divided_by(DIVISOR),
        );
        let look = Arc::new(Runs { runner, connectors: self.connectors.clone() });
        self.house.start_with(look, AT_ONCE, AGAIN_AFTER)
    }

    /// Somebody new comes to the left app of a connection, and a process is told of it.
    async fn arrive(&mut self, number: usize, servers: &[Server]) {
        let place = self.throw(self.vendors.len());
        let (connection, apps) = &self.vendors[place];
        let email = Value::Email(format!("person{number}@example.com").as_str().into());
        apps.left.create([("email".into(), email)].into());
        self.house.bench.store.ask_again(self.workspace, *connection).await.unwrap();
        let server = &servers[number % servers.len()];
        server.jobs.nudge(self.workspace, *connection, Trigger::Schedule);
    }

    /// How often a run was cut off, and gone on with.
    async fn cut_off(&self) -> u32 {
        let mut times = 0;
        for (connection, _) in &self.vendors {
            let store = &self.house.bench.store;
            let runs = store.runs(self.workspace, *connection, 10_000).await.unwrap();
            times += runs.iter().map(|run| run.cut_off.times).sum::<u32>();
        }
        times
    }

    /// How many there are in the right apps.
    fn made(&self) -> usize {
        self.vendors.iter().map(|(_, apps)| apps.right.records().len()).sum()
    }
}

fn schema() -> Schema {
    [Field::new("email", FieldType::Email)].into_iter().collect()
}

/// A connection that makes in its right app whoever is in its left one.
async fn add(house: &House, number: usize) -> ConnectionId {
    let bench = &house.bench;
    let plenty = Limit { floor: 100_000, percent: 100, ceiling: None };
    let mut feeds = Vec::new();
    for (side, account) in bench.accounts.iter() {
        // Each reads on its own: what one has read is not what another one's app has.
        let scope = format!("app {number}");
        let id = FeedId(bench.id());
        let feed = bench
            .store
            .open_feed(bench.workspace, *account, &"contacts".into(), &scope, id)
            .await
            .unwrap();
        feeds.push(ConnectionFeed { side, rank: 0, feed: feed.id, planned_to: 0 });
    }
    let mut row = Connection { feeds, ..bench.connection_row(ConnectionId(bench.id())) };
    let settings = &mut row.settings;
    settings.sides = PerSide::from_fn(|side| {
        let mut known = settings.sides.of(side).clone();
        known.objects = vec!["contacts".into()];
        known.schemas = [("contacts".into(), schema())].into();
        known
    });
    settings.match_keys = vec![MatchKey::Email];
    settings.avoid_duplicates = true;
    settings.brake.creates = plenty;
    settings.syncs.left = Some(Sync {
        since: 0,
        state: SyncState::Running,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Ignore,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: vec![Rule::default()],
        entries: vec![Entry {
            id: EntryId("email".to_owned()),
            since: 0,
            objects: PerSide::default(),
            target: "email".into(),
            inputs: vec!["email".into()],
            function: Function::Copy,
            transforms: Vec::new(),
            fallback: Vec::new(),
        }],
    });
    bench.store.add_connection(&row).await.unwrap();
    row.id
}

/// Whoever came is made once in the other app, although each process is killed many times.
async fn each_job_is_done_and_its_effect_is_there_once(house: House) {
    let jobs = std::env::var("JOBS").ok().and_then(|text| text.parse().ok()).unwrap_or(JOBS);
    let processes = if house.is_sqlite() { 1 } else { 4 };
    let mut town = Town::new(house).await;
    let mut servers: Vec<Server> = (0..processes).map(|_| town.start()).collect();
    let (mut number, mut kills) = (0, 0);
    let begun = Instant::now();
    while number < jobs || town.made() < jobs {
        let until = Instant::now() + KILL_EVERY;
        while number < jobs && Instant::now() < until {
            town.arrive(number, &servers).await;
            number += 1;
            sleep(Duration::from_micros(500)).await;
        }
        tokio::time::sleep_until(until).await;
        if number < jobs {
            let one = town.throw(processes);
            servers.swap_remove(one).kill().await;
            servers.push(town.start());
            kills += 1;
        }
        assert!(begun.elapsed() < PATIENCE, "{} of {jobs} were made", town.made());
    }
    let took = begun.elapsed();
    sleep(REST).await;
    let mut twice = Vec::new();
    for (_, apps) in &town.vendors {
        let mut there: BTreeMap<String, usize> = BTreeMap::new();
        for record in apps.right.records() {
            *there.entry(format!("{:?}", record.fields)).or_default() += 1;
        }
        twice.extend(there.into_iter().filter(|(_, count)| *count > 1));
    }
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(town.made(), jobs);
    let cut_off = town.cut_off().await;
    eprintln!(
        "{jobs} jobs, {processes} processes, {kills} kills that cut off {cut_off} runs: {took:.1?}"
    );
    assert!(cut_off > 3, "{kills} kills cut off {cut_off} runs");
    for server in servers {
        server.end().await;
    }
}
