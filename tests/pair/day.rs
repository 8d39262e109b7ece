//! A day of both apps and the server between them, hour after hour in virtual time: keys and channels end,
//! notifications get lost and come twice, requests get lost, and each hour the server is killed and
//! started again. `HOURS=n` plays more of them, `SEED=n` another day.

mod post;
mod server;
mod wire;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use concord::connectors::{kommo, zoho};
use concord::lab::check::differences;
use concord::lab::people::{move_in, people};
use concord::planner::Limit;
use concord::ports::{Clock, SeededIds, SystemEntropy};
use concord::record::PerSide;
use concord::secrets::MasterKey;
use concord::store::{
    Account, AccountStatus, ConnectionId, MemoryStore, RunState, Store, Workspace,
};
use jiff::Timestamp;
use tokio::time::sleep;

use crate::crowd::{Crowd, Dice};
use crate::house::{HOME, connect, settings};
use post::Post;
use server::{Ground, KOMMO, PUBLIC, Server, ZOHO};
use wire::{Virtual, Wires};

const PEOPLE: u32 = 40;
/// Longer than Kommo's keys are good for.
const HOURS: u64 = 26;
/// The longest pause between two acts of people.
const PAUSE_MAX: Duration = Duration::from_secs(240);
const HOUR: Duration = Duration::from_secs(3600);
/// In which everything comes to rest, once nothing happens any more.
const REST: Duration = Duration::from_secs(4 * 3600);
/// How often Zoho gives keys in any ten minutes (its limits for tokens).
const KEYS_MAX: usize = 10;
const KEYS_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "which day it is, a person may say")]
    let text = std::env::var(name);
    text.ok().and_then(|text| text.parse().ok())
}

/// The server, as long as it is there.
type There = Mutex<Option<Arc<Server>>>;

#[tokio::test(start_paused = true)]
async fn after_a_day_of_trouble_both_apps_are_the_same_and_nobody_is_there_twice() {
    let (seed, hours) = (number("SEED").unwrap_or(1), number("HOURS").unwrap_or(HOURS));
    let start: Timestamp = "2026-11-02T05:00:00Z".parse().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Virtual::at(start));
    let mut options = kommo::emulator::Options::new(clock.clone());
    options.base_url = KOMMO.to_owned();
    options.search_lag = Duration::from_secs(10);
    let kommo = kommo::emulator::Emulator::new(options);
    kommo.set_redirect_uri(&format!("{PUBLIC}/oauth/callback/kommo"));
    let mut options = zoho::emulator::Options::new(clock.clone());
    options.base_url = ZOHO.to_owned();
    options.search_lag = Duration::from_secs(10);
    let zoho = zoho::emulator::Emulator::new(options);
    let people = people(PEOPLE, seed);
    let moved = move_in(&people, &kommo, &zoho);

    let wires = Arc::new(Wires {
        apps: [(KOMMO, kommo.router()), (ZOHO, zoho.router())],
        dice: Dice::new(seed),
        is_rough: AtomicBool::new(false),
    });
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    store.add_workspace(&Workspace { id: HOME, name: "home".to_owned() }).await.unwrap();
    let key = MasterKey::generate(&SystemEntropy).unwrap();
    let ground = Ground { store: store.clone(), clock: clock.clone(), key, wire: wires.clone() };

    let first = Server::start(&ground, 1);
    let accounts = PerSide {
        left: first.authorize("kommo", |url| kommo.consent(url, true)).await,
        right: first.authorize("zoho", |url| zoho.consent(url, true)).await,
    };
    let mut settings = settings(store.as_ref(), &accounts, &moved).await;
    let plenty = Limit { floor: 1_000, percent: 100, ceiling: None };
    settings.brake.creates = plenty;
    settings.brake.one_field = plenty;
    let ids = SeededIds::new(seed);
    let connection = connect(store.as_ref(), &ids, clock.now(), &accounts, settings).await;
    drop(first);

    let crowd = Crowd {
        kommo: &kommo,
        zoho: &zoho,
        people: &people,
        moved: &moved,
        dice: Dice::new(!seed),
        pause_max: PAUSE_MAX,
        acts: AtomicU64::new(0),
        taken: AtomicU64::new(0),
    };
    let post = Post {
        kommo: &kommo,
        zoho: &zoho,
        dice: Dice::new(seed ^ 7),
        is_rough: AtomicBool::new(true),
        lost: AtomicU64::new(0),
        doubled: AtomicU64::new(0),
        carried: AtomicU64::new(0),
    };
    let there = There::default();
    let take = async |url: &str, content_type: &str, body: &str| {
        let server = there.lock().unwrap().clone()?;
        Some(server.take(url, content_type, body).await)
    };
    wires.is_rough.store(true, Ordering::SeqCst);
    let troubled = async {
        tokio::select! {
            () = crowd.act() => {}
            () = befall(&crowd) => {}
            () = kill_hourly(&ground, connection, hours, &there) => {}
        }
        wires.is_rough.store(false, Ordering::SeqCst);
        post.is_rough.store(false, Ordering::SeqCst);
        live(&ground, connection, 1000, &there, REST).await;
    };
    tokio::select! {
        () = post.carry(take) => {}
        () = troubled => {}
    }

    let found = differences(&people, &moved, &kommo.contacts(), &zoho.contacts());
    assert!(found.is_empty(), "seed {seed}: {found:#?}");
    let told = Told::of(&store, connection).await;
    for account in [&accounts.left, &accounts.right] {
        is_well(&ground, account).await;
    }
    judge_limits(&kommo, &zoho);
    let counts = [&crowd.acts, &crowd.taken, &post.lost, &post.doubled, &post.carried];
    let [acts, taken, lost, doubled, carried] = counts.map(|count| count.load(Ordering::SeqCst));
    // Of a key that ends by itself it is known when; one that is taken back may be in use twice.
    let refused = refused_keys(&kommo, &zoho);
    assert!(
        refused as u64 <= 2 * taken,
        "{refused} requests with keys that had ended, {taken} taken"
    );
    let keys = keys_given(&kommo, &zoho);
    writeln!(
        std::io::stderr(),
        "day {seed}: {hours} hours, {acts} acts, {carried} notifications carried, {lost} lost, \
         {doubled} doubled, {keys:?}, {taken} taken, {refused} refused, {} runs, {:?}",
        told.runs,
        told.failed,
    )
    .unwrap();
    assert!(lost > 0 && doubled > 0 && carried > acts / 2, "the post is as rough as it should be");
    assert!(keys.left > 1 && keys.right as u64 > hours, "keys end in the course of a day");
}

