//! One start of the server: what it does from then on until it is killed.

use std::sync::Arc;
use std::time::Duration;

use concord::accounts::{Accounts, Authorizations, Begin, By};
use concord::connectors::{Overrides, Registrations, World, kommo, zoho};
use concord::jobs::{Look as _, Looker, Nudge};
use concord::net::{Http, Wire};
use concord::ports::{Clock, SeededIds, SystemEntropy};
use concord::runner::{Runner, Timings};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{Account, ConnectionId, Store, Trigger};
use concord::webhooks::{DEBOUNCE, Parts, Webhooks};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::house::HOME;

/// Where people and apps reach the server.
pub const PUBLIC: &str = "https://sync.example.com";
pub const KOMMO: &str = "http://kommo.test";
pub const ZOHO: &str = "http://zoho.test";

/// How often it is looked what came, and what is to be looked after.
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// What outlives the server.
pub struct Ground {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub key: MasterKey,
    pub wire: Arc<dyn Wire>,
}

/// A server.
pub struct Server {
    pub accounts: Arc<Accounts>,
    pub webhooks: Arc<Webhooks>,
    authorizations: Authorizations,
    looker: Looker,
}

impl Server {
    /// One that starts now.
    pub fn start(ground: &Ground, number: u64) -> Self {
        let Ground { store, clock, key, wire } = ground;
        let entropy = Arc::new(SystemEntropy);
        let sealer = Sealer::new(key.clone(), Vec::new(), entropy.clone());
        let ids = Arc::new(SeededIds::new(number));
        let name = format!("start {number}");
        let world = World {
            http: Http::over(wire.clone()),
            clock: clock.clone(),
            overrides: Overrides::default()
                .with_address("kommo", KOMMO)
                .with_address("zoho", ZOHO)
                .with_address("zoho_accounts", ZOHO),
            registrations: Registrations::default()
                .with("kommo", kommo::emulator::CLIENT_ID, kommo::emulator::CLIENT_SECRET)
                .with("zoho", zoho::emulator::CLIENT_ID, zoho::emulator::CLIENT_SECRET),
        };
        let accounts = Accounts::new(store.clone(), sealer.clone(), world, ids.clone(), &name);
        let accounts = Arc::new(accounts);
        let public_url = Some(PUBLIC.to_owned());
        let authorizations = Authorizations::new(accounts.clone(), entropy, public_url.clone());
        let webhooks = Arc::new(Webhooks::new(Parts {
            store: store.clone(),
            accounts: accounts.clone(),
            sealer,
            key: key.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            public_url,
        }));
        let runner = Runner::new(store.clone(), clock.clone(), ids, &name, Timings::default());
        let looker = Looker::new(store.clone(), accounts.clone(), Arc::new(runner), clock.clone());
        Self { accounts, webhooks, authorizations, looker }
    }

    /// A person agrees on an app's page that the server may use an account.
    pub async fn authorize(&self, app: &str, agree: impl Fn(&str) -> Option<String>) -> Account {
        let by = By { workspace: HOME, subject: "ana" };
        let begin = Begin { app, ..Begin::default() };
        let begun = self.authorizations.begin(by, &begin).await.unwrap();
        let back = agree(&begun.url).expect("an error instead of the consent page");
        let (_, query) = back.split_once('?').unwrap();
        self.authorizations.come_back(app, query).await.account.unwrap()
    }

    /// What a server does until it is killed, with one connection.
    pub async fn live(&self, connection: ConnectionId) {
        let told = Notify::new();
        tokio::join!(self.expand(&told), self.tend(), self.run(connection, &told));
    }

    async fn expand(&self, told: &Notify) {
        loop {
            let _ = timeout(SECOND, self.webhooks.arrived()).await;
            let expansion = self.webhooks.expand_due().await.unwrap();
            assert!(expansion.failed.is_empty(), "{:?}", expansion.failed);
            if !expansion.woken.is_empty() {
                told.notify_one();
            }
        }
    }

    async fn tend(&self) {
        loop {
            self.webhooks.tend().await.unwrap();
            self.webhooks.forget_old().await.unwrap();
            sleep(MINUTE).await;
        }
    }

    async fn run(&self, connection: ConnectionId, told: &Notify) {
        let mut next = Instant::now();
        loop {
            let trigger = tokio::select! {
                () = told.notified() => Trigger::Webhook,
                () = sleep_until(next) => Trigger::Schedule,
            };
            if trigger == Trigger::Webhook {
                sleep(DEBOUNCE).await;
            }
            let nudge = Nudge { workspace: HOME, connection, trigger };
            let rest = self.looker.look(nudge).await;
            next = Instant::now() + rest.max(SECOND / 20);
        }
    }

    /// Takes in what an app posts. Gives the status of the answer.
    pub async fn take(&self, url: &str, content_type: &str, body: &str) -> u16 {
        let path = url.strip_prefix(PUBLIC).expect("it is posted to us");
        let parts: Vec<&str> = path.trim_start_matches("/webhooks/").split('/').collect();
        let [app, endpoint, secret] = parts[..] else { panic!("no address of ours") };
        let Ok(addressed) = self.webhooks.addressed(app, endpoint, secret).await else {
            return 404;
        };
        match self.webhooks.receive(&addressed, content_type, body.as_bytes()).await {
            Ok(()) => 200,
            Err(refused) => panic!("what the app posts is refused: {refused}"),
        }
    }
}
