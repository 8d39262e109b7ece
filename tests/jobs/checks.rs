//! What must be so, whatever the queue is kept in.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use concord::store::{Claim, Claimed, Trigger};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::house::{House, until};

pub type Check = fn(House) -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        pub const ALL: &[(&str, Check)] =
            &[$((stringify!($name), |house| Box::pin($name(house)))),*];
    };
}

checks![
    a_nudge_is_looked_at,
    nudges_during_a_look_make_exactly_one_further,
    what_both_lanes_ask_for_during_a_look_makes_one_further_each,
    what_waits_is_not_queued_twice,
    a_nudge_for_later_waits_and_many_are_one,
    no_more_run_at_once_than_may,
    what_an_app_told_of_waits_for_no_long_run,
    who_waits_for_an_app_keeps_nobody_waiting,
    jobs_that_are_lost_are_harmless,
    what_is_due_needs_no_nudge,
    what_does_not_run_is_left_alone,
    a_preview_that_was_asked_for_needs_no_nudge,
    a_restart_at_once_works,
    a_look_that_breaks_off_is_not_stuck,
    what_breaks_off_each_time_is_left_alone_in_between,
    what_a_person_asked_for_goes_before_any_backlog,
    who_leaves_the_runs_to_others_runs_nothing,
    what_a_killed_process_had_taken_is_taken_by_another,
    what_takes_long_is_given_to_nobody_else_meanwhile,
    a_job_of_another_version_is_harmless,
    a_queue_in_trouble_ends_nothing_for_good,
    what_runs_is_waited_for_at_the_end,
    what_is_done_is_deleted,
    old_requests_are_forgotten,
];

async fn a_nudge_is_looked_at(house: House) {
    let server = house.start(4);
    for nth in 1..=3 {
        house.nudge(&server, Trigger::Person);
        until("a look", || house.looks.seen() == nth).await;
    }
    assert!(house.looks.saw(house.bench.connection, Trigger::Person), "it knows why");
    server.end().await;
}

async fn nudges_during_a_look_make_exactly_one_further(house: House) {
    let server = house.start(4);
    house.looks.close();
    house.nudge(&server, Trigger::Person);
    until("the first look", || house.looks.seen() == 1).await;
    for nth in 2..=4 {
        house.nudge(&server, Trigger::Webhook);
        house.until_jobs(nth, 1).await;
    }
    assert_eq!(house.looks.seen(), 1, "one at a time");
    house.looks.open();
    until("the further look", || house.looks.ended() == 2).await;
    house.until_jobs(4, 0).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(house.looks.seen(), 2);
    server.end().await;
}

async fn what_both_lanes_ask_for_during_a_look_makes_one_further_each(house: House) {
    let server = house.start(4);
    house.looks.close();
    house.nudge(&server, Trigger::Person);
    until("the first look", || house.looks.seen() == 1).await;
    house.looks.forget();
    for (nth, trigger) in [Trigger::Again, Trigger::Webhook, Trigger::Webhook].iter().enumerate() {
        house.nudge(&server, *trigger);
        house.until_jobs(nth as i64 + 2, 1).await;
    }
    house.looks.open();
    until("the further looks", || house.looks.ended() == 3).await;
    let connection = house.bench.connection;
    for trigger in [Trigger::Again, Trigger::Webhook] {
        assert!(house.looks.saw(connection, trigger), "{trigger:?}");
    }
    sleep(Duration::from_secs(2)).await;
    assert_eq!(house.looks.seen(), 2);
    server.end().await;
}

async fn what_waits_is_not_queued_twice(house: House) {
    let server = house.start(1);
    house.looks.close();
    let other = house.add().await;
    house.nudge(&server, Trigger::Person);
    until("the only seat is taken", || house.looks.seen() == 1).await;
    for _ in 0..5 {
        server.jobs.nudge(house.bench.workspace, other, Trigger::Person);
        house.until_jobs(2, 2).await;
        sleep(Duration::from_millis(200)).await;
    }
    house.until_jobs(2, 2).await;
    house.looks.open();
    until("the other look", || house.looks.saw(other, Trigger::Person)).await;
    house.until_jobs(2, 0).await;
    assert_eq!(house.looks.seen(), 2);
    server.end().await;
}

