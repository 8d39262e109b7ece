//! Accounts that are authorized by a person's consent, and Kommo's refresh tokens, which are good once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use concord::accounts::{Accounts, Authorizations, Begin, By, Error, Names};
use concord::connectors::kommo::emulator as kommo;
use concord::connectors::zoho::emulator as zoho;
use concord::connectors::{Connector, Credentials, ErrorKind, Overrides, Registrations, World};
use concord::lab::emulate::{AppHandle, Emulated, listen_by};
use concord::net::Http;
use concord::ports::{Clock, ManualClock, SeededIds, SystemClock, SystemEntropy};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{Account, AccountStatus, MemoryStore, Store, Workspace, WorkspaceId};
use tokio::sync::Notify;

pub const HOME: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(7));
pub const ELSEWHERE: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(8));
pub const ANA: By<'static> = By { workspace: HOME, subject: "ana" };
pub const PUBLIC: &str = "https://sync.example.com";
pub const DAY: Duration = Duration::from_secs(86_400);
pub const TOKEN_PATH: &str = "/oauth2/access_token";

/// Holds back one answer of Kommo's token endpoint once it is shut.
#[derive(Clone, Default)]
pub struct Door {
    is_shut: Arc<AtomicBool>,
    pub arrived: Arc<Notify>,
    pub opened: Arc<Notify>,
}

