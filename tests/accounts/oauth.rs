//! Accounts that are authorized by a person's consent, and Kommo's refresh tokens, which are good once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use concord::accounts::{Accounts, Authorizations, Begin, By, Error};
use concord::connectors::kommo::emulator as kommo;
use concord::connectors::zoho::emulator as zoho;
use concord::connectors::{Connector, Credentials, ErrorKind, Overrides, Registrations, World};
use concord::lab::emulate::{AppHandle, Emulated, listen_by};
use concord::net::Http;
use concord::ports::{Clock, ManualClock, SeededIds, SystemClock, SystemEntropy};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{
    Account, AccountStatus, LeaseKey, LeaseKind, MemoryStore, Store, Workspace, WorkspaceId,
};
use tokio::sync::Notify;

const HOME: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(7));
const ELSEWHERE: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(8));
const ANA: By<'static> = By { workspace: HOME, subject: "ana" };
const PUBLIC: &str = "https://sync.example.com";
const DAY: Duration = Duration::from_secs(86_400);
const TOKEN_PATH: &str = "/oauth2/access_token";

/// Holds back one answer of Kommo's token endpoint once it is shut.
#[derive(Clone, Default)]
struct Door {
    is_shut: Arc<AtomicBool>,
    arrived: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Door {
    fn shut(&self) {
        self.is_shut.store(true, Ordering::SeqCst);
    }

    fn before(self, router: axum::Router) -> axum::Router {
        router.layer(from_fn(move |request: Request, next: Next| {
            let door = self.clone();
            async move {
                let is_token = request.uri().path() == TOKEN_PATH;
                let answer = next.run(request).await;
                if is_token && door.is_shut.swap(false, Ordering::SeqCst) {
                    door.arrived.notify_one();
                    door.opened.notified().await;
                }
                answer
            }
        }))
    }
}

struct House {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    key: MasterKey,
    kommo: kommo::Emulator,
    zoho: zoho::Emulator,
    overrides: Overrides,
    registrations: Registrations,
    door: Door,
}

/// What one process has of it.
struct Process {
    accounts: Arc<Accounts>,
    authorizations: Authorizations,
}

impl House {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        for (id, name) in [(HOME, "home"), (ELSEWHERE, "elsewhere")] {
            store.add_workspace(&Workspace { id, name: name.to_owned() }).await.unwrap();
        }
        let door = Door::default();
        let left = listen_by(Emulated::Kommo, 0, clock.clone()).await.unwrap();
        let right = listen_by(Emulated::Zoho, 0, clock.clone()).await.unwrap();
        let overrides = Overrides::default()
            .with_address("kommo", &left.address)
            .with_address("zoho", &right.address)
            .with_address("zoho_accounts", &right.address);
        let (AppHandle::Kommo(kommo), AppHandle::Zoho(zoho)) =
            (left.app.clone(), right.app.clone())
        else {
            panic!("other apps")
        };
        kommo.set_redirect_uri(&format!("{PUBLIC}/oauth/callback/kommo"));
        let guard = door.clone();
        let left = left.behind(|router| guard.before(router));
        for listening in [left, right] {
            #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
            tokio::spawn(listening.serve());
        }
        let registrations = Registrations::default()
            .with("kommo", kommo::CLIENT_ID, kommo::CLIENT_SECRET)
            .with("zoho", zoho::CLIENT_ID, zoho::CLIENT_SECRET);
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        Self { store, clock, key, kommo, zoho, overrides, registrations, door }
    }

    fn process(&self, name: &str) -> Process {
        self.process_with(name, self.registrations.clone())
    }

    fn process_with(&self, name: &str, registrations: Registrations) -> Process {
        let entropy = Arc::new(SystemEntropy);
        let sealer = Sealer::new(self.key.clone(), Vec::new(), entropy.clone());
        let clock = self.clock.clone();
        let overrides = self.overrides.clone();
        let world = World { http: Http::new().unwrap(), clock, overrides, registrations };
        let ids = Arc::new(SeededIds::new(name.len() as u64));
        let accounts = Arc::new(Accounts::new(self.store.clone(), sealer, world, ids, name));
        let public_url = Some(PUBLIC.to_owned());
        let authorizations = Authorizations::new(accounts.clone(), entropy, public_url);
        Process { accounts, authorizations }
    }

