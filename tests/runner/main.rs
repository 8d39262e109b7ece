//! Runs of a connection between two apps in this process: what happens over several runs, when people
//! pause a sync, when too much happens at once, when an answer gets lost.
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

mod becoming;
mod beside;
mod hints;
mod house;
mod leads;
mod long;
mod making;
mod previews;
mod restored;
mod walks;

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use concord::connectors::memory::Faults;
use concord::planner::{
    Approval, Condition, Filter, FirstRun, Limit, OpKind, Rule, SyncState, Test,
};
use concord::record::{PerSide, Side, Value};
use concord::runner::RunError;
use concord::store::{History as _, PendingReason, RunState, Store as _, Trigger};
use house::{House, copy, text};

#[tokio::test]
async fn both_sides_become_the_same_and_a_second_run_writes_nothing() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Right, "ana@x.es", &[("phone", "600123456")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Lugo")]);
    house.make(Side::Right, "ida@x.es", &[]);
    let report = house.run().await.unwrap().report;
    assert_eq!(report.outcomes["created"], 2);
    assert_eq!(report.outcomes["updated"], 1);
    assert!(report.adds_up());
    for side in Side::BOTH {
        assert_eq!(house.emails(side), ["ana@x.es", "eva@x.es", "ida@x.es"]);
        assert_eq!(house.get(side, "ana@x.es", "city"), text("Vigo"));
    }
    let writes = house.writes();
    let report = house.run().await.unwrap().report;
    assert_eq!((house.writes(), report.total_writes()), (writes, 0));
}

#[tokio::test]
async fn what_happened_during_a_pause_is_told_when_the_sync_runs_again() {
    let house = House::new(|_| {}).await;
    for email in ["ana@x.es", "eva@x.es", "ida@x.es"] {
        house.make(Side::Left, email, &[("city", "Vigo")]);
    }
    house.run().await.unwrap();
    let pause = |state: SyncState| {
        move |settings: &mut concord::planner::Settings| {
            settings.syncs.left.as_mut().unwrap().state = state;
        }
    };
    house.configure(pause(SyncState::Paused)).await;
    house.edit(Side::Left, "ana@x.es", "opt_out", Value::Boolean(true));
    house.edit(Side::Left, "ida@x.es", "city", text("Lugo"));
    house.remove(Side::Left, "eva@x.es");
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "opt_out"), Value::Cleared);
    house.configure(pause(SyncState::Running)).await;
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "opt_out"), Value::Boolean(true));
    assert_eq!(house.get(Side::Right, "ida@x.es", "city"), text("Lugo"));
    let tags = house.get(Side::Right, "eva@x.es", "tags");
    assert_eq!(tags, Value::List(vec![text("Deleted in Left")]));
}

