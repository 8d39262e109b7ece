//! Accounts against an emulator: what is kept of them, who renews their keys, and what happens when an
//! app accepts them no more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod oauth;
mod refreshing;
mod registered;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use concord::accounts::{Accounts, Error, Names};
use concord::connectors::zoho::emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, Fault, FaultKind};
use concord::connectors::{Credentials, ErrorKind, Overrides, Registrations, World};
use concord::lab::emulate::{AppHandle, Emulated, listen};
use concord::net::Http;
use concord::ports::{Clock, ManualClock, SeededIds, SystemClock, SystemEntropy};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{AccountStatus, SqlStore, Store, Workspace, WorkspaceId};

const HOME: WorkspaceId = WorkspaceId(uuid::Uuid::from_u128(7));

struct House {
    folder: std::path::PathBuf,
    store: Arc<dyn Store>,
    key: MasterKey,
    app: Emulator,
    overrides: Overrides,
}

impl House {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("concord-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("house.sqlite").display());
        let store: Arc<dyn Store> = Arc::new(SqlStore::open(&url).await.unwrap());
        store.add_workspace(&Workspace { id: HOME, name: "home".to_owned() }).await.unwrap();
        let listening = listen(Emulated::Zoho, 0).await.unwrap();
        let AppHandle::Zoho(app) = listening.app.clone() else { panic!("not zoho") };
        let overrides = Overrides::default()
            .with_address("zoho", &listening.address)
            .with_address("zoho_accounts", &listening.address);
        #[expect(clippy::disallowed_methods, reason = "the server ends with the test's runtime")]
        tokio::spawn(listening.serve());
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        Self { folder, store, key, app, overrides }
    }

    /// What one process has of it.
    fn process(&self, name: &str) -> Accounts {
        self.process_at(name, Arc::new(SystemClock))
    }

    /// The same, by another clock.
    fn process_at(&self, name: &str, clock: Arc<dyn Clock>) -> Accounts {
        let sealer = Sealer::new(self.key.clone(), Vec::new(), Arc::new(SystemEntropy));
        let (overrides, registrations) = (self.overrides.clone(), Registrations::default());
        let world = World { http: Http::new().unwrap(), clock, overrides, registrations };
        let seed = name.len() as u64;
        Accounts::new(self.store.clone(), sealer, world, Arc::new(SeededIds::new(seed)), name)
    }

    fn typed(&self) -> Credentials {
        Credentials::default()
            .with("data_centre", "eu")
            .with("client_id", CLIENT_ID)
            .with("client_secret", CLIENT_SECRET)
            .with("refresh_token", &self.app.refresh_token())
    }

    fn token_requests(&self) -> usize {
        self.app.requests().iter().filter(|r| r.path.starts_with("/oauth/v2/token")).count()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn nothing_that_opens_an_account_is_readable_in_the_database() {
    let house = House::new("sealed").await;
    let account =
        house.process("one").connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = house.process("two").open(HOME, account.id).await.unwrap();
    connector.check().await.unwrap();
    for file in std::fs::read_dir(&house.folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [CLIENT_SECRET, &house.app.refresh_token(), "\"token\"", "1000."] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} lies open");
        }
    }
    let foreign = MasterKey::generate(&SystemEntropy).unwrap();
    let other = House {
        key: foreign,
        folder: house.folder.join("none"),
        store: house.store.clone(),
        app: house.app.clone(),
        overrides: house.overrides.clone(),
    };
    let refused = other.process("three").open(HOME, account.id).await.err().unwrap();
    assert!(matches!(refused, Error::Sealing(_)), "{refused}");
}

#[tokio::test]
async fn a_wrong_key_keeps_all_from_running_and_a_damaged_secret_only_its_account() {
    let mut house = House::new("wrong-key").await;
    let accounts = house.process("one");
    accounts.check_key().await.unwrap();
    let account = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    accounts.check_key().await.unwrap();
    let right = std::mem::replace(&mut house.key, MasterKey::generate(&SystemEntropy).unwrap());
    let refused = house.process("two").check_key().await.unwrap_err();
    assert!(refused.to_string().contains("start with the key that"), "{refused}");
    let mut sealed = house.store.credentials(HOME, account.id).await.unwrap();
    *sealed.bytes.last_mut().unwrap() ^= 1;
    let (id, generation) = (account.id, sealed.generation);
    house.store.replace_credentials(HOME, id, generation, &sealed.bytes).await.unwrap();
    house.process("three").check_key().await.unwrap_err();
    house.key = right;
    house.process("four").check_key().await.unwrap();
    assert!(house.process("five").open(HOME, account.id).await.is_err());
}

