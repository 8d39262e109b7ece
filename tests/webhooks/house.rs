//! Two emulated apps, a connection of them that runs, and the processes that look after its webhooks.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use concord::accounts::{Accounts, Names};
use concord::connectors::kommo::emulator as kommo;
use concord::connectors::zoho::emulator as zoho;
use concord::connectors::{Address, Credentials, Overrides, Registrations, World};
use concord::net::Http;
use concord::planner::{
    Approval, ConsentPolicy, DeletionPolicy, FirstRun, Settings, SideSettings, Sync, SyncState,
    Thresholds, WritePolicy,
};
use concord::ports::{Clock, ManualClock, SeededIds, SystemClock, SystemEntropy};
use concord::record::{PerSide, Side};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{
    AccountId, Connection, ConnectionFeed, ConnectionId, Endpoint, FeedId, SqlStore, Store,
    SyncProgress, Workspace, WorkspaceId,
};
use concord::webhooks::{Parts, Webhooks};
use tokio::net::TcpListener;
use uuid::Uuid;

pub const HOME: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
/// Where the apps believe to reach this server. Nobody listens there.
pub const PUBLIC: &str = "http://127.0.0.1:1";
const KOMMO: &str = "/api/v4/webhooks";
const ZOHO: &str = "/crm/v8/actions/watch";

/// A data folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct House {
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
    pub kommo: kommo::Emulator,
    pub zoho: zoho::Emulator,
    /// The accounts: Kommo on the left, Zoho on the right.
    pub accounts: PerSide<AccountId>,
    /// The address of the database.
    pub url: String,
    key: MasterKey,
    overrides: Overrides,
    _folder: Folder,
}

/// One process of the server, from its start.
pub struct Process {
    pub accounts: Arc<Accounts>,
    pub webhooks: Webhooks,
}

fn settings() -> Settings {
    let sync = Sync {
        state: SyncState::Running,
        since: 0,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Ignore,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: Vec::new(),
        entries: Vec::new(),
    };
    Settings {
        version: 1,
        sides: PerSide::from_fn(|side| SideSettings {
            app: format!("{side:?}"),
            objects: Vec::new(),
            schemas: BTreeMap::new(),
            region: None,
            users: BTreeMap::new(),
            converts: BTreeMap::new(),
            tags: None,
        }),
        syncs: PerSide { left: Some(sync), right: None },
        preferred: Some(Side::Left),
        match_keys: Vec::new(),
        avoid_duplicates: true,
        consent: Vec::new(),
        brake: Thresholds::default(),
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    }
}

/// A port of this machine, and its address.
async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