#[tokio::test]
async fn a_pause_takes_hold_before_the_next_call() {
    const PEOPLE: usize = 450;
    let house = House::new(|_| {}).await;
    for number in 0..PEOPLE {
        house.make(Side::Left, &format!("p{number}@x.es"), &[]);
    }
    let set = |state: SyncState| {
        move |settings: &mut concord::planner::Settings| {
            settings.syncs.left.as_mut().unwrap().state = state;
        }
    };
    let mut run = Box::pin(house.run());
    while house.vendors.right.records().is_empty() {
        poll_fn(|context| {
            assert!(run.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    let one_call = house.vendors.right.records().len();
    house.configure(set(SyncState::Paused)).await;
    assert!(matches!(run.await, Err(RunError::Changed)));
    assert!(one_call < PEOPLE);
    assert_eq!(house.vendors.right.records().len(), one_call, "nothing more was written");
    house.configure(set(SyncState::Running)).await;
    house.run().await.unwrap();
    assert_eq!(house.vendors.right.records().len(), PEOPLE);
}

#[tokio::test]
async fn a_field_that_is_mapped_later_is_read_of_everybody() {
    let house = House::new(|settings| {
        for side in Side::BOTH {
            let sync = settings.syncs.of_mut(side).as_mut().unwrap();
            sync.entries.retain(|entry| entry.target.as_str() != "city");
        }
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), Value::Cleared);
    house
        .configure(|settings| {
            for side in Side::BOTH {
                let mut entry = house::copy(side, "city");
                entry.since = 2;
                settings.syncs.of_mut(side).as_mut().unwrap().entries.push(entry);
            }
        })
        .await;
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Vigo"));
}

#[tokio::test]
async fn who_is_removed_before_everything_is_read_again_is_still_told_of() {
    let house = House::new(|settings| {
        for side in Side::BOTH {
            let sync = settings.syncs.of_mut(side).as_mut().unwrap();
            sync.entries.retain(|entry| entry.target.as_str() != "city");
        }
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[]);
    house.run().await.unwrap();
    house.remove(Side::Left, "eva@x.es");
    // Long enough for no overlap to reach back to it.
    house.clock.advance(Duration::from_secs(3600));
    house
        .configure(|settings| {
            for side in Side::BOTH {
                let mut entry = house::copy(side, "city");
                entry.since = 2;
                settings.syncs.of_mut(side).as_mut().unwrap().entries.push(entry);
            }
        })
        .await;
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Vigo"), "all was read again");
    let tags = house.get(Side::Right, "eva@x.es", "tags");
    assert_eq!(tags, Value::List(vec![text("Deleted in Left")]));
}

#[tokio::test]
async fn new_only_sends_what_is_new_or_changes_from_then_on() {
    let house = House::new(|settings| {
        settings.syncs.left.as_mut().unwrap().first_run = FirstRun::NewOnly;
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "old@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "changed@x.es", &[("city", "Vigo")]);
    let report = house.run().await.unwrap().report;
    assert_eq!(report.skipped["baseline"], 2);
    house.make(Side::Left, "new@x.es", &[]);
    house.edit(Side::Left, "changed@x.es", "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["changed@x.es", "new@x.es"]);
}

#[tokio::test]
async fn reading_more_fields_makes_nobody_new() {
    let house = House::new(|settings| {
        let left = settings.syncs.left.as_mut().unwrap();
        left.first_run = FirstRun::NewOnly;
        left.entries.retain(|entry| entry.target != "city".into());
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "old@x.es", &[("city", "Vigo"), ("phone", "600123456")]);
    house.make(Side::Left, "changed@x.es", &[("city", "Vigo"), ("phone", "600123457")]);
    house.run().await.unwrap();
    house.edit(Side::Left, "changed@x.es", "phone", Value::Phone("600123458".into()));
    house
        .configure(|settings| {
            let left = settings.syncs.left.as_mut().unwrap();
            left.entries.push(copy(Side::Left, "city"));
        })
        .await;
    let report = house.run().await.unwrap().report;
    assert_eq!(report.skipped["baseline"], 1);
    assert_eq!(house.emails(Side::Right), ["changed@x.es"]);
    house.edit(Side::Left, "old@x.es", "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["changed@x.es", "old@x.es"]);
}

#[tokio::test]
async fn a_sync_goes_on_while_the_plan_of_the_other_waits() {
    let house = House::new(|settings| {
        settings.approval = Approval::FirstRun;
        settings.syncs.right.as_mut().unwrap().state = SyncState::Draft;
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    assert!(house.emails(Side::Right).is_empty(), "nobody has agreed yet");
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    house
        .configure(|settings| {
            settings.syncs.right.as_mut().unwrap().state = SyncState::Running;
        })
        .await;
    house.make(Side::Right, "rita@x.es", &[]);
    house.make(Side::Left, "lena@x.es", &[]);
    for city in ["Lugo", "Sada"] {
        house.edit(Side::Left, "ana@x.es", "city", text(city));
        house.run().await.unwrap();
        assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text(city), "the one goes on");
        assert_eq!(house.emails(Side::Right), ["ana@x.es", "lena@x.es", "rita@x.es"]);
        assert_eq!(house.emails(Side::Left), ["ana@x.es", "lena@x.es"], "the other waits");
        let plan = house.plan().await.unwrap();
        let items = house.items(plan.id).await;
        assert_eq!(items.len(), 1, "only what the new sync would do is asked: {items:?}");
        assert!(items[0].item.ops.iter().all(|op| op.side == Side::Left));
    }
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Left), ["ana@x.es", "lena@x.es", "rita@x.es"]);
}

#[tokio::test]
async fn a_plan_stays_as_it_is_while_somebody_thinks_about_it() {
    let house = House::new(|settings| {
        settings.approval = Approval::FirstRun;
        settings.syncs.left.as_mut().unwrap().entries.clear();
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.run().await.unwrap();
    house.approve().await;
    house.run().await.unwrap();
    house
        .configure(|settings| {
            let left = settings.syncs.left.as_mut().unwrap();
            left.entries = vec![copy(Side::Left, "city")];
        })
        .await;
    house.cancel(Side::Right).await;
    house.start(Side::Right).await;
    house.make(Side::Right, "rita@x.es", &[]);
    house.run().await.unwrap();
    let plan = house.plan().await.unwrap().id;
    house.make(Side::Right, "lena@x.es", &[]);
    house.run().await.unwrap();
    assert_eq!(house.plan().await.unwrap().id, plan, "it is being read");
    house.run_because(Trigger::Person).await.unwrap();
    let asked = house.plan().await.unwrap().id;
    assert_ne!(asked, plan, "another was asked for");
    house.make(Side::Right, "vera@x.es", &[]);
    house.clock.advance(Duration::from_secs(60 * 60));
    house.run().await.unwrap();
    assert_ne!(house.plan().await.unwrap().id, asked, "it is old");
}

#[tokio::test]
async fn a_sync_that_was_taken_back_asks_again_when_it_is_started_again() {
    let house = House::new(|settings| {
        settings.approval = Approval::FirstRun;
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.run().await.unwrap();
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    house.cancel(Side::Left).await;
    house.start(Side::Left).await;
    house.make(Side::Left, "eva@x.es", &[]);
    for _ in 0..2 {
        house.run().await.unwrap();
        assert_eq!(house.emails(Side::Right), ["ana@x.es"], "it is a first run again");
    }
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es", "eva@x.es"]);
    house.make(Side::Left, "ida@x.es", &[]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right).len(), 3, "and then it is done");
}

#[tokio::test]
async fn a_run_that_goes_on_while_a_sync_is_taken_back_does_not_undo_that() {
    let house = House::new(|settings| {
        settings.approval = Approval::FirstRun;
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.run().await.unwrap();
    house.approve().await;
    house.run().await.unwrap();
    {
        let mut run = pin!(house.run());
        // It has read the configuration, and goes on with that.
        while house.last_run().await.is_none_or(|run| run.state != RunState::Running) {
            let is_pending =
                poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending()));
            assert!(is_pending.await, "it ended before the sync was taken back");
        }
        house.cancel(Side::Left).await;
        house.start(Side::Left).await;
        let _ = run.await;
    }
    house.make(Side::Left, "eva@x.es", &[]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"], "it is a first run again");
}

#[tokio::test]
async fn a_plan_that_was_cut_off_is_made_anew() {
    let house = House::new(|settings| settings.approval = Approval::FirstRun).await;
    for email in ["ana@x.es", "eva@x.es", "ida@x.es"] {
        house.make(Side::Left, email, &[]);
    }
    {
        let mut run = pin!(house.run());
        for _ in 0..10_000 {
            let is_pending =
                poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending())).await;
            assert!(is_pending, "it ended before it was cut off");
            let begun = house.last_run().await;
            if let Some(begun) = begun
                && !house.items(begun.id).await.is_empty()
            {
                break;
            }
        }
    }
    let cut_off = house.last_run().await.unwrap();
    assert_eq!(house.items(cut_off.id).await.len(), 3);
    house.remove(Side::Left, "ana@x.es");
    house.remove(Side::Left, "eva@x.es");
    house.run().await.unwrap();
    let plan = house.plan().await.unwrap();
    assert_eq!(house.items(plan.id).await.len(), 1, "what was planned before is not in it");
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ida@x.es"]);
}

/// Begins a run, and cuts it off once it has written so much.
async fn cut_off(house: &House, trigger: Trigger, writes: usize) {
    let mut run = pin!(house.run_because(trigger));
    let made = || house.vendors.right.history().len();
    let before = made();
    while made() < before + writes {
        let polled = poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending())).await;
        assert!(polled, "it ended before it was cut off");
    }
}

#[tokio::test]
async fn a_run_that_is_resumed_reads_as_much_as_it_did_when_it_began() {
    for (began, resumed) in [
        (Trigger::Webhook, Trigger::Schedule),
        (Trigger::Schedule, Trigger::Webhook),
        (Trigger::Schedule, Trigger::Again),
    ] {
        let house = House::new(|_| {}).await;
        let ana = house.make(Side::Left, "ana@x.es", &[]);
        house.make(Side::Left, "eva@x.es", &[]);
        house.run().await.unwrap();
        house.run().await.unwrap();
        let workspace = house.workspace;
        house.clock.advance(Duration::from_secs(120));
        house.edit(Side::Left, "ana@x.es", "city", text("Vigo"));
        house.hint(Side::Left, &ana).await;
        cut_off(&house, began, 1).await;
        house.clock.advance(Duration::from_secs(120));
        // Nobody tells of it.
        house.edit(Side::Left, "eva@x.es", "city", text("Lugo"));
        let ran = house.run_because(resumed).await.unwrap();
        let last = house.store.last_full_run(workspace, house.connection).await.unwrap();
        assert_eq!(last.unwrap().id, ran.id, "{began:?}");
        let resumed = house.store.run(workspace, ran.id).await.unwrap();
        assert_eq!(resumed.trigger, Trigger::Schedule, "{began:?}");
        assert_eq!(house.get(Side::Right, "eva@x.es", "city"), text("Lugo"), "{began:?}");
    }
}

#[tokio::test]
async fn many_linked_records_are_planned_once_each() {
    let house = House::new(|settings| {
        settings.brake.one_field = Limit { floor: 10_000, percent: 100, ceiling: None };
    })
    .await;
    let emails: Vec<String> = (0..450).map(|n| format!("p{n:03}@x.es")).collect();
    for email in &emails {
        house.make(Side::Left, email, &[]);
    }
    house.run().await.unwrap();
    for (n, email) in emails.iter().enumerate() {
        house.edit(Side::Left, email, "city", text("Vigo"));
        // Both ends of some have changed, and lie far apart.
        if n % 2 == 0 {
            house.edit(Side::Right, email, "phone", Value::Phone("600123456".into()));
        }
    }
    let report = house.run().await.unwrap().report;
    assert_eq!((report.items, report.outcomes["updated"]), (450, 450));
    for email in &emails[..300] {
        house.remove(Side::Left, email);
    }
    let stopped = house.run().await;
    assert!(
        matches!(stopped, Err(RunError::SideLost { side: Side::Left, gone: 300, links: 450 })),
        "{stopped:?}"
    );
}

#[tokio::test]
async fn what_was_tried_too_often_is_given_up_and_told() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    for _ in 0..5 {
        house.run_losing_writes_to(Side::Right).await;
    }
    assert!(house.issues().await.is_empty(), "it is tried again by itself");
    for _ in 0..10 {
        house.run_losing_writes_to(Side::Right).await;
    }
    assert_eq!(house.issues().await, [("GIVEN_UP".to_owned(), None, true)]);
    let waiting = house.pending().await;
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].reason, waiting[0].next_at), (PendingReason::Refused, None));
    // It waits for the record to change, and begins anew then.
    house.edit(Side::Left, "ana@x.es", "city", text("Sada"));
    house.run_losing_writes_to(Side::Right).await;
    assert!(house.issues().await.is_empty());
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Sada"));
    assert!(house.pending().await.is_empty());
}

#[tokio::test]
async fn an_account_that_is_accepted_no_more_is_one_issue_until_a_run_gets_past_it() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    let refused = Faults { unauthorised: 1000, ..Faults::default() };
    house.vendors.right.order_faults(1, refused);
    for _ in 0..3 {
        assert!(matches!(house.run().await, Err(RunError::App { side: Side::Right, .. })));
    }
    let told = [("ACCOUNT_NEEDS_RECONNECTING".to_owned(), Some(Side::Right), false)];
    assert_eq!(house.issues().await, told);
    // What passes by itself is no issue, and says nothing of the one that is.
    let throttled = Faults { rate_limited: 1000, ..Faults::default() };
    house.vendors.right.order_faults(1, throttled);
    house.run().await.unwrap_err();
    assert_eq!(house.issues().await, told);
    house.vendors.right.stop_faults();
    house.run().await.unwrap();
    assert!(house.issues().await.is_empty());
}

#[tokio::test]
async fn what_the_brake_holds_is_one_issue_of_the_connection_until_it_is_let_go() {
    let house = House::new(|_| {}).await;
    let emails: Vec<String> = (0..20).map(|n| format!("p{n:03}@x.es")).collect();
    for email in &emails {
        house.make(Side::Left, email, &[("city", "Vigo")]);
    }
    house.run().await.unwrap();
    for email in &emails {
        house.edit(Side::Left, email, "city", Value::Cleared);
    }
    let of_connection = async || {
        let issues = house.issues().await.into_iter();
        issues.filter(|(_, _, is_of_record)| !is_of_record).collect::<Vec<_>>()
    };
    let told = [("BRAKE_CLEARS".to_owned(), Some(Side::Right), false)];
    // The second run does not look at what waits: that still waits.
    for _ in 0..2 {
        house.run().await.unwrap();
        assert_eq!(of_connection().await, told);
    }
    house
        .configure(|settings| {
            settings.brake.clears = Limit { floor: 1000, percent: 100, ceiling: None };
        })
        .await;
    house.run().await.unwrap();
    assert!(house.pending().await.is_empty());
    assert!(of_connection().await.is_empty());
}

#[tokio::test]
async fn a_large_first_run_does_not_brake_the_day() {
    let house = House::new(|_| {}).await;
    for n in 0..120 {
        house.make(Side::Left, &format!("p{n:03}@x.es"), &[("city", "Vigo")]);
    }
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right).len(), 120);
    house.make(Side::Left, "new@x.es", &[]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right).len(), 121);
}

#[tokio::test]
async fn the_brake_holds_mass_clearing_and_lets_an_opt_out_through() {
    let house = House::new(|_| {}).await;
    let emails: Vec<String> = (0..30).map(|n| format!("p{n:03}@x.es")).collect();
    for email in &emails {
        house.make(Side::Left, email, &[("city", "Vigo")]);
    }
    house.run().await.unwrap();
    for email in &emails {
        house.edit(Side::Left, email, "city", Value::Cleared);
        house.edit(Side::Left, email, "opt_out", Value::Boolean(true));
    }
    house.run().await.unwrap();
    let cleared = emails.iter().filter(|e| house.get(Side::Right, e, "city").is_empty()).count();
    assert_eq!(cleared, 5, "the floor of the limit");
    let out = |e: &&String| house.get(Side::Right, e, "opt_out") == Value::Boolean(true);
    assert_eq!(emails.iter().filter(out).count(), 30, "permission never waits");
    let held = house.pending().await;
    assert_eq!(held.iter().filter(|row| row.reason == PendingReason::Brake).count(), 25);
    assert!(held.iter().all(|row| row.next_at.is_some()), "it comes back");
}

#[tokio::test]
async fn a_side_that_is_emptied_stops_everything_until_somebody_looks() {
    let house = House::new(|_| {}).await;
    for n in 0..12 {
        house.make(Side::Left, &format!("p{n}@x.es"), &[]);
    }
    house.run().await.unwrap();
    for n in 0..12 {
        house.remove(Side::Left, &format!("p{n}@x.es"));
    }
    let writes = house.writes();
    for _ in 0..2 {
        let stopped = house.run().await;
        assert!(matches!(stopped, Err(RunError::SideLost { side: Side::Left, gone: 12, .. })));
        assert_eq!(house.issues().await, [("SIDE_LOST".to_owned(), Some(Side::Left), false)]);
    }
    assert_eq!(house.writes(), writes);
    // Started anew it shows who is gone, and goes on once somebody has agreed to that.
    house.configure(|settings| settings.approval = Approval::FirstRun).await;
    for side in Side::BOTH {
        house.cancel(side).await;
    }
    for side in Side::BOTH {
        house.start(side).await;
    }
    house.run().await.unwrap();
    assert_eq!(house.writes(), writes);
    let plan = house.plan().await.expect("somebody is asked");
    assert_eq!(plan.report.outcomes["deleted"], 12);
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.writes(), writes + 5, "the brake lets through what it lets through in a day");
    let issues = house.issues().await;
    assert!(issues.iter().all(|(code, ..)| code != "SIDE_LOST"), "{issues:?}");
    assert!(
        issues.contains(&("BRAKE_DELETIONS".to_owned(), Some(Side::Right), false)),
        "{issues:?}"
    );
}