async fn a_nudge_for_later_waits_and_many_are_one(house: House) {
    let server = house.start(4);
    let wait = Duration::from_secs(2);
    let begun = Instant::now();
    for _ in 0..5 {
        let (workspace, connection) = (house.bench.workspace, house.bench.connection);
        server.jobs.nudge_after(workspace, connection, Trigger::Webhook, wait);
    }
    until("the look", || house.looks.seen() > 0).await;
    assert!(begun.elapsed() >= wait);
    house.until_jobs(1, 0).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.looks.seen(), 1);
    server.end().await;
}

async fn no_more_run_at_once_than_may(house: House) {
    for _ in 0..5 {
        house.add_running().await;
    }
    house.looks.close();
    let server = house.start(2);
    until("two looks", || house.looks.seen() == 2).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(house.looks.seen(), 2);
    house.looks.open();
    until("the others", || house.looks.ended() >= 5).await;
    server.end().await;
}

async fn what_an_app_told_of_waits_for_no_long_run(house: House) {
    for _ in 0..3 {
        house.add_running().await;
    }
    house.looks.close();
    let server = house.start(2);
    until("every seat is taken", || house.looks.seen() == 2).await;
    for nth in 1..=3 {
        let told = house.add().await;
        server.jobs.nudge(house.bench.workspace, told, Trigger::Webhook);
        if nth < 3 {
            until("a look", || house.looks.saw(told, Trigger::Webhook)).await;
        } else {
            sleep(Duration::from_secs(2)).await;
            assert!(!house.looks.saw(told, Trigger::Webhook), "this lane has its seats, too");
        }
    }
    house.looks.open();
    until("the others", || house.looks.ended() >= 6).await;
    server.end().await;
}

/// A hundred connections, of which more wait for apps that are slow or away than there are seats.
async fn who_waits_for_an_app_keeps_nobody_waiting(house: House) {
    let mut connections = Vec::new();
    for _ in 0..100 {
        connections.push(house.add_running().await);
    }
    house.looks.close_for(connections.iter().step_by(10).copied());
    let begun = Instant::now();
    let server = house.start(2);
    until("all that need not wait", || house.looks.delays(begun).len() >= 90).await;
    until("and they end", || house.looks.ended() >= 90).await;
    let told = house.add().await;
    server.jobs.nudge(house.bench.workspace, told, Trigger::Webhook);
    until("what an app told of", || house.looks.saw(told, Trigger::Webhook)).await;
    // Once they wait without a seat, they delay nobody.
    sleep(Duration::from_secs(3)).await;
    house.looks.forget();
    let begun = Instant::now();
    for connection in connections.iter().filter(|one| !house.looks.waits(**one)) {
        server.jobs.nudge(house.bench.workspace, *connection, Trigger::Person);
    }
    until("all that need not wait, again", || house.looks.delays(begun).len() >= 90).await;
    let delays = house.looks.delays(begun);
    println!(
        "90 connections asked for at once began after {:?}, the last after {:?}",
        delays[45], delays[89]
    );
    house.looks.open();
    server.end().await;
}

async fn jobs_that_are_lost_are_harmless(house: House) {
    let connections = [house.add_running().await, house.add_running().await];
    house.looks.close();
    let server = house.start(1);
    until("a look", || house.looks.seen() == 1).await;
    house.until_jobs(2, 2).await;
    server.kill().await;
    // SQLite removes files by their name when it closes them.
    sleep(Duration::from_secs(1)).await;
    house.lose_the_queue().await;
    house.looks.forget();
    house.looks.open();
    let server = house.start(1);
    for connection in connections {
        until("what is due", || house.looks.saw(connection, Trigger::Schedule)).await;
    }
    server.end().await;
}

async fn what_is_due_needs_no_nudge(house: House) {
    let server = house.start(4);
    house.nudge(&server, Trigger::Person);
    until("it is under way", || house.looks.seen() == 1).await;
    // As if another server had added it.
    let added = house.add_running().await;
    until("what never ran is due", || house.looks.saw(added, Trigger::Schedule)).await;
    server.end().await;
}