    /// Where the app sends the browser after a person was asked: the query of that address.
    fn asked(&self, app: &str, url: &str, agrees: bool) -> String {
        let back = match app {
            "kommo" => self.kommo.consent(url, agrees),
            _ => self.zoho.consent(url, agrees),
        };
        let back = back.unwrap_or_else(|| panic!("an error instead of the consent page: {url}"));
        let (page, query) = back.split_once('?').unwrap();
        assert_eq!(page, format!("{PUBLIC}/oauth/callback/{app}"));
        query.to_owned()
    }

    /// A person sets out and consents; with what they come back.
    async fn consent(&self, process: &Process, begin: Begin<'_>) -> String {
        let begun = process.authorizations.begin(ANA, &begin).await.unwrap();
        self.asked(begin.app, &begun.url, true)
    }

    async fn authorize(&self, process: &Process, app: &str) -> Account {
        let query = self.consent(process, Begin { app, ..Begin::default() }).await;
        process.authorizations.finish(app, &query, None).await.unwrap()
    }

    async fn status(&self, account: &Account) -> AccountStatus {
        self.store.account(account.workspace, account.id).await.unwrap().status
    }

    /// How often tokens were asked for.
    fn token_requests(&self) -> usize {
        let kommo = self.kommo.requests();
        let kommo = kommo.iter().filter(|request| request.path == TOKEN_PATH).count();
        let zoho = self.zoho.requests();
        kommo + zoho.iter().filter(|request| request.path.ends_with("/token")).count()
    }

    async fn open(&self, process: &Process, account: &Account) -> Arc<dyn Connector> {
        process.accounts.open(HOME, account.id).await.unwrap()
    }

    fn lose(&self, kind: kommo::FaultKind) {
        let path = Some(TOKEN_PATH.to_owned());
        self.kommo.order(kommo::Fault { method: None, path, after: 0, times: 1, kind });
    }

    /// A Kommo account whose key has run out, opened.
    async fn stale(&self, process: &Process) -> (Account, Arc<dyn Connector>) {
        let account = self.authorize(process, "kommo").await;
        let connector = self.open(process, &account).await;
        self.clock.advance(DAY);
        (account, connector)
    }
}