/// Every hour or two something befalls an app.
async fn befall(crowd: &Crowd<'_>) {
    loop {
        sleep(Duration::from_secs(60 * (30 + crowd.dice.throw(120)))).await;
        crowd.befall();
    }
}

/// A server for so long, and no longer: it is cut off wherever it is.
async fn live(
    ground: &Ground,
    connection: ConnectionId,
    number: u64,
    there: &There,
    how_long: Duration,
) {
    let server = Arc::new(Server::start(ground, number));
    *there.lock().unwrap() = Some(server.clone());
    tokio::select! {
        () = server.live(connection) => {}
        () = sleep(how_long) => {}
    }
    *there.lock().unwrap() = None;
    // A new key that is on its way is written down before the process is gone.
    server.accounts.settled().await;
}

/// Servers one after the other, each for an hour or so, with pauses between them.
async fn kill_hourly(ground: &Ground, connection: ConnectionId, hours: u64, there: &There) {
    let dice = Dice::new(hours);
    for hour in 0..hours {
        let pause = Duration::from_millis(dice.throw(120_000));
        live(ground, connection, 2 + hour, there, HOUR - pause).await;
        sleep(pause).await;
    }
}

/// What the history says of the day.
struct Told {
    runs: usize,
    failed: BTreeMap<String, usize>,
}

impl Told {
    async fn of(store: &Arc<dyn Store>, connection: ConnectionId) -> Self {
        let runs = store.runs(HOME, connection, 100_000).await.unwrap();
        let last = runs.iter().find(|run| run.state == RunState::Finished).unwrap();
        assert!(
            last.report.writes.left.is_empty() && last.report.writes.right.is_empty(),
            "{last:?}"
        );
        let mut failed = BTreeMap::new();
        for run in runs.iter().filter(|run| run.state == RunState::Failed) {
            *failed.entry(run.error.clone().unwrap_or_default()).or_default() += 1;
        }
        Self { runs: runs.len(), failed }
    }
}

/// An account that can still be spoken with.
async fn is_well(ground: &Ground, account: &Account) {
    let known = ground.store.account(HOME, account.id).await.unwrap();
    assert_eq!(known.status, AccountStatus::Connected);
    let server = Server::start(ground, 2000);
    server.accounts.check(HOME, account.id).await.unwrap();
}

/// How often each app gave keys.
fn keys_given(
    kommo: &kommo::emulator::Emulator,
    zoho: &zoho::emulator::Emulator,
) -> PerSide<usize> {
    let kommo = kommo.requests();
    let left = kommo.iter().filter(|asked| asked.path == "/oauth2/access_token").count();
    PerSide { left, right: keys_of_zoho(zoho).len() }
}

/// How often either app refused a key.
fn refused_keys(kommo: &kommo::emulator::Emulator, zoho: &zoho::emulator::Emulator) -> usize {
    let kommo = kommo.requests().into_iter().map(|asked| asked.status);
    let zoho = zoho.requests().into_iter().map(|asked| asked.status);
    kommo.chain(zoho).filter(|status| *status == 401).count()
}

fn keys_of_zoho(zoho: &zoho::emulator::Emulator) -> Vec<Timestamp> {
    let asked = zoho.requests().into_iter().filter(|asked| asked.path.ends_with("/token"));
    asked.map(|asked| asked.at).collect()
}

/// That neither app was ever asked more than it allows.
fn judge_limits(kommo: &kommo::emulator::Emulator, zoho: &zoho::emulator::Emulator) {
    let too_many = [429, 403];
    let refused: Vec<_> =
        kommo.requests().into_iter().filter(|asked| too_many.contains(&asked.status)).collect();
    assert!(refused.is_empty(), "Kommo: {refused:?}");
    let refused: Vec<_> = zoho.requests().into_iter().filter(|asked| asked.status == 429).collect();
    assert!(refused.is_empty(), "Zoho: {refused:?}");
    let keys = keys_of_zoho(zoho);
    for from in &keys {
        let within = keys.iter().filter(|at| *at >= from && **at < *from + KEYS_WINDOW).count();
        assert!(within <= KEYS_MAX, "{within} keys in ten minutes from {from}");
    }
}