async fn what_does_not_run_is_left_alone(house: House) {
    let server = house.start(4);
    house.until_jobs(0, 0).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(house.looks.seen(), 0);
    server.end().await;
}

async fn a_preview_that_was_asked_for_needs_no_nudge(house: House) {
    let (store, workspace, con) =
        (&house.bench.store, house.bench.workspace, house.bench.connection);
    let settings = store.connection(workspace, con).await.unwrap().settings;
    let edit = store.save_draft(workspace, con, None, 1, &settings).await.unwrap();
    store.ask_preview(workspace, con, edit).await.unwrap();
    let server = house.start(4);
    until("a look, though nothing runs", || house.looks.saw(con, Trigger::Schedule)).await;
    server.end().await;
}

async fn a_restart_at_once_works(house: House) {
    let server = house.start(4);
    house.nudge(&server, Trigger::Person);
    until("a look", || house.looks.ended() == 1).await;
    server.end().await;
    let server = house.start(4);
    house.nudge(&server, Trigger::Person);
    until("a look after an orderly end", || house.looks.ended() == 2).await;
    server.kill().await;
    let server = house.start(4);
    house.nudge(&server, Trigger::Person);
    until("a look after a crash", || house.looks.ended() == 3).await;
    server.end().await;
}

async fn a_look_that_breaks_off_is_not_stuck(house: House) {
    let server = house.start(4);
    house.looks.panic_times(1);
    house.nudge(&server, Trigger::Person);
    house.until_jobs(1, 0).await;
    assert_eq!((house.looks.seen(), house.looks.ended()), (1, 0), "no attempts are burnt");
    house.nudge(&server, Trigger::Person);
    until("the next look", || house.looks.ended() == 1).await;
    house.until_jobs(2, 0).await;
    server.end().await;
}

async fn what_breaks_off_each_time_is_left_alone_in_between(house: House) {
    house.add_running().await;
    house.looks.panic_times(usize::MAX);
    let again_after = Duration::from_secs(2);
    let server = house.start_again_after(again_after);
    until("it is tried again", || house.looks.seen() == 4).await;
    assert!(house.looks.shortest_rest() >= again_after);
    server.end().await;
}

async fn what_a_person_asked_for_goes_before_any_backlog(house: House) {
    house.start(1).end().await;
    house.queue_backlog(100_000).await;
    house.looks.close();
    let server = house.start(1);
    until("the first of many", || house.looks.seen() == 1).await;
    house.nudge(&server, Trigger::Person);
    house.until_jobs(100_001, 100_001).await;
    house.looks.open();
    let place = || house.looks.place(house.bench.connection, Trigger::Person);
    until("what was asked for", || place().is_some()).await;
    assert!(place().unwrap() <= 2, "at most one more was taken already: {:?}", place());
    server.end().await;
}

async fn who_leaves_the_runs_to_others_runs_nothing(house: House) {
    let server = house.start_without_runs();
    let running = house.add_running().await;
    house.nudge(&server, Trigger::Person);
    house.until_jobs(1, 1).await;
    sleep(Duration::from_secs(2)).await;
    house.until_jobs(1, 1).await;
    assert_eq!(house.looks.seen(), 0);
    let worker = house.start(4);
    let connection = house.bench.connection;
    until("what was asked for", || house.looks.saw(connection, Trigger::Person)).await;
    until("what is due", || house.looks.saw(running, Trigger::Schedule)).await;
    house.nudge(&server, Trigger::Webhook);
    until("what an app told of", || house.looks.saw(connection, Trigger::Webhook)).await;
    assert!(server.is_running());
    worker.end().await;
    server.end().await;
}

async fn what_a_killed_process_had_taken_is_taken_by_another(house: House) {
    let taker = house.start_lively();
    house.looks.close();
    house.nudge(&taker, Trigger::Person);
    until("a look", || house.looks.seen() == 1).await;
    let other = house.start_lively();
    taker.kill().await;
    until("the look of another", || house.looks.seen() == 2).await;
    house.looks.open();
    house.until_jobs(1, 0).await;
    other.end().await;
}

