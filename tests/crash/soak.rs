//! Both apps and the program between them for a while in real time: people act, keys and channels end,
//! notifications get lost and come twice, requests get lost, and the program is killed again and again.
//! `SOAK_SECONDS=n` says for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use concord::connectors::{kommo, zoho};
use concord::lab::check::differences;
use concord::lab::demo::{self, SAID, Script, Town};
use concord::net::{self, Http};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

use crate::backends::Backend;
use crate::crowd::{Crowd, Dice};
use crate::place::Place;
use crate::trial::{PATIENCE, judge, settle};

const PEOPLE: u32 = 60;
const SECONDS: u64 = 40;
/// How often the program is killed in all, and how often something befalls an app.
const KILLS: u32 = 8;
const BEFALL: u32 = 4;
/// The longest pause between two acts.
const PAUSE_MAX: Duration = Duration::from_millis(800);
/// How often a request gets lost.
const LOSS_EVERY: Duration = Duration::from_millis(1500);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a person would look at.
const TOLD: &str = "query($id: ID!) { connection(id: $id) { recordCounts { outcome count } \
    waitingPlan { id } issues(first: 9) { edges { node { code side } } } \
    runs(first: 3) { edges { node { trigger state error counts { items } } } } } }";

fn seconds() -> u64 {
    let given = std::env::var("SOAK_SECONDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(SECONDS)
}

/// The post between the apps and the program: it loses and doubles.
struct Post {
    http: Http,
    /// Where the program is reached.
    to: String,
    dice: Dice,
    is_rough: AtomicBool,
    carried: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
}

async fn carry(State(post): State<Arc<Post>>, request: Request) -> StatusCode {
    let (head, body) = request.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    let content_type = match head.headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap()) {
        Some("application/json") => "application/json",
        _ => "application/x-www-form-urlencoded",
    };
    let luck = if post.is_rough.load(Ordering::SeqCst) { post.dice.throw(10) } else { 10 };
    if luck == 0 {
        post.lost.fetch_add(1, Ordering::SeqCst);
        return StatusCode::BAD_GATEWAY;
    }
    post.doubled.fetch_add(u64::from(luck == 1), Ordering::SeqCst);
    let mut status = StatusCode::BAD_GATEWAY;
    for _ in 0..if luck == 1 { 2 } else { 1 } {
        let request =
            net::Request::new(net::Method::Post, format!("{}{}", post.to, head.uri.path()));
        let answer = post.http.send(request.body(content_type, body.to_vec())).await;
        status = answer
            .map_or(StatusCode::BAD_GATEWAY, |answer| StatusCode::from_u16(answer.status).unwrap());
    }
    if status.is_success() {
        post.carried.fetch_add(1, Ordering::SeqCst);
    }
    status
}

pub async fn play(backend: &Backend, number: usize) {
    let (town, emulators) = demo::open(PEOPLE, 700 + number as u64, [0, 0]).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public = format!("http://{}", listener.local_addr().unwrap());
    let settings = format!("{}\nCONCORD_PUBLIC_URL={public}", emulators.settings());
    let place = Place::new(backend, number, &settings).await;
    let post = Arc::new(Post {
        http: Http::new().unwrap(),
        to: place.api().address,
        dice: Dice::new(number as u64),
        is_rough: AtomicBool::new(true),
        carried: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        doubled: AtomicU64::new(0),
    });
    let router = Router::new().fallback(carry).with_state(post.clone());
    let how_long = Duration::from_secs(seconds());
    tokio::select! {
        ended = timeout(how_long + 3 * PATIENCE, soak(&town, &place, &post, how_long)) => {
            ended.expect("it takes too long");
        }
        served = emulators.serve() => panic!("the emulators ended: {served:?}"),
        served = axum::serve(listener, router) => panic!("the post ended: {served:?}"),
    }
    let [carried, lost, doubled] =
        [&post.carried, &post.lost, &post.doubled].map(|count| count.load(Ordering::SeqCst));
    let (kommo, zoho) = (town.kommo.requests(), town.zoho.requests());
    let refused =
        kommo.iter().map(|asked| asked.status).chain(zoho.iter().map(|asked| asked.status));
    let refused = refused.filter(|status| *status == 429).count();
    let asked = kommo.len() + zoho.len();
    eprintln!(
        "{}: {} s, {KILLS} kills, {carried} notifications carried, {lost} lost, {doubled} doubled, \
         {asked} requests, {refused} too many",
        backend.name,
        how_long.as_secs(),
    );
    assert!(carried > 0 && lost > 0 && doubled > 0, "the post is as rough as it should be");
    // On a busy machine requests that left evenly may arrive together.
    assert!(refused * 100 <= asked, "{refused} of {asked} requests were too many");
}