#[tokio::test]
async fn more_than_was_agreed_to_be_gone_stops_everything_still() {
    let house = House::new(|settings| settings.approval = Approval::FirstRun).await;
    for n in 0..12 {
        house.make(Side::Left, &format!("p{n}@x.es"), &[]);
    }
    house.run().await.unwrap();
    house.approve().await;
    house.run().await.unwrap();
    for side in Side::BOTH {
        house.cancel(side).await;
    }
    for side in Side::BOTH {
        house.start(side).await;
    }
    house.remove(Side::Left, "p0@x.es");
    house.run().await.unwrap();
    house.approve().await;
    for n in 1..12 {
        house.remove(Side::Left, &format!("p{n}@x.es"));
    }
    let writes = house.writes();
    let stopped = house.run().await;
    assert!(matches!(stopped, Err(RunError::SideLost { gone: 12, .. })), "{stopped:?}");
    assert_eq!(house.writes(), writes);
}

#[tokio::test]
async fn an_ambiguity_is_looked_at_again_when_one_of_them_leaves() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Right, "ana@x.es", &[]);
    let twin = house.make(Side::Right, "ana@x.es", &[]);
    let report = house.run().await.unwrap().report;
    assert_eq!(report.outcomes["ambiguous"], 3);
    house.vendors.right.remove(&twin);
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Vigo"));
    assert!(house.pending().await.is_empty());
}