async fn what_takes_long_is_given_to_nobody_else_meanwhile(house: House) {
    let taker = house.start_lively();
    house.looks.close();
    house.nudge(&taker, Trigger::Person);
    until("a look", || house.looks.seen() == 1).await;
    let other = house.start_lively();
    // Five times as long as a process may be silent.
    sleep(Duration::from_secs(30)).await;
    assert_eq!(house.looks.seen(), 1);
    house.looks.open();
    house.until_jobs(1, 0).await;
    assert_eq!(house.looks.seen(), 1);
    taker.end().await;
    other.end().await;
}

async fn a_job_of_another_version_is_harmless(house: House) {
    let server = house.start(4);
    house.looks.close();
    house.nudge(&server, Trigger::Person);
    until("a look", || house.looks.seen() == 1).await;
    house.meddle(
        "INSERT INTO Jobs (job, id, job_type, max_attempts, run_at) \
         VALUES (CAST('{\"other\": 1}' AS BLOB), '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'concord.look', 1, 0)",
        "INSERT INTO apalis.jobs (job, id, job_type, max_attempts, run_at) \
         VALUES ('{\"other\": 1}'::bytea, '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'concord.look', 1, to_timestamp(0))",
    )
    .await;
    house.until_jobs(2, 1).await;
    house.looks.open();
    until("the look goes on", || house.looks.ended() == 1).await;
    assert_eq!(house.count("workers", "true").await, Some(2), "the workers live on");
    server.end().await;
}

async fn a_queue_in_trouble_ends_nothing_for_good(house: House) {
    let server = house.start(4);
    house.nudge(&server, Trigger::Person);
    house.until_jobs(1, 0).await;
    // Longer than a write waits.
    let trouble = house.lock_for(Duration::from_secs(12));
    let nudged_meanwhile = async {
        sleep(Duration::from_secs(1)).await;
        house.nudge(&server, Trigger::Webhook);
    };
    tokio::join!(trouble, nudged_meanwhile);
    let connection = house.bench.connection;
    until("what was asked meanwhile", || house.looks.saw(connection, Trigger::Webhook)).await;
    assert!(server.is_running());
    server.end().await;
}

async fn what_runs_is_waited_for_at_the_end(house: House) {
    let server = house.start(4);
    house.looks.close();
    house.nudge(&server, Trigger::Person);
    until("a look", || house.looks.seen() == 1).await;
    assert_eq!(house.looks.ended(), 0);
    server.end().await;
    assert_eq!(house.looks.ended(), 1, "it was asked to end, and did");
    assert_eq!(house.open_jobs().await, Some(0), "and its job is done");
}

async fn what_is_done_is_deleted(house: House) {
    let server = house.start(4);
    house.nudge(&server, Trigger::Person);
    house.until_jobs(1, 0).await;
    server.end().await;
    house
        .meddle(
            "UPDATE Workers SET last_seen = 0",
            "UPDATE apalis.workers SET last_seen = to_timestamp(0)",
        )
        .await;
    let server = house.start(4);
    house.until_jobs(0, 0).await;
    let begun = Instant::now();
    while house.count("workers", "true").await != Some(2) {
        assert!(begun.elapsed() < Duration::from_secs(20), "long gone workers are forgotten");
        sleep(Duration::from_millis(20)).await;
    }
    server.end().await;
}

async fn old_requests_are_forgotten(house: House) {
    let store = &house.bench.store;
    let claim = Claim {
        workspace: house.bench.workspace,
        actor: "ana".into(),
        key: "k".into(),
        request_hash: [0; 32],
        claimed_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::from_second(1).unwrap(),
    };
    store.claim_request(&claim, Timestamp::MIN).await.unwrap();
    store.answer_request(&claim, b"done").await.unwrap();
    let server = house.start(4);
    let begun = Instant::now();
    // It asks as somebody for whom it is not over yet.
    while store.claim_request(&claim, Timestamp::MIN).await.unwrap() != Claimed::Yours {
        assert!(begun.elapsed() < Duration::from_secs(20), "what is over is forgotten");
        sleep(Duration::from_millis(20)).await;
    }
    server.end().await;
}