async fn soak(town: &Town, place: &Place, post: &Post, how_long: Duration) {
    let api = place.api();
    let mut server = place.start();
    let script = town.script(&api, true).await.unwrap();
    let [left, right] = script.accounts().await.unwrap();
    let connection = script.set_up(&left, &right).await.unwrap();
    // People do in minutes here what they do in days.
    let limit = json!({ "floor": 1_000_000, "percent": 100 });
    let brake = json!({ "creates": limit, "oneField": limit, "clears": limit });
    let input = json!({ "connectionId": connection, "brake": brake });
    let answer = "draft { edit }";
    script.client().act("connectionUpdate", "ConnectionUpdateInput", answer, input).await.unwrap();
    script.start(&connection, &SAID).await.unwrap();
    let plan = script.plan(&connection).await.unwrap();
    script.approve(&plan).await.unwrap();
    for account in [&left, &right] {
        assert!(script.register(account).await.unwrap());
    }
    let crowd = Crowd {
        kommo: &town.kommo,
        zoho: &town.zoho,
        people: &town.people,
        moved: &town.moved,
        dice: Dice::new(how_long.as_secs()),
        pause_max: PAUSE_MAX,
        acts: AtomicU64::new(0),
        taken: AtomicU64::new(0),
    };
    let killed = async {
        for _ in 0..KILLS {
            sleep(how_long / KILLS).await;
            server.kill();
            sleep(Duration::from_millis(crowd.dice.throw(1500))).await;
            server = place.start();
        }
        server
    };
    let _server = tokio::select! {
        server = killed => server,
        () = crowd.act() => unreachable!(),
        () = lose(town, &crowd.dice) => unreachable!(),
        () = befall(&crowd, how_long / BEFALL) => unreachable!(),
    };
    post.is_rough.store(false, Ordering::SeqCst);
    // It waits until the server is there again.
    let script = town.script(&api, true).await.unwrap();
    come_to_rest(town, &script, &connection).await;
    assert!(crowd.acts.load(Ordering::SeqCst) > how_long.as_secs(), "people acted");
}

/// Now and then a request to an app is lost, or its answer.
async fn lose(town: &Town, dice: &Dice) {
    loop {
        sleep(LOSS_EVERY).await;
        let after = u32::try_from(dice.throw(5)).unwrap();
        let (method, times) = (None, 1);
        if dice.throw(2) == 0 {
            let kind = match dice.throw(2) {
                0 => kommo::emulator::FaultKind::LostBefore,
                _ => kommo::emulator::FaultKind::LostAfter,
            };
            let path = Some("/api/v4/contacts".to_owned());
            town.kommo.order(kommo::emulator::Fault { method, path, after, times, kind });
        } else {
            let kind = match dice.throw(2) {
                0 => zoho::emulator::FaultKind::LostBefore,
                _ => zoho::emulator::FaultKind::LostAfter,
            };
            let path = Some("/crm/v8/Contacts".to_owned());
            town.zoho.order(zoho::emulator::Fault { method, path, after, times, kind });
        }
    }
}

async fn befall(crowd: &Crowd<'_>, every: Duration) {
    loop {
        sleep(every).await;
        crowd.befall();
    }
}

/// Nothing happens any more: in the end both are the same, and stay as they are.
async fn come_to_rest(town: &Town, script: &Script<'_>, connection: &str) {
    let begun = Instant::now();
    loop {
        // What was ordered to be lost, and was not asked yet, makes some runs fail.
        let has_run = script.run_again(connection).await.is_ok();
        let found =
            differences(&town.people, &town.moved, &town.kommo.contacts(), &town.zoho.contacts());
        if has_run && found.is_empty() {
            break;
        }
        if begun.elapsed() > PATIENCE {
            let told = script.client().ask(TOLD, json!({ "id": connection })).await.unwrap();
            panic!("it does not come to rest: {found:#?}\n{told:#}");
        }
        sleep(LOOK_EVERY).await;
    }
    settle(script, connection).await;
    judge(town, "after it has come to rest");
}
