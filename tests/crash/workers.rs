//! One server that runs nothing and two workers, on PostgreSQL. The worker that runs the first run is lost
//! in the middle of it, and the other goes on.

use concord::lab::demo::{self, SAID, Script, Town};
use tokio::time::{Duration, Instant, sleep_until, timeout};

use crate::backends::Backend;
use crate::door::Doors;
use crate::edits::stir;
use crate::place::{DIVISOR, Place, Running, Signal};
use crate::points::{App, Asked, Point, Reached};
use crate::trial::{PATIENCE, PEOPLE, WHOLE, edits_travel, judge, settle};

/// How the worker is lost.
#[derive(Clone, Copy)]
pub enum Loss {
    /// By `kill -9`.
    Killed,
    /// It stands still for two minutes, by its own measure, and then goes on.
    StandsStill,
    /// By the signal that a service manager sends.
    ToldToEnd,
}

pub const ALL: [(&str, Loss); 3] = [
    ("a_worker_that_is_killed_is_replaced_by_the_other", Loss::Killed),
    ("a_worker_that_stood_still_for_two_minutes_writes_nothing", Loss::StandsStill),
    ("a_worker_that_is_told_to_end_hands_its_run_over", Loss::ToldToEnd),
];

/// Where it is lost: a create was carried out, and is not answered.
const POINT: Point = Point {
    name: "",
    app: App::Kommo,
    asked: Asked::Create,
    reached: Reached::CarriedOut,
    is_planning: false,
};
const TWO_MINUTES: Duration = Duration::from_secs(120);
const SEED: u64 = 300;

pub async fn play(loss: Loss, backend: &Backend, number: usize) {
    let (town, emulators) = demo::open(PEOPLE, SEED + number as u64, [0, 0]).await.unwrap();
    stir(&town);
    let doors = Doors::new(POINT, &town);
    let place = Place::new(backend, number, &emulators.settings()).await;
    let emulators = emulators.behind(|app| doors.kommo.before(app), |app| doors.zoho.before(app));
    tokio::select! {
        ended = timeout(WHOLE, lose(loss, &town, &doors, &place)) => {
            ended.expect("it takes too long");
        }
        served = emulators.serve() => panic!("the emulators ended: {served:?}"),
    }
}

async fn lose(loss: Loss, town: &Town, doors: &Doors, place: &Place) {
    let api = place.api();
    let server = place.start_without_runs();
    let script = town.script(&api, true).await.unwrap();
    server.line("no worker gives a sign of life").await;
    let workers = [place.start_worker().await, place.start_worker().await];
    let [left, right] = script.accounts().await.unwrap();
    for process in ["work", "serve", "token", "doctor"] {
        let said = place.refusal_of_another_key(process);
        assert_eq!(said.matches("sealed with another secret key").count(), 1, "{process}: {said}");
    }
    let connection = script.set_up(&left, &right).await.unwrap();
    script.start(&connection, &SAID).await.unwrap();
    let plan = script.plan(&connection).await.unwrap();
    let door = doors.of(POINT.app);
    door.arm();
    script.approve(&plan).await.unwrap();
    timeout(PATIENCE, door.reached()).await.expect("the point was never reached");
    let runner = place.runner().await;
    let (lost, _other): (Vec<_>, Vec<_>) =
        workers.into_iter().partition(|(name, _)| *name == runner);
    let [(_, lost)] = <[_; 1]>::try_from(lost).ok().expect("a worker runs it");
    match loss {
        Loss::Killed => {
            lost.kill();
            settle(&script, &connection).await;
        }
        Loss::StandsStill => stand_still(&lost, &script, &connection, town, doors).await,
        Loss::ToldToEnd => {
            lost.send(Signal::End);
            door.let_go();
            let said = lost.ended().await;
            assert!(!said.contains("did not end in time"), "{said}");
            settle(&script, &connection).await;
        }
    }
    judge(town, "after the loss");
    edits_travel(&script, &connection, town, doors).await;
}

/// The other takes the run over and ends it; the answer for which the first has waited is there when it
/// goes on.
async fn stand_still(
    lost: &Running,
    script: &Script<'_>,
    connection: &str,
    town: &Town,
    doors: &Doors,
) {
    let until = Instant::now() + TWO_MINUTES / DIVISOR;
    lost.send(Signal::Stop);
    settle(script, connection).await;
    judge(town, "while it stands still");
    sleep_until(until).await;
    let writes = || doors.kommo.writes() + doors.zoho.writes();
    let before = writes();
    doors.of(POINT.app).let_go();
    lost.send(Signal::Continue);
    let said = lost.line(&format!("run of {connection} stopped")).await;
    assert!(said.contains("lease"), "{said}");
    settle(script, connection).await;
    assert_eq!(writes(), before);
}