/// The query with another value of a parameter.
fn with(query: &str, name: &str, value: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    let pairs = pairs.map(|(known, old)| match known == name {
        true => (known, value.to_owned()),
        false => (known, old),
    });
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[tokio::test]
async fn a_consent_connects_an_account_whose_keys_are_renewed() {
    let house = House::new().await;
    let process = house.process("one");
    for app in ["kommo", "zoho"] {
        let begin = Begin { app, label: Some("Sales"), ..Begin::default() };
        let query = house.consent(&process, begin).await;
        let account = process.authorizations.finish(app, &query, None).await.unwrap();
        assert_eq!((account.app.as_str(), account.label.as_str()), (app, "Sales"));
        assert_eq!((account.workspace, account.status.clone()), (HOME, AccountStatus::Connected));
        for _ in 0..3 {
            house.clock.advance(DAY);
            house.open(&process, &account).await.check().await.unwrap();
        }
        // Another process goes on with what the first wrote down.
        house.clock.advance(DAY);
        let other = house.process("another");
        house.open(&other, &account).await.check().await.unwrap();
        house.clock.advance(DAY);
        house.open(&process, &account).await.check().await.unwrap();
    }
}

#[tokio::test]
async fn a_state_is_good_once_for_who_began_it_and_for_ten_minutes() {
    let house = House::new().await;
    let process = house.process("one");
    let ways = &process.authorizations;
    let begin = Begin { app: "kommo", ..Begin::default() };
    let query = house.consent(&process, begin).await;
    let before = house.token_requests();
    let unknown = |outcome: Result<Account, Error>| {
        assert!(matches!(outcome, Err(Error::UnknownState)), "{outcome:?}");
    };
    unknown(ways.finish("kommo", &with(&query, "state", "guessed"), None).await);
    unknown(ways.finish("kommo", "code=def500", None).await);
    unknown(ways.finish("kommo", &format!("{query}&state=twice"), None).await);
    unknown(ways.finish("zoho", &query, None).await);
    unknown(ways.finish("kommo", &query, Some(By { subject: "ben", ..ANA })).await);
    unknown(ways.finish("kommo", &query, Some(By { workspace: ELSEWHERE, ..ANA })).await);
    assert_eq!(house.token_requests(), before, "no code was shown to anybody");
    // None of them used it up.
    ways.finish("kommo", &query, Some(ANA)).await.unwrap();
    let fresh = with(&query, "code", &house.kommo.grant_code());
    unknown(ways.finish("kommo", &fresh, Some(ANA)).await);

    for (seconds, is_good) in [(599, true), (600, false)] {
        let query = house.consent(&process, begin).await;
        house.clock.advance(Duration::from_secs(seconds));
        let outcome = ways.finish("kommo", &query, None).await;
        assert_eq!(outcome.is_ok(), is_good, "after {seconds} seconds: {outcome:?}");
    }
    assert!(house.store.accounts(ELSEWHERE).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_two_who_come_back_with_the_same_state_one_is_taken() {
    let house = House::new().await;
    let (one, two) = (house.process("one"), house.process("second"));
    let query = house.consent(&one, Begin { app: "kommo", ..Begin::default() }).await;
    let (first, second) = tokio::join!(
        one.authorizations.finish("kommo", &query, None),
        two.authorizations.finish("kommo", &query, None),
    );
    assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    assert_eq!(house.token_requests(), 1);
}

#[tokio::test]
async fn two_states_are_never_the_same_and_are_not_kept() {
    let house = House::new().await;
    let process = house.process("one");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let begin = Begin { app: "kommo", ..Begin::default() };
        let begun = process.authorizations.begin(ANA, &begin).await.unwrap();
        let (_, query) = begun.url.split_once('?').unwrap();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let state = pairs.find(|(name, _)| name == "state").unwrap().1.into_owned();
        assert_eq!(state.len(), 43, "256 bits in Base64");
        let hash = *blake3::hash(state.as_bytes()).as_bytes();
        let kept = house.store.authorization_request(&hash).await.unwrap().unwrap();
        assert_eq!((kept.workspace, kept.actor.as_str()), (HOME, "ana"));
        assert!(!format!("{kept:?}").contains("ana"), "nobody is named in a log");
        assert!(seen.insert(state));
    }
}

#[tokio::test]
async fn a_code_and_a_secret_are_sent_to_hosts_of_the_vendor_only() {
    let house = House::new().await;
    let process = house.process("one");
    let hostile = [
        ("kommo", "referer", "evil.example", "host_not_kommo"),
        ("kommo", "referer", "demo.kommo.com.evil.example", "host_not_kommo"),
        ("kommo", "referer", "evil.example/.kommo.com", "host_not_kommo"),
        ("kommo", "referer", "demo", "host_not_kommo"),
        ("kommo", "referer", "", "host_not_kommo"),
        ("zoho", "accounts-server", "https://accounts.evil.example", "accounts_server_not_zoho"),
        ("zoho", "accounts-server", "https://accounts.zoho.com", "accounts_server_not_zoho"),
        ("zoho", "location", "mars", "accounts_server_not_zoho"),
    ];
    for (app, name, value, code) in hostile {
        let query = house.consent(&process, Begin { app, ..Begin::default() }).await;
        let query = with(&query, name, value);
        let error = process.authorizations.finish(app, &query, None).await.unwrap_err();
        assert_eq!(error.code(), code, "{app} {name} {value}");
        let Error::App(error) = error else { panic!("{error}") };
        assert!(error.kind == ErrorKind::Config && error.advice.is_some(), "{error}");
    }
    assert_eq!(house.token_requests(), 0);
    assert!(house.store.accounts(HOME).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_code_that_the_app_does_not_take_connects_nothing() {
    let house = House::new().await;
    let process = house.process("one");
    for (app, code) in [("kommo", "code_refused"), ("zoho", "invalid_code")] {
        let query = house.consent(&process, Begin { app, ..Begin::default() }).await;
        let query = with(&query, "code", "of another consent");
        let error = process.authorizations.finish(app, &query, None).await.unwrap_err();
        assert_eq!(error.code(), code);
        let Error::App(error) = error else { panic!("{error}") };
        assert!(error.advice.is_some(), "{code} does not say what to do");
    }
    // A client whose secret is wrong, and one that came back somewhere else.
    let clients = Registrations::default().with("kommo", kommo::CLIENT_ID, "wrong");
    let wrong = house.process_with("wrong", clients);
    let query = house.consent(&wrong, Begin { app: "kommo", ..Begin::default() }).await;
    let error = wrong.authorizations.finish("kommo", &query, None).await.unwrap_err();
    assert_eq!(error.code(), "code_refused");
    let redirect_uri = Some("https://app.example.com/connected");
    let begin = Begin { app: "kommo", redirect_uri, ..Begin::default() };
    let query = house.consent(&process, begin).await;
    let error = process.authorizations.finish("kommo", &query, None).await.unwrap_err();
    assert_eq!(error.code(), "code_refused");
    assert!(house.store.accounts(HOME).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_person_who_does_not_consent_is_believed_and_may_begin_again() {
    let house = House::new().await;
    let process = house.process("one");
    for app in ["kommo", "zoho"] {
        let begin = Begin { app, ..Begin::default() };
        let begun = process.authorizations.begin(ANA, &begin).await.unwrap();
        let query = house.asked(app, &begun.url, false);
        let error = process.authorizations.finish(app, &query, None).await.unwrap_err();
        assert!(matches!(error, Error::NoConsent), "{error}");
        house.authorize(&process, app).await;
    }
}

#[tokio::test]
async fn what_cannot_be_begun_is_named() {
    let house = House::new().await;
    let process = house.process("one");
    let begin = async |begin: Begin<'_>| process.authorizations.begin(ANA, &begin).await.err();
    let kommo = Begin { app: "kommo", ..Begin::default() };
    assert!(matches!(begin(Begin { app: "abacus", ..kommo }).await, Some(Error::NoSuchApp(_))));
    let redirect_uri = Some("javascript:alert(1)");
    assert!(matches!(begin(Begin { redirect_uri, ..kommo }).await, Some(Error::BadRedirect)));
    let place = Some("acme.evil.example");
    assert_eq!(begin(Begin { place, ..kommo }).await.unwrap().code(), "host_not_kommo");
    let nowhere = Begin { app: "zoho", place: Some("mars"), ..Begin::default() };
    assert_eq!(begin(nowhere).await.unwrap().code(), "unknown_data_centre");
    let account = house.authorize(&process, "zoho").await;
    let of_zoho = Begin { account: Some(account.id), ..kommo };
    assert!(matches!(begin(of_zoho).await, Some(Error::OtherApp)));
    let foreign = By { workspace: ELSEWHERE, ..ANA };
    let begin = Begin { app: "zoho", account: Some(account.id), ..Begin::default() };
    let error = process.authorizations.begin(foreign, &begin).await.err().unwrap();
    assert!(matches!(error, Error::Store(_)), "{error}");

    let none = house.process_with("none", Registrations::default());
    let error = none.authorizations.begin(ANA, &kommo).await.err().unwrap();
    assert!(error.to_string().contains("CONCORD_APP_KOMMO_CLIENT_ID"), "{error}");
    let nowhere = Authorizations::new(process.accounts.clone(), Arc::new(SystemEntropy), None);
    let error = nowhere.begin(ANA, &kommo).await.err().unwrap();
    assert!(error.to_string().contains("CONCORD_PUBLIC_URL"), "{error}");
    let redirect_uri = Some("https://app.example.com/connected");
    nowhere.begin(ANA, &Begin { redirect_uri, ..kommo }).await.unwrap();
}

#[tokio::test]
async fn a_consent_for_an_account_that_is_there_reconnects_it() {
    let house = House::new().await;
    let process = house.process("one");
    let typed =
        Credentials::default().with("host", "demo.kommo.com").with("token", &house.kommo.token());
    let account = process.accounts.connect(HOME, "kommo", &typed, Some("Ours")).await.unwrap();
    let again = house.authorize(&process, "kommo").await;
    assert_eq!((again.id, again.label.as_str()), (account.id, "Ours"));
    // From now on with keys that can be renewed.
    house.kommo.revoke_token(&house.kommo.token());
    house.clock.advance(DAY);
    house.open(&process, &account).await.check().await.unwrap();

    // A consent that is asked for one account is taken from no other.
    let mut other = Account::new(HOME, account.id, "kommo", "another", house.clock.now());
    other.id = concord::store::AccountId(uuid::Uuid::from_u128(9));
    house.store.add_account(&other, b"").await.unwrap();
    let begin = Begin { app: "kommo", account: Some(other.id), ..Begin::default() };
    let query = house.consent(&process, begin).await;
    let error = process.authorizations.finish("kommo", &query, None).await.unwrap_err();
    assert!(matches!(error, Error::OtherAccount), "{error}");
}

#[tokio::test]
async fn two_processes_with_a_one_time_token_use_it_once() {
    let house = House::new().await;
    let (one, two) = (house.process("one"), house.process("second"));
    let account = house.authorize(&one, "kommo").await;
    let (first, second) = (house.open(&one, &account).await, house.open(&two, &account).await);
    for round in 1..=5 {
        let before = house.token_requests();
        match round % 2 {
            0 => house.kommo.expire_access_tokens(),
            _ => house.clock.advance(DAY),
        }
        // Two keys in quick succession are not asked for.
        house.clock.advance(Duration::from_secs(120));
        // Each asks twice, and once more when its key is refused: Kommo answers seven in a second.
        let (a, b) = tokio::join!(first.check(), second.check());
        for identity in [a, b] {
            identity.unwrap();
        }
        assert_eq!(house.token_requests() - before, 1, "round {round}");
    }
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
}

#[tokio::test]
async fn a_refresh_whose_answer_got_lost_needs_reconnecting_and_one_that_never_arrived_does_not() {
    let house = House::new().await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    house.lose(kommo::FaultKind::LostBefore);
    connector.check().await.unwrap();
    assert_eq!(house.status(&account).await, AccountStatus::Connected);

    house.clock.advance(DAY);
    house.lose(kommo::FaultKind::LostAfter);
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Unauthorised, "refresh_answer_lost"));
    assert!(error.advice.is_some());
    let status = house.status(&account).await;
    assert!(
        matches!(&status, AccountStatus::NeedsReconnecting { code, .. } if code == "refresh_answer_lost"),
        "{status:?}"
    );
    // A new consent brings it back, under the same id.
    assert_eq!(house.authorize(&process, "kommo").await.id, account.id);
    house.open(&process, &account).await.check().await.unwrap();
}

#[tokio::test]
async fn an_integration_that_was_taken_away_needs_reconnecting() {
    let house = House::new().await;
    let process = house.process("one");
    let account = house.authorize(&process, "kommo").await;
    let connector = house.open(&process, &account).await;
    house.kommo.uninstall();
    let error = connector.check().await.unwrap_err();
    let told = (error.kind, error.code.as_str());
    assert_eq!(told, (ErrorKind::Unauthorised, "refresh_token_refused"));
    let opened = process.accounts.open(HOME, account.id).await;
    assert!(matches!(opened, Err(Error::NotConnected)));
}

#[tokio::test]
async fn a_client_that_the_operator_took_away_costs_no_consent() {
    let house = House::new().await;
    let process = house.process("one");
    for app in ["kommo", "zoho"] {
        let account = house.authorize(&process, app).await;
        house.clock.advance(DAY);
        let none = house.process_with("none", Registrations::default());
        let error = house.open(&none, &account).await.check().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Config, "other_client"));
        let id = if app == "kommo" { kommo::CLIENT_ID } else { zoho::CLIENT_ID };
        let wrong = Registrations::default().with(app, id, "wrong");
        let wrong = house.process_with("wrong", wrong);
        let error = house.open(&wrong, &account).await.check().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert_eq!(house.status(&account).await, AccountStatus::Connected);
        house.open(&house.process("mended"), &account).await.check().await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_that_nobody_waits_for_any_more_is_written_down() {
    let house = House::new().await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    let before = house.token_requests();
    house.door.shut();
    #[expect(clippy::disallowed_methods, reason = "it is cut off")]
    let call = tokio::spawn(async move { connector.check().await });
    // Kommo has given the new pair, and the old one is dead.
    house.door.arrived.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    house.door.opened.notify_one();
    let other = house.process("second");
    house.open(&other, &account).await.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1);
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
}

#[tokio::test]
async fn a_pair_that_could_not_be_written_down_is_written_down_later() {
    let house = House::new().await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    let before = house.token_requests();
    house.door.shut();
    #[expect(clippy::disallowed_methods, reason = "it is waited for")]
    let call = tokio::spawn({
        let connector = connector.clone();
        async move { connector.check().await }
    });
    house.door.arrived.notified().await;
    // The lease runs out meanwhile, and somebody else has it.
    house.clock.advance(Duration::from_secs(3600));
    let key = LeaseKey { workspace: HOME, kind: LeaseKind::Account, subject: account.id.0 };
    let ttl = Duration::from_secs(60);
    let held = house.store.acquire(&key, "another", ttl).await.unwrap().unwrap();
    house.door.opened.notify_one();
    assert_eq!(call.await.unwrap().unwrap_err().kind, ErrorKind::Unavailable);
    house.store.release(&held).await.unwrap();
    connector.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1, "the token is good once");
    let other = house.process("second");
    house.open(&other, &account).await.check().await.unwrap();
}
