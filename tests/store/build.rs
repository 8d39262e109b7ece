//! What the checks are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use concord::planner::{
    Approval, Key, Link, MatchKey, Op, OpKind, Presence, Report, Settings, SideSettings, TagChange,
    Thresholds,
};
use concord::ports::{Clock, Ids, SeededIds, SystemClock};
use concord::record::{PerSide, Record, RemoteId, Side, Value};
use concord::store::{
    Account, AccountId, Connection, ConnectionFeed, ConnectionId, CutOff, End, Feed, FeedId, Held,
    Intent, IntentState, LeaseKey, LeaseKind, LinkId, LinkRow, Observation, Observed, OpId, OpRow,
    OpState, RunId, RunKind, RunRow, RunState, Store, SyncProgress, Trigger, WorkspaceId,
};
use jiff::Timestamp;

/// A workspace of its own for each check: nothing of another is to be seen.
pub struct Bench {
    pub store: Arc<dyn Store>,
    pub workspace: WorkspaceId,
    pub accounts: PerSide<AccountId>,
    pub feeds: PerSide<Feed>,
    pub connection: ConnectionId,
    ids: SeededIds,
}

static BENCHES: AtomicU64 = AtomicU64::new(0);

impl Bench {
    pub async fn new(store: Arc<dyn Store>) -> Self {
        let ids = Self::fresh_ids();
        let id = || ids.next(SystemClock.now());
        let workspace = WorkspaceId(id());
        let accounts = PerSide { left: AccountId(id()), right: AccountId(id()) };
        let mut feeds = Vec::new();
        for (side, account) in accounts.iter() {
            store.add_account(&account_row(workspace, *account, side), b"").await.unwrap();
            let feed = store
                .open_feed(workspace, *account, &"contacts".into(), "", FeedId(id()))
                .await
                .unwrap();
            feeds.push(feed);
        }
        let feeds = PerSide { left: feeds[0].clone(), right: feeds[1].clone() };
        let connection = ConnectionId(id());
        let bench = Self { store, workspace, accounts, feeds, connection, ids };
        bench.store.add_connection(&bench.connection_row(connection)).await.unwrap();
        bench
    }

    pub fn id(&self) -> uuid::Uuid {
        self.ids.next(SystemClock.now())
    }

    /// Another connection over the same feeds.
    pub async fn beside(&self) -> Self {
        let bench = Self {
            store: self.store.clone(),
            feeds: self.feeds.clone(),
            ids: Self::fresh_ids(),
            connection: ConnectionId(self.id()),
            ..*self
        };
        bench.store.add_connection(&bench.connection_row(bench.connection)).await.unwrap();
        bench
    }

    fn fresh_ids() -> SeededIds {
        let nth = BENCHES.fetch_add(1, Ordering::SeqCst);
        SeededIds::new(u64::from(std::process::id()) << 32 | nth)
    }

    pub fn connection_row(&self, id: ConnectionId) -> Connection {
        let feed = |side: Side| ConnectionFeed {
            side,
            rank: 0,
            feed: self.feeds.of(side).id,
            planned_to: 0,
        };
        Connection {
            workspace: self.workspace,
            id,
            title: "a connection".into(),
            settings: settings(),
            feeds: vec![feed(Side::Left), feed(Side::Right)],
            progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
            again: false,
        }
    }

    pub fn lease(&self) -> LeaseKey {
        LeaseKey {
            workspace: self.workspace,
            kind: LeaseKind::Connection,
            subject: self.connection.0,
        }
    }

    pub async fn hold(&self) -> Held {
        let ttl = Duration::from_secs(60);
        self.store.acquire(&self.lease(), "tester", ttl).await.unwrap().unwrap()
    }

    pub async fn run(&self, held: &Held) -> RunId {
        self.store.begin_run(held, &self.run_row()).await.unwrap().id
    }