impl Door {
    pub fn shut(&self) {
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

pub struct House {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    key: MasterKey,
    pub kommo: kommo::Emulator,
    pub zoho: zoho::Emulator,
    overrides: Overrides,
    registrations: Registrations,
    pub door: Door,
}

/// What one process has of it.
pub struct Process {
    pub accounts: Arc<Accounts>,
    pub authorizations: Authorizations,
}

impl House {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self::at(Arc::new(MemoryStore::new(clock.clone())), clock).await
    }

    pub async fn with(store: Arc<dyn Store>) -> Self {
        Self::at(store, Arc::new(ManualClock::at(SystemClock.now()))).await
    }

    async fn at(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
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

    pub fn process(&self, name: &str) -> Process {
        self.process_with(name, self.registrations.clone())
    }

    pub fn process_with(&self, name: &str, registrations: Registrations) -> Process {
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
    pub fn asked(&self, app: &str, url: &str, agrees: bool) -> String {
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
    pub async fn consent(&self, process: &Process, begin: Begin<'_>) -> String {
        // Kommo answers seven requests in a second.
        self.clock.advance(Duration::from_secs(1));
        let begun = process.authorizations.begin(ANA, &begin).await.unwrap();
        self.asked(begin.app, &begun.url, true)
    }

    pub async fn authorize(&self, process: &Process, app: &str) -> Account {
        let query = self.consent(process, Begin { app, ..Begin::default() }).await;
        process.authorizations.come_back(app, &query).await.account.unwrap()
    }

    pub async fn status(&self, account: &Account) -> AccountStatus {
        self.store.account(account.workspace, account.id).await.unwrap().status
    }

    /// How often tokens were asked for.
    pub fn token_requests(&self) -> usize {
        let kommo = self.kommo.requests();
        let kommo = kommo.iter().filter(|request| request.path == TOKEN_PATH).count();
        let zoho = self.zoho.requests();
        kommo + zoho.iter().filter(|request| request.path.ends_with("/token")).count()
    }

    pub async fn open(&self, process: &Process, account: &Account) -> Arc<dyn Connector> {
        process.accounts.open(HOME, account.id).await.unwrap()
    }

    pub fn lose(&self, kind: kommo::FaultKind) {
        let path = Some(TOKEN_PATH.to_owned());
        self.kommo.order(kommo::Fault { method: None, path, after: 0, times: 1, kind });
    }

    /// The next request for a token is answered with this status, and does nothing.
    pub fn answer_token_with(&self, status: u16) {
        let (body, content_type) = (String::new(), "text/html");
        self.lose(kommo::FaultKind::Status { status, body, content_type, retry_after: None });
    }

    /// A Kommo account whose key has run out, opened.
    pub async fn stale(&self, process: &Process) -> (Account, Arc<dyn Connector>) {
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
        let account = process.authorizations.come_back(app, &query).await.account.unwrap();
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
    unknown(ways.come_back("kommo", &with(&query, "state", "guessed")).await.account);
    unknown(ways.come_back("kommo", "code=def500").await.account);
    unknown(ways.come_back("kommo", &format!("{query}&state=twice")).await.account);
    unknown(ways.come_back("zoho", &query).await.account);
    unknown(ways.finish("kommo", &query, By { subject: "ben", ..ANA }).await);
    unknown(ways.finish("kommo", &query, By { workspace: ELSEWHERE, ..ANA }).await);
    assert_eq!(house.token_requests(), before, "no code was shown to anybody");
    // None of them used it up.
    ways.finish("kommo", &query, ANA).await.unwrap();
    let fresh = with(&query, "code", &house.kommo.grant_code());
    unknown(ways.finish("kommo", &fresh, ANA).await);

    for (seconds, is_good) in [(599, true), (600, false)] {
        let query = house.consent(&process, begin).await;
        house.clock.advance(Duration::from_secs(seconds));
        let outcome = ways.come_back("kommo", &query).await.account;
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
        one.authorizations.come_back("kommo", &query),
        two.authorizations.come_back("kommo", &query),
    );
    let (first, second) = (first.account, second.account);
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
        let error = process.authorizations.come_back(app, &query).await.account.unwrap_err();
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
        let error = process.authorizations.come_back(app, &query).await.account.unwrap_err();
        assert_eq!(error.code(), code);
        let Error::App(error) = error else { panic!("{error}") };
        assert!(error.advice.is_some(), "{code} does not say what to do");
    }
    // A client whose secret is wrong, and one that came back somewhere else.
    let clients = Registrations::default().with("kommo", kommo::CLIENT_ID, "wrong");
    let wrong = house.process_with("wrong", clients);
    let query = house.consent(&wrong, Begin { app: "kommo", ..Begin::default() }).await;
    let error = wrong.authorizations.come_back("kommo", &query).await.account.unwrap_err();
    assert_eq!(error.code(), "code_refused");
    let redirect_uri = Some("https://app.example.com/connected");
    let begin = Begin { app: "kommo", redirect_uri, ..Begin::default() };
    let query = house.consent(&process, begin).await;
    let error = process.authorizations.finish("kommo", &query, ANA).await.unwrap_err();
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
        let error = process.authorizations.come_back(app, &query).await.account.unwrap_err();
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
    let account = process
        .accounts
        .connect(HOME, "kommo", &typed, Names { label: Some("Ours"), email: None })
        .await
        .unwrap();
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
    let error = process.authorizations.come_back("kommo", &query).await.account.unwrap_err();
    assert!(matches!(error, Error::OtherAccount), "{error}");
}

#[tokio::test]
async fn who_is_to_come_back_to_a_front_end_is_not_taken_here() {
    let house = House::new().await;
    let process = house.process("one");
    let page = "https://app.example.com/connected";
    let begin = Begin { app: "zoho", redirect_uri: Some(page), ..Begin::default() };
    let begun = process.authorizations.begin(ANA, &begin).await.unwrap();
    let back = house.zoho.consent(&begun.url, true).unwrap();
    let query = back.strip_prefix(page).unwrap();
    let before = house.token_requests();
    let taken = process.authorizations.come_back("zoho", query).await.account;
    assert!(matches!(taken, Err(Error::UnknownState)), "it takes a token: {taken:?}");
    assert_eq!(house.token_requests(), before);
    process.authorizations.finish("zoho", query, ANA).await.unwrap();
}

#[tokio::test]
async fn a_consent_whose_page_is_closed_too_soon_connects_the_account_all_the_same() {
    let house = House::new().await;
    let process = house.process("one");
    let query = house.consent(&process, Begin { app: "kommo", ..Begin::default() }).await;
    house.door.shut();
    let accounts = process.accounts.clone();
    #[expect(clippy::disallowed_methods, reason = "it is cut off")]
    let page =
        tokio::spawn(
            async move { process.authorizations.come_back("kommo", &query).await.account },
        );
    house.door.arrived.notified().await;
    page.abort();
    assert!(page.await.unwrap_err().is_cancelled());
    // A server that ends waits for it.
    let ending = accounts.settled();
    tokio::pin!(ending);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut ending).await;
    assert!(early.is_err(), "the app has not answered yet");
    assert!(house.store.accounts(HOME).await.unwrap().is_empty());
    house.door.opened.notify_one();
    ending.await;
    let known = house.store.accounts(HOME).await.unwrap();
    assert_eq!(known.len(), 1);
    house.open(&house.process("another"), &known[0]).await.check().await.unwrap();
}

#[tokio::test]
async fn of_two_consents_for_one_new_account_the_later_reconnects_it() {
    let house = House::new().await;
    let (one, two) = (house.process("one"), house.process("second"));
    let begin = Begin { app: "zoho", ..Begin::default() };
    let (first, second) = (house.consent(&one, begin).await, house.consent(&two, begin).await);
    let (first, second) = tokio::join!(
        one.authorizations.come_back("zoho", &first),
        two.authorizations.come_back("zoho", &second),
    );
    assert_eq!(first.account.unwrap().id, second.account.unwrap().id);
    assert_eq!(house.store.accounts(HOME).await.unwrap().len(), 1);
}

#[tokio::test]
async fn people_are_sent_on_only_to_what_the_operator_allows() {
    let house = House::new().await;
    let process = house.process("one");
    let allowed = ["https://app.example.com/done/", "http://localhost:3000"].map(str::to_owned);
    let ways = Authorizations::new(
        process.accounts.clone(),
        Arc::new(SystemEntropy),
        Some(PUBLIC.to_owned()),
    );
    let ways = ways.returning_to(allowed.to_vec());
    let begin = async |return_url: &str| {
        let begin = Begin { app: "kommo", return_url: Some(return_url), ..Begin::default() };
        ways.begin(ANA, &begin).await
    };
    for good in [
        "https://app.example.com/done",
        "https://app.example.com/done/?step=2",
        "https://app.example.com/done/deeper",
        "http://localhost:3000?x",
        "http://localhost:3000/any",
    ] {
        let begun = begin(good).await.unwrap();
        let query = house.asked("kommo", &begun.url, false);
        let back = ways.come_back("kommo", &query).await;
        assert!(matches!(back.account, Err(Error::NoConsent)));
        assert_eq!(back.return_url.as_deref(), Some(good));
    }
    for bad in [
        "https://app.example.com/donejust",
        "https://app.example.com.evil.example/done",
        "https://app.example.com/",
        "http://localhost:30001",
        "http://localhost:3000@evil.example/",
        "https://app.example.com/done/../other",
        "https://app.example.com/done/%2E%2e/other",
        "https://app.example.com/done/..\\other",
        "javascript:alert(1)",
        "http://localhost:3000/#x",
        "",
    ] {
        assert!(matches!(begin(bad).await, Err(Error::BadReturn)), "{bad}");
    }
    let begin = Begin { app: "kommo", return_url: Some(&allowed[0]), ..Begin::default() };
    let none = process.authorizations.begin(ANA, &begin).await;
    assert!(matches!(none, Err(Error::BadReturn)), "nothing is allowed unless it is said");
}

#[tokio::test]
async fn another_user_than_the_one_who_was_expected_is_refused() {
    let house = House::new().await;
    let process = house.process("one");
    for app in ["kommo", "zoho"] {
        let with = async |email: &str| {
            let begin = Begin { app, email: Some(email), ..Begin::default() };
            let query = house.consent(&process, begin).await;
            process.authorizations.come_back(app, &query).await.account
        };
        let before = house.store.accounts(HOME).await.unwrap();
        let other = with("somebody.else@example.com").await.unwrap_err();
        assert!(matches!(other, Error::OtherUser), "{other}");
        assert!(!other.to_string().contains("somebody"), "people are not named");
        assert_eq!(house.store.accounts(HOME).await.unwrap(), before);

        let account = house.authorize(&process, app).await;
        let owner = account.owner_email.clone().unwrap();
        let same = with(&format!(" {} ", owner.to_uppercase())).await.unwrap();
        assert_eq!(same.id, account.id);
        process.accounts.check(HOME, account.id).await.unwrap();
        let other = with("somebody.else@example.com").await.unwrap_err();
        assert!(matches!(other, Error::OtherUser), "{other}");
        // What it was got with stays good.
        process.accounts.check(HOME, account.id).await.unwrap();

        // Meanwhile the account passed to another user.
        let known = house.store.account(HOME, account.id).await.unwrap();
        let expected_email = Some("before@example.com".to_owned());
        house.store.set_account(&Account { expected_email, ..known }).await.unwrap();
        let told = process.accounts.check(HOME, account.id).await.unwrap_err();
        assert!(matches!(told, Error::OtherUser), "{told}");
        if app == "kommo" {
            let token = house.kommo.token();
            let typed = Credentials::default().with("host", "demo.kommo.com").with("token", &token);
            let reconnect =
                async |email| process.accounts.reconnect(HOME, account.id, &typed, email).await;
            house.clock.advance(Duration::from_secs(1));
            let other = reconnect(None).await;
            assert!(matches!(other, Err(Error::OtherUser)), "{other:?}");
            house.clock.advance(Duration::from_secs(1));
            let any = reconnect(Some("")).await.unwrap();
            assert_eq!(any.expected_email, None);
            process.accounts.check(HOME, account.id).await.unwrap();
        }
        house.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_consent_with_too_few_scopes_connects_nothing() {
    let house = House::new().await;
    let process = house.process("one");
    house.zoho.give_only("ZohoCRM.modules.contacts.READ ZohoCRM.users.READ");
    let query = house.consent(&process, Begin { app: "zoho", ..Begin::default() }).await;
    let error = process.authorizations.come_back("zoho", &query).await.account.unwrap_err();
    assert_eq!(error.code(), "scope_missing");
    assert!(house.store.accounts(HOME).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_person_consented_to_is_given_back_and_what_was_typed_in_is_not() {
    let house = House::new().await;
    let process = house.process("one");
    let typed = house.zoho.refresh_token();
    let account = house.authorize(&process, "zoho").await;
    assert_ne!(house.zoho.refresh_token(), typed, "the consent gave another");
    process.accounts.disconnect(HOME, account.id).await.unwrap();
    assert_eq!(house.zoho.refresh_token(), typed, "that one is worth nothing any more");

    let credentials = Credentials::default()
        .with("data_centre", "eu")
        .with("client_id", zoho::CLIENT_ID)
        .with("client_secret", zoho::CLIENT_SECRET)
        .with("refresh_token", &typed);
    let connected = process.accounts.connect(HOME, "zoho", &credentials, Names::default()).await;
    process.accounts.disconnect(HOME, connected.unwrap().id).await.unwrap();
    assert_eq!(house.zoho.refresh_token(), typed, "others may use it");

    // Whoever is not answered leaves all the same.
    let account = house.authorize(&process, "zoho").await;
    let given = house.zoho.refresh_token();
    house.zoho.order(zoho::Fault {
        method: None,
        path: Some("/oauth/v2/token/revoke".to_owned()),
        after: 0,
        times: 1,
        kind: zoho::FaultKind::LostBefore,
    });
    process.accounts.disconnect(HOME, account.id).await.unwrap();
    assert!(matches!(house.status(&account).await, AccountStatus::Disconnected { .. }));
    assert!(house.store.credentials(HOME, account.id).await.is_err());
    assert_eq!(house.zoho.refresh_token(), given);
}