#[tokio::test]
async fn two_processes_with_a_key_that_ran_out_ask_for_one_new_key() {
    let house = House::new("race").await;
    let (one, two) = (house.process("one"), house.process("second"));
    let account = one.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let first = one.open(HOME, account.id).await.unwrap();
    let second = two.open(HOME, account.id).await.unwrap();
    first.check().await.unwrap();
    second.check().await.unwrap();
    let before = house.token_requests();
    house.app.expire_access_tokens();
    let (a, b, c, d) = tokio::join!(first.check(), second.check(), first.check(), second.check());
    for identity in [a, b, c, d] {
        identity.unwrap();
    }
    assert_eq!(house.token_requests() - before, 1);
    // A third process, begun later, finds it.
    let third = house.process("another").open(HOME, account.id).await.unwrap();
    third.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1);
}

/// The time of the machine, standing until it is moved.
fn stopped_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(SystemClock.now()))
}

#[tokio::test]
async fn a_renewal_that_was_refused_is_not_tried_with_every_call() {
    let house = House::new("refused").await;
    let clock = stopped_clock();
    let accounts = house.process_at("one", clock.clone());
    let account = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = accounts.open(HOME, account.id).await.unwrap();
    house.app.revoke_refresh_token();
    house.app.expire_access_tokens();
    let before = house.token_requests();
    for _ in 0..5 {
        assert_eq!(connector.check().await.unwrap_err().kind, ErrorKind::Unauthorised);
    }
    assert_eq!(house.token_requests() - before, 1);
    // It is tried again now and then, each time later: never ten times in ten minutes.
    for _ in 0..20 {
        clock.advance(Duration::from_secs(30));
        assert_eq!(connector.check().await.unwrap_err().kind, ErrorKind::Unauthorised);
    }
    let tries = house.token_requests() - before;
    assert!((3..8).contains(&tries), "{tries}");
}

#[tokio::test]
async fn a_throttled_renewal_waits_for_as_long_as_the_app_says() {
    let house = House::new("throttled").await;
    let clock = stopped_clock();
    let accounts = house.process_at("one", clock.clone());
    let account = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = accounts.open(HOME, account.id).await.unwrap();
    house.app.expire_access_tokens();
    house.app.order(Fault {
        method: None,
        path: Some("/oauth/v2/token".to_owned()),
        after: 0,
        times: 1,
        kind: FaultKind::Status {
            status: 200,
            body: r#"{"error":"Access Denied"}"#.to_owned(),
            content_type: "application/json",
            retry_after: None,
        },
    });
    let before = house.token_requests();
    for _ in 0..3 {
        assert_eq!(connector.check().await.unwrap_err().kind, ErrorKind::RateLimited);
        clock.advance(Duration::from_secs(199));
    }
    assert_eq!(house.token_requests() - before, 1);
    clock.advance(Duration::from_secs(10));
    connector.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 2);
}

#[tokio::test]
async fn a_stored_key_that_ran_out_is_not_given_back() {
    let house = House::new("stored").await;
    let clock = stopped_clock();
    let (one, two) =
        (house.process_at("one", clock.clone()), house.process_at("second", clock.clone()));
    let account = one.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let first = one.open(HOME, account.id).await.unwrap();
    let second = two.open(HOME, account.id).await.unwrap();
    second.check().await.unwrap();
    house.app.expire_access_tokens();
    first.check().await.unwrap();
    // What the first process stored is another key than the second one's; both are too old by now.
    clock.advance(Duration::from_secs(2 * 60 * 60));
    house.app.expire_access_tokens();
    let before = house.token_requests();
    second.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1);
}

#[tokio::test]
async fn a_key_of_another_process_that_is_refused_is_renewed_at_once() {
    let house = House::new("adopted").await;
    let clock = stopped_clock();
    let (one, two) =
        (house.process_at("one", clock.clone()), house.process_at("second", clock.clone()));
    let account = one.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let first = one.open(HOME, account.id).await.unwrap();
    let second = two.open(HOME, account.id).await.unwrap();
    second.check().await.unwrap();
    house.app.expire_access_tokens();
    first.check().await.unwrap();
    // The second process takes over a key that is worth nothing any more: it got none of its own.
    house.app.expire_access_tokens();
    let before = house.token_requests();
    assert!(second.check().await.is_err(), "one key is replaced in a call, and no more");
    assert_eq!(house.token_requests() - before, 0);
    second.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1);
}