#[tokio::test]
async fn a_create_without_an_answer_is_looked_for_and_not_repeated() {
    let house = House::with_lag(1000, |_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run_losing_answers_of(Side::Right).await;
    assert_eq!(house.emails(Side::Right), ["ana@x.es"], "it was made, and nobody knows");
    for _ in 0..6 {
        house.clock.advance(Duration::from_secs(200));
        house.run().await.unwrap();
    }
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    let ops = house.ops().await;
    let create = ops.iter().find(|op| op.op.kind == OpKind::Create).unwrap();
    let made = house.vendors.right.records()[0].id.clone();
    assert_eq!(create.target, Some(made), "its history says which record it made");
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"), "they are linked");
}

#[tokio::test]
async fn a_create_that_nothing_can_be_looked_for_by_waits_for_a_person() {
    let house = House::new(|settings| settings.avoid_duplicates = false).await;
    let source = house.make(Side::Left, "", &[("city", "Vigo")]);
    house.run_losing_answers_of(Side::Right).await;
    for _ in 0..8 {
        house.clock.advance(Duration::from_secs(400));
        house.run().await.unwrap();
    }
    let made = house.vendors.right.records().len();
    assert_eq!(made, 1, "it is not made twice");
    let doubt = house.pending().await;
    assert!(doubt.iter().any(|row| row.reason == PendingReason::Doubt), "{doubt:?}");
    let told = ("DOUBT".to_owned(), None, true);
    assert!(house.issues().await.contains(&told));
    // Meeting its source again does not make it forgotten.
    assert!(house.vendors.left.edit(&source, [("city".into(), text("Lugo"))].into()));
    for _ in 0..3 {
        house.run().await.unwrap();
    }
    assert!(house.issues().await.contains(&told));
    assert_eq!(house.vendors.right.records().len(), 1);
}

#[tokio::test]
async fn two_runs_of_one_process_do_not_take_each_other_for_one() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    let mut one = pin!(house.run());
    // The first is well under way when the second comes.
    for _ in 0..40 {
        poll_fn(|context| {
            assert!(one.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    for trigger in [Trigger::Schedule, Trigger::Webhook] {
        assert!(matches!(house.run_because(trigger).await, Err(RunError::Busy)));
        let known = house.store.connection(house.workspace, house.connection).await.unwrap();
        assert!(!known.again, "{trigger:?}: what is due is so afterwards, too");
    }
    assert!(matches!(house.run_because(Trigger::Person).await, Err(RunError::Busy)));
    assert!(one.await.unwrap().again, "who asked is not forgotten");
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
}

#[tokio::test]
async fn a_run_that_is_stopped_goes_on_with_the_next_start() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    let mut run = Box::pin(house.run());
    // It has begun.
    for _ in 0..5 {
        poll_fn(|context| {
            assert!(run.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    house.stop();
    assert!(matches!(run.await, Err(RunError::Stopped)));
    assert!(matches!(house.run_at_once().await, Err(RunError::Stopped)), "no more begin");
    assert_eq!(house.writes(), 0);
    let house = house.restarted();
    house.run_at_once().await.expect("its lease is free");
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    let runs = house.runs().await;
    assert_eq!(runs.len(), 1, "it is the same run");
    assert_eq!(runs[0].cut_off.times, 0, "it was put down");
}

#[tokio::test]
async fn a_run_with_which_the_process_ends_each_time_is_told() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    let told = [("RUN_CUT_OFF".to_owned(), None, false)];
    for time in 0..=5 {
        assert_eq!(house.issues().await, [], "{time}");
        // The lease of the one before is over.
        let mut run = Box::pin(house.run());
        for _ in 0..30 {
            poll_fn(|context| {
                assert!(run.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        drop(run);
        assert_eq!(house.runs().await[0].cut_off.times, time);
    }
    assert_eq!(house.issues().await, told);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    assert_eq!(house.runs().await.len(), 1);
    assert_eq!(house.issues().await, [], "it is over");
}

#[tokio::test]
async fn a_throttled_app_stops_the_run_and_loses_nothing() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    let all = Faults { rate_limited: 1000, ..Faults::default() };
    house.vendors.right.order_faults(1, all);
    assert!(matches!(house.run().await, Err(RunError::App { side: Side::Right, .. })));
    house.vendors.right.stop_faults();
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
}

#[tokio::test]
async fn who_leaves_the_filter_is_left_as_is() {
    let house = House::new(|settings| {
        let test = Test::Equals(text("Vigo"));
        let filter = Filter::Is(Condition { field: "city".into(), test });
        settings.syncs.left.as_mut().unwrap().rules = vec![Rule { filter, object: None }];
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Lugo")]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    let report = house.run().await.unwrap().report;
    assert_eq!(report.outcomes["excluded"], 1);
    let city = PerSide::from_fn(|side| house.get(side, "ana@x.es", "city"));
    assert_eq!((city.left, city.right), (text("Lugo"), text("Vigo")));
}

#[tokio::test]
async fn who_takes_the_place_of_somebody_who_is_gone_keeps_it_though_a_write_gets_lost() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    // An edit beats the deletion, so that nothing tells of it.
    house.remove(Side::Right, "ana@x.es");
    house.edit(Side::Left, "ana@x.es", "city", text("Ribeira"));
    house.run().await.unwrap();
    house.make(Side::Right, "ana@x.es", &[("city", "Lugo")]);
    house.run_losing_writes_to(Side::Right).await;
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Ribeira"));
    house.edit(Side::Right, "ana@x.es", "city", text("Noia"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Left, "ana@x.es", "city"), text("Noia"));
}
