//! Two emulators with people in them, and a connection between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use concord::accounts::{Accounts, Names};
use concord::connectors::{Connector, Credentials, Overrides, Registrations, World, kommo, zoho};
use concord::lab::check::{Difference, differences};
use concord::lab::emulate::{AppHandle, Emulated, Listening, listen_by};
use concord::lab::people::{Moved, People, move_in, people};
use concord::net::Http;
use concord::planner::{
    Approval, Channel, ConsentChannel, ConsentPolicy, DeletionPolicy, Entry, EntryId, FirstRun,
    Function, MatchKey, Report, Rule, Settings, SideSettings, Sync, SyncState, Thresholds,
    WritePolicy, suggest_entries,
};
use concord::ports::{Clock, Ids, SeededIds, SystemClock, SystemEntropy};
use concord::record::{FieldType, ObjectName, PerSide, Region, Schema, Side};
use concord::runner::{Runner, Timings};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{
    Account, Connection, ConnectionFeed, ConnectionId, FeedId, MemoryStore, Store, SyncProgress,
    Trigger, Workspace, WorkspaceId,
};

use crate::meddler::Meddler;

pub const HOME: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(7));

/// The machine's clock, put forward.
#[derive(Default)]
pub struct Ahead {
    seconds: AtomicI64,
}