#[tokio::test]
async fn an_account_that_is_accepted_no_more_waits_to_be_reconnected() {
    let house = House::new("revoked").await;
    let accounts = house.process("one");
    let account = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = accounts.open(HOME, account.id).await.unwrap();
    house.app.revoke_refresh_token();
    house.app.expire_access_tokens();
    assert_eq!(connector.check().await.unwrap_err().kind, ErrorKind::Unauthorised);
    let known = house.store.account(HOME, account.id).await.unwrap();
    assert!(
        matches!(&known.status, AccountStatus::NeedsReconnecting { code, .. } if code == "invalid_code"),
        "{:?}",
        known.status
    );
    assert!(matches!(accounts.open(HOME, account.id).await, Err(Error::NotConnected)));
    // A new consent brings it back, under the same id.
    let code = house.app.grant_code();
    let typed = Credentials::default()
        .with("data_centre", "eu")
        .with("client_id", CLIENT_ID)
        .with("client_secret", CLIENT_SECRET)
        .with("code", &code);
    let again = accounts.reconnect(HOME, account.id, &typed, None).await.unwrap();
    assert_eq!((again.id, again.status), (account.id, AccountStatus::Connected));
    accounts.open(HOME, account.id).await.unwrap().check().await.unwrap();
    // The code was good once.
    let used = accounts.reconnect(HOME, account.id, &typed, None).await.unwrap_err();
    assert_eq!(used.code(), "invalid_code");
    assert!(accounts.check(HOME, account.id).await.is_ok(), "a failed attempt changes nothing");
}

#[tokio::test]
async fn an_account_is_connected_once_and_can_be_let_go() {
    let house = House::new("once").await;
    let accounts = house.process("one");
    let account = accounts
        .connect(HOME, "zoho", &house.typed(), Names { label: Some("Sales"), email: None })
        .await
        .unwrap();
    assert_eq!(account.label, "Sales");
    let twice = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap_err();
    assert!(matches!(twice, Error::AlreadyConnected), "{twice}");
    let known = house.store.description(HOME, account.id).await.unwrap().unwrap();
    assert!(known.schemas.values().all(|schema| schema.iter().count() > 10));
    accounts.disconnect(HOME, account.id).await.unwrap();
    assert!(matches!(accounts.open(HOME, account.id).await, Err(Error::NotConnected)));
    assert!(house.store.credentials(HOME, account.id).await.is_err());
    accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
}

#[tokio::test]
async fn an_account_without_all_of_an_apps_objects_has_the_others() {
    for (status, code) in [(401, "OAUTH_SCOPE_MISMATCH"), (400, "INVALID_MODULE")] {
        let house = House::new(code).await;
        let accounts = house.process("one");
        let refusing = |path: &str, after| Fault {
            method: None,
            path: Some(path.to_owned()),
            after,
            times: 1,
            kind: FaultKind::Status {
                status,
                body: format!(r#"{{"code":"{code}","details":{{}},"status":"error"}}"#),
                content_type: "application/json",
                retry_after: None,
            },
        };
        // Its first object it must have.
        house.app.order(refusing("/crm/v8/settings/fields", 0));
        let refused = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await;
        assert!(matches!(refused, Err(Error::App(error)) if error.code == code));
        // The fields of leads are told to whoever may not read them.
        house.app.order(refusing("/crm/v8/Leads", 0));
        let account = accounts.connect(HOME, "zoho", &house.typed(), Names::default()).await;
        let known = house.store.description(HOME, account.unwrap().id).await.unwrap().unwrap();
        assert!(known.schemas.keys().map(ToString::to_string).eq(["Contacts"]), "{code}");
    }
}

#[tokio::test]
async fn what_is_typed_in_wrongly_is_named_and_nothing_is_kept() {
    let house = House::new("typed").await;
    let accounts = house.process("one");
    let wrong = [
        ("data_centre", "mars", "unknown_data_centre"),
        ("client_id", "", "client_id_missing"),
        ("client_id", "nobody", "invalid_client"),
        ("client_secret", "wrong", "invalid_client_secret"),
        ("refresh_token", "1000.not.it", "invalid_code"),
        ("refresh_token", "", "code_missing"),
    ];
    for (name, value, code) in wrong {
        let typed = house.typed().with(name, value);
        let error = accounts.connect(HOME, "zoho", &typed, Names::default()).await.unwrap_err();
        assert_eq!(error.code(), code, "{name}");
        let Error::App(error) = error else { panic!("{error}") };
        assert!(error.advice.is_some(), "{code} does not say what to do");
    }
    assert!(house.store.accounts(HOME).await.unwrap().is_empty());
    let unknown =
        accounts.connect(HOME, "abacus", &house.typed(), Names::default()).await.unwrap_err();
    assert!(matches!(unknown, Error::NoSuchApp(_)));
}
