//! One trial: the first run of a connection between two apps full of people, the server killed in the
//! middle of it and started again, and everybody judged from the apps' raw state.

use std::time::Duration;

use concord::lab::check::differences;
use concord::lab::demo::{self, SAID, Script, Town};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep, timeout};

use crate::backends::Backend;
use crate::door::Doors;
use crate::edits::{edit, stir};
use crate::place::{Place, Running};
use crate::points::{Point, Reached};
use crate::stall::Stall;

pub const PEOPLE: u32 = 60;
const FIRST_SEED: u64 = 100;
/// How long each part of a trial may take.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How long the whole may take.
pub const WHOLE: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longer than an answer is on its way to the server.
const ON_ITS_WAY: Duration = Duration::from_millis(300);

pub async fn play(point: Point, backend: &Backend, number: usize) {
    let seed = FIRST_SEED + number as u64;
    let (town, emulators) = demo::open(PEOPLE, seed, [0, 0]).await.unwrap();
    stir(&town);
    let doors = Doors::new(point, &town);
    let place = Place::new(backend, number, &emulators.settings()).await;
    let emulators = emulators.behind(|app| doors.kommo.before(app), |app| doors.zoho.before(app));
    tokio::select! {
        ended = timeout(WHOLE, crash(point, &town, &doors, &place)) => {
            ended.expect("it takes too long");
        }
        served = emulators.serve() => panic!("the emulators ended: {served:?}"),
    }
}

async fn crash(point: Point, town: &Town, doors: &Doors, place: &Place) {
    let api = place.api();
    let server = place.start();
    let script = town.script(&api, true).await.unwrap();
    let [left, right] = script.accounts().await.unwrap();
    let connection = script.set_up(&left, &right).await.unwrap();
    let door = doors.of(point.app);
    if point.is_planning {
        door.arm();
        script.start(&connection, &SAID).await.unwrap();
    } else {
        script.start(&connection, &SAID).await.unwrap();
        let plan = script.plan(&connection).await.unwrap();
        match point.reached {
            Reached::Journalled => place.stall(Stall::BeforeSending).await,
            _ => door.arm(),
        }
        script.approve(&plan).await.unwrap();
    }
    if point.reached != Reached::Journalled {
        timeout(PATIENCE, door.reached()).await.expect("the point was never reached");
    }
    kill(point, doors, place, server).await;

    let _server = place.start();
    let script = town.script(&api, true).await.unwrap();
    if point.is_planning {
        let plan = script.plan(&connection).await.unwrap();
        script.approve(&plan).await.unwrap();
    }
    settle(&script, &connection).await;
    judge(town, "after the crash");
    edits_travel(&script, &connection, town, doors).await;
}

/// People edit on both sides, and each edit is written once, on the other side.
pub async fn edits_travel(script: &Script<'_>, connection: &str, town: &Town, doors: &Doors) {
    let edits = edit(town);
    script.run_again(connection).await.unwrap();
    let begun = Instant::now();
    while !edits.iter().all(|edit| edit.has_arrived(town)) {
        assert!(begun.elapsed() < PATIENCE, "an edit did not arrive");
        sleep(LOOK_EVERY).await;
    }
    // Were any of it taken for news on the other side, it would come back now.
    script.run_again(connection).await.unwrap();
    settle(script, connection).await;
    judge(town, "after the edits");
    for edit in &edits {
        edit.judge(doors);
    }
}

/// Kills the server while its request is held; where that was answered, while it waits to write the
/// answer down; or amid writing something down.
async fn kill(point: Point, doors: &Doors, place: &Place, server: Running) {
    let door = doors.of(point.app);
    match point.reached {
        Reached::Arrived | Reached::CarriedOut => server.kill(),
        Reached::Answered => {
            let lock = place.lock().await;
            door.let_go();
            sleep(ON_ITS_WAY).await;
            server.kill();
            lock.release().await;
        }
        Reached::Journalled => kill_stalled(place, server).await,
        Reached::HalfWritten => {
            place.stall(Stall::AmidPage).await;
            door.let_go();
            kill_stalled(place, server).await;
        }
    }
}

async fn kill_stalled(place: &Place, server: Running) {
    timeout(PATIENCE, place.stalled()).await.expect("the point was never reached");
    server.kill();
    place.stall_no_more().await;
}

/// Waits until the last run that writes is finished and no record waits for anything. A run that was
/// cut off is not: it goes on under the same id.
pub async fn settle(script: &Script<'_>, connection: &str) {
    let query = "query($id: ID!) { connection(id: $id) { recordCounts { outcome count } \
                 runs(first: 1) { edges { node { kind state error } } } } }";
    let begun = Instant::now();
    loop {
        let standing = script.client().ask(query, json!({ "id": connection })).await.unwrap();
        if is_settled(&standing["connection"]) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not come to rest: {standing}");
        sleep(LOOK_EVERY).await;
    }
}

fn is_settled(connection: &Json) -> bool {
    let run = &connection["runs"]["edges"][0]["node"];
    let is_open = |count: &Json| ["WAITING", "FAILED"].map(Json::from).contains(&count["outcome"]);
    let counts = connection["recordCounts"].as_array().unwrap();
    run["kind"] == "SYNC" && run["state"] == "FINISHED" && !counts.iter().any(is_open)
}

pub fn judge(town: &Town, when: &str) {
    let (kommo, zoho) = (town.kommo.contacts(), town.zoho.contacts());
    let found = differences(&town.people, &town.moved, &kommo, &zoho);
    assert!(found.is_empty(), "{when}: {found:#?}");
}