impl Ahead {
    pub fn put_forward(&self, by: Duration) {
        self.seconds.fetch_add(i64::try_from(by.as_secs()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> jiff::Timestamp {
        let ahead = self.seconds.load(Ordering::SeqCst);
        SystemClock.now() + jiff::SignedDuration::from_secs(ahead)
    }
}

pub struct House {
    pub people: People,
    pub moved: Moved,
    pub kommo: kommo::emulator::Emulator,
    pub zoho: zoho::emulator::Emulator,
    /// The time of all: of the emulators, and of what is tried.
    pub clock: Arc<Ahead>,
    /// Stands before the left app.
    pub meddler: Arc<Meddler>,
    runner: Runner,
    connectors: PerSide<Arc<dyn Connector>>,
    connection: ConnectionId,
}

fn serve(listening: Listening) {
    #[expect(clippy::disallowed_methods, reason = "the server ends with the test's runtime")]
    tokio::spawn(listening.serve());
}

fn typed(listening: &Listening) -> Credentials {
    let pairs = listening.credentials.iter();
    pairs.fold(Credentials::default(), |typed, (name, value)| typed.with(name, value))
}

impl House {
    pub async fn new(count: u32, seed: u64) -> Self {
        let ahead = Arc::new(Ahead::default());
        let clock: Arc<dyn Clock> = ahead.clone();
        let left = listen_by(Emulated::Kommo, 0, clock.clone()).await.unwrap();
        let right = listen_by(Emulated::Zoho, 0, clock.clone()).await.unwrap();
        let AppHandle::Kommo(kommo) = left.app.clone() else { panic!() };
        let AppHandle::Zoho(zoho) = right.app.clone() else { panic!() };
        let people = people(count, seed);
        let moved = move_in(&people, &kommo, &zoho);
        let overrides = Overrides::default()
            .with_address("kommo", &left.address)
            .with_address("zoho", &right.address)
            .with_address("zoho_accounts", &right.address);
        let typed = PerSide { left: typed(&left), right: typed(&right) };
        serve(left);
        serve(right);

        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(seed));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        store.add_workspace(&Workspace { id: HOME, name: "home".to_owned() }).await.unwrap();
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        let sealer = Sealer::new(key, Vec::new(), Arc::new(SystemEntropy));
        let world = World {
            http: Http::new().unwrap(),
            clock: clock.clone(),
            overrides,
            registrations: Registrations::default(),
        };
        let accounts = Accounts::new(store.clone(), sealer, world, ids.clone(), "test");
        let left = accounts.connect(HOME, "kommo", &typed.left, Names::default()).await.unwrap();
        let right = accounts.connect(HOME, "zoho", &typed.right, Names::default()).await.unwrap();
        let accounts_of = PerSide { left: left.clone(), right: right.clone() };
        let settings = settings(store.as_ref(), &accounts_of, &moved).await;
        let review = concord::planner::review(
            &settings,
            &[concord::planner::Acknowledgement::NoOtherSync].into(),
        );
        assert!(review.token.is_some(), "{review:#?}");
        let connection =
            connect(store.as_ref(), ids.as_ref(), clock.now(), &accounts_of, settings).await;
        let meddler = Arc::new(Meddler::new(accounts.open(HOME, left.id).await.unwrap()));
        let connectors: PerSide<Arc<dyn Connector>> =
            PerSide { left: meddler.clone(), right: accounts.open(HOME, right.id).await.unwrap() };
        let runner = Runner::new(store.clone(), clock, ids, "test", Timings::default());
        Self { people, moved, kommo, zoho, meddler, clock: ahead, runner, connectors, connection }
    }

    pub async fn run(&self) -> Report {
        let ran = self.runner.run(HOME, self.connection, &self.connectors, Trigger::Person).await;
        ran.unwrap().report
    }

    pub fn differences(&self) -> Vec<Difference> {
        differences(&self.people, &self.moved, &self.kommo.contacts(), &self.zoho.contacts())
    }

    pub fn forget_requests(&self) {
        self.kommo.forget_requests();
        self.zoho.forget_requests();
    }

    /// What was asked that may have changed records.
    pub fn write_requests(&self) -> Vec<String> {
        let kommo = self.kommo.requests().into_iter().map(|r| (r.method, r.path));
        let zoho = self.zoho.requests().into_iter().map(|r| (r.method, r.path));
        let all = kommo.chain(zoho).filter(|(method, path)| {
            method != "GET" && !path.contains("oauth") && !path.contains("coql")
        });
        all.map(|(method, path)| format!("{method} {path}")).collect()
    }
}

/// Has a connection of two accounts run from now on.
pub async fn connect(
    store: &dyn Store,
    ids: &dyn Ids,
    now: jiff::Timestamp,
    accounts: &PerSide<Account>,
    settings: Settings,
) -> ConnectionId {
    let connection = ConnectionId(ids.next(now));
    let mut feeds = Vec::new();
    for side in Side::BOTH {
        let account = accounts.of(side);
        let object = settings.sides.of(side).objects[0].clone();
        let id = FeedId(ids.next(now));
        let feed = store.open_feed(HOME, account.id, &object, "", id).await.unwrap();
        feeds.push(ConnectionFeed { side, rank: 0, feed: feed.id, planned_to: 0 });
    }
    store
        .add_connection(&Connection {
            workspace: HOME,
            id: connection,
            title: "Kommo and Zoho".to_owned(),
            settings,
            feeds,
            progress: PerSide::<SyncProgress>::default(),
            again: false,
        })
        .await
        .unwrap();
    connection
}

/// What a connection of two accounts is to do: all that is suggested, and two fields of the people's own.
pub async fn settings(store: &dyn Store, accounts: &PerSide<Account>, moved: &Moved) -> Settings {
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let account = accounts.of(side);
        let known = store.description(HOME, account.id).await.unwrap().unwrap();
        let first = concord::connectors::app(&account.app).unwrap().about().objects[0].name;
        let objects = vec![ObjectName::new(first)];
        let schema: &Schema = &known.schemas[&objects[0]];
        let tags = schema.iter().find(|field| field.kind == FieldType::Tag);
        sides.push(SideSettings {
            app: account.app.clone(),
            tags: tags.map(|field| field.id.clone()),
            objects,
            schemas: known.schemas.clone(),
            region: Some("DE".parse::<Region>().unwrap()),
            users: known.users,
            converts: Default::default(),
        });
    }
    let right = sides.pop().unwrap();
    let left = sides.pop().unwrap();
    let sync = || Sync {
        state: SyncState::Running,
        since: 0,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Tag,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: vec![Rule::default()],
        entries: Vec::new(),
    };
    let mut settings = Settings {
        version: 1,
        sides: PerSide { left, right },
        syncs: PerSide { left: Some(sync()), right: Some(sync()) },
        preferred: Some(Side::Left),
        match_keys: vec![MatchKey::Email],
        avoid_duplicates: true,
        consent: vec![ConsentChannel {
            channel: Channel::Email,
            fields: PerSide {
                left: format!("cf_{}", moved.opt_out_field).as_str().into(),
                right: "Email_Opt_Out".into(),
            },
        }],
        brake: Thresholds::default(),
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    };
    let suggested = suggest_entries(&settings);
    let more = [
        (format!("cf_{}", moved.city_field), "Mailing_City"),
        (format!("cf_{}", moved.birthday_field), "Date_of_Birth"),
    ];
    let mut by_side: BTreeMap<Side, Vec<Entry>> = BTreeMap::new();
    for side in Side::BOTH {
        let mut entries = suggested.of(side).clone();
        for (left, right) in &more {
            let (from, to) =
                if side == Side::Left { (left.as_str(), *right) } else { (*right, left.as_str()) };
            entries.retain(|entry| entry.target.as_str() != to);
            entries.push(Entry {
                id: EntryId(format!("{side:?}.{to}")),
                since: 0,
                objects: PerSide::default(),
                target: to.into(),
                inputs: vec![from.into()],
                function: Function::Copy,
                transforms: Vec::new(),
                fallback: Vec::new(),
            });
        }
        by_side.insert(side, entries);
    }
    for side in Side::BOTH {
        settings.syncs.of_mut(side).as_mut().unwrap().entries = by_side.remove(&side).unwrap();
    }
    settings
}