    pub fn run_row(&self) -> RunRow {
        RunRow {
            id: RunId(self.id()),
            connection: self.connection,
            kind: RunKind::Sync,
            trigger: Trigger::Person,
            state: RunState::Running,
            version: 1,
            started_at: at(1),
            ended_at: None,
            report: Report::default(),
            error: None,
            cut_off: CutOff::default(),
        }
    }

    pub fn observation(&self, records: Vec<Observed>) -> Observation {
        Observation::of(self.feeds.left.id, records)
    }

    pub fn end(&self, side: Side, id: &str) -> End {
        End { feed: self.feeds.of(side).id, id: id.into() }
    }

    pub fn link(&self, left: &str, right: &str) -> LinkRow {
        LinkRow {
            id: LinkId(self.id()),
            connection: self.connection,
            ends: PerSide { left: self.end(Side::Left, left), right: self.end(Side::Right, right) },
            link: Link::default(),
        }
    }

    pub fn op(&self, run: RunId, kind: OpKind, id: Option<&str>) -> OpRow {
        OpRow {
            id: OpId(self.id()),
            run,
            connection: self.connection,
            account: self.accounts.right,
            feed: self.feeds.right.id,
            target: id.map(RemoteId::new),
            source: Some(self.end(Side::Left, "l1")),
            item: "hash".into(),
            op: Op {
                side: Side::Right,
                kind,
                object: "contacts".into(),
                id: id.map(RemoteId::new),
                revision: None,
                fields: BTreeMap::from([("city".into(), Value::Text("Vigo".into()))]),
                tags: TagChange::default(),
                becomes: None,
                after: None,
                decisions: Vec::new(),
            },
            planned: Some(Link::default()),
            state: OpState::Planned,
            sent_at: None,
            error: None,
        }
    }

    pub fn intent(&self, op: &OpRow, source: &str, email: &str) -> Intent {
        Intent {
            op: op.id,
            connection: self.connection,
            feed: op.feed,
            source: self.end(Side::Left, source),
            keys: [key(email)].into(),
            state: IntentState::Open,
            sent_at: None,
            resolve_at: None,
            attempts: 0,
        }
    }
}

pub fn account_row(workspace: WorkspaceId, id: AccountId, side: Side) -> Account {
    Account {
        environment: "production".into(),
        label: "an account".into(),
        ..Account::new(workspace, id, "memory", format!("{side:?}"), at(0))
    }
}

pub fn settings() -> Settings {
    Settings {
        version: 1,
        sides: PerSide::from_fn(|side| SideSettings {
            app: format!("{side:?}"),
            objects: vec!["contacts".into()],
            schemas: BTreeMap::new(),
            region: "ES".parse().ok(),
            users: BTreeMap::new(),
            converts: BTreeMap::new(),
            tags: None,
        }),
        syncs: PerSide { left: None, right: None },
        preferred: Some(Side::Left),
        match_keys: vec![MatchKey::Email],
        avoid_duplicates: true,
        consent: vec![],
        brake: Thresholds::default(),
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn key(email: &str) -> Key {
    Key { kind: MatchKey::Email, value: email.into() }
}

pub fn ids(ids: &[&str]) -> BTreeSet<RemoteId> {
    ids.iter().map(|id| RemoteId::new(*id)).collect()
}

/// A live record with a city and an e-mail address.
pub fn live(id: &str, city: &str, email: &str) -> Observed {
    let record = Record::new("contacts", id).with("city", Value::Text(city.into()));
    Observed {
        id: id.into(),
        presence: Presence::Live,
        record: Some(record),
        became: None,
        keys: [key(email)].into(),
        hash: *blake3::hash(city.as_bytes()).as_bytes(),
        former_hash: None,
        as_of: u64::MAX,
        at: at(0),
    }
}

pub fn gone(id: &str) -> Observed {
    Observed {
        id: id.into(),
        presence: Presence::Gone,
        record: None,
        became: None,
        keys: BTreeSet::new(),
        hash: [0; 32],
        former_hash: None,
        as_of: u64::MAX,
        at: at(0),
    }
}