impl House {
    #[expect(clippy::disallowed_methods, reason = "the apps end with the test's runtime")]
    pub async fn new(name: &str) -> Self {
        let folder = format!("concord-webhooks-{name}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(folder));
        let _ = std::fs::remove_dir_all(&folder.0);
        std::fs::create_dir_all(&folder.0).unwrap();
        let url = format!("sqlite://{}", folder.0.join("house.sqlite").display());
        let store: Arc<dyn Store> = Arc::new(SqlStore::open(&url).await.unwrap());
        store.add_workspace(&Workspace { id: HOME, name: "home".to_owned() }).await.unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let (left, at_left) = listen().await;
        let mut options = kommo::Options::new(clock.clone());
        options.requests_per_second = None;
        options.base_url.clone_from(&at_left);
        let kommo = kommo::Emulator::new(options);
        let (right, at_right) = listen().await;
        let mut options = zoho::Options::new(clock.clone());
        options.base_url.clone_from(&at_right);
        let zoho = zoho::Emulator::new(options);
        for (listener, router) in [(left, kommo.router()), (right, zoho.router())] {
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        }
        let overrides = Overrides::default()
            .with_address("kommo", &at_left)
            .with_address("zoho", &at_right)
            .with_address("zoho_accounts", &at_right)
            .with_rate("kommo", 1000);
        let typed = PerSide {
            left: Credentials::default()
                .with("host", "demo.kommo.com")
                .with("token", &kommo.token()),
            right: Credentials::default()
                .with("data_centre", "eu")
                .with("client_id", zoho::CLIENT_ID)
                .with("client_secret", zoho::CLIENT_SECRET)
                .with("refresh_token", &zoho.refresh_token()),
        };
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        let nobody = AccountId(Uuid::from_u128(0));
        let accounts = PerSide { left: nobody, right: nobody };
        let mut house =
            Self { clock, store, kommo, zoho, accounts, url, key, overrides, _folder: folder };
        let process = house.process(1);
        for (side, app) in [(Side::Left, "kommo"), (Side::Right, "zoho")] {
            let account = process
                .accounts
                .connect(HOME, app, typed.of(side), Names::default())
                .await
                .unwrap();
            *house.accounts.of_mut(side) = account.id;
        }
        house.connect().await;
        house
    }

    async fn connect(&self) {
        let mut feeds = Vec::new();
        for (side, object) in [(Side::Left, "contacts"), (Side::Right, "Contacts")] {
            let id = FeedId(Uuid::from_u128(feeds.len() as u128));
            let account = *self.accounts.of(side);
            let feed = self.store.open_feed(HOME, account, &object.into(), "", id).await.unwrap();
            feeds.push(ConnectionFeed { side, rank: 0, feed: feed.id, planned_to: 0 });
        }
        let connection = Connection {
            workspace: HOME,
            id: ConnectionId(Uuid::from_u128(1)),
            title: "a connection".into(),
            settings: settings(),
            feeds,
            progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
            again: false,
        };
        self.store.add_connection(&connection).await.unwrap();
    }

    /// A process that starts now.
    pub fn process(&self, number: u64) -> Process {
        self.process_at(number, PUBLIC)
    }

    /// The same, where the apps are to reach the server at another address.
    pub fn process_at(&self, number: u64, public_url: &str) -> Process {
        let sealer = Sealer::new(self.key.clone(), Vec::new(), Arc::new(SystemEntropy));
        let (clock, store) = (self.clock.clone(), self.store.clone());
        let http = Http::new().unwrap();
        let world = World {
            http,
            clock: clock.clone(),
            overrides: self.overrides.clone(),
            registrations: Registrations::default(),
        };
        let ids = Arc::new(SeededIds::new(number));
        let holder = format!("process {number}");
        let accounts = Accounts::new(store.clone(), sealer.clone(), world, ids.clone(), holder);
        let accounts = Arc::new(accounts);
        let webhooks = Webhooks::new(Parts {
            store,
            accounts: accounts.clone(),
            sealer,
            key: self.key.clone(),
            clock,
            ids,
            public_url: Some(public_url.to_owned()),
        });
        Process { accounts, webhooks }
    }

    pub async fn endpoint(&self, side: Side) -> Endpoint {
        self.store.endpoint_of(HOME, *self.accounts.of(side)).await.unwrap().unwrap()
    }

    /// Looks after the webhooks after so long. Gives what each app was asked about its registrations, by
    /// the methods of the requests.
    pub async fn tend_after(&self, process: &Process, wait: Duration) -> PerSide<Vec<String>> {
        self.clock.advance(wait);
        self.kommo.forget_requests();
        self.zoho.forget_requests();
        process.webhooks.tend().await.unwrap();
        let kommo = self.kommo.requests().into_iter();
        let zoho = self.zoho.requests().into_iter();
        PerSide {
            left: kommo.filter(|one| one.path.starts_with(KOMMO)).map(|one| one.method).collect(),
            right: zoho.filter(|one| one.path.starts_with(ZOHO)).map(|one| one.method).collect(),
        }
    }

    /// Somebody removes Concord's webhook in Kommo.
    pub async fn forget_webhook_in_kommo(&self, process: &Process) {
        let endpoint = self.endpoint(Side::Left).await;
        let address = Address {
            url: process.webhooks.address(&endpoint, "kommo").unwrap(),
            token: String::new().into(),
            objects: endpoint.objects,
            channel: String::new(),
        };
        let connector = process.accounts.open(HOME, endpoint.account).await.unwrap();
        connector.unsubscribe(&address).await.unwrap();
    }

    /// Kommo posts in vain until it gives the webhook up.
    pub fn give_up_webhook_in_kommo(&self) {
        let id = self.kommo.person_adds(serde_json::json!({ "name": "Ana" }));
        for number in 0..500 {
            self.kommo.person_edits(id, serde_json::json!({ "name": format!("Ana {number}") }));
            for letter in self.kommo.due_deliveries() {
                self.kommo.answered(letter.id, Some(500));
            }
        }
    }

    /// Kommo answers so many requests about webhooks with an error.
    pub fn break_webhooks_of_kommo(&self, times: u32) {
        let kind = kommo::FaultKind::Status {
            status: 503,
            body: String::new(),
            content_type: "text/plain",
            retry_after: None,
        };
        self.kommo.order(kommo::Fault {
            method: None,
            path: Some(KOMMO.to_owned()),
            after: 0,
            times,
            kind,
        });
    }
}
