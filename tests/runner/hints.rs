//! Runs that a notification wakes, and what the notifications miss.

use std::time::Duration;

use concord::connectors::memory::Faults;
use concord::planner::Limit;
use concord::record::{Side, Value};
use concord::runner::RunError;
use concord::store::{OpState, Trigger};
use concord::webhooks::DEBOUNCE;

use crate::house::{House, text};

#[tokio::test]
async fn a_run_that_a_notification_wakes_reads_what_it_tells_of_and_the_next_counts_the_rest() {
    let house = House::new(|_| {}).await;
    let told = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Vigo")]);
    house.register(Side::Left).await;
    house.run().await.unwrap();
    house.run().await.unwrap();

    for email in ["ana@x.es", "eva@x.es"] {
        house.edit(Side::Left, email, "city", text("Lugo"));
    }
    house.hint(Side::Left, &told).await;
    let report = house.run_because(Trigger::Webhook).await.unwrap().report;
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"));
    assert_eq!(house.get(Side::Right, "eva@x.es", "city"), text("Vigo"), "nobody told of her");
    assert_eq!(report.missed_by_webhooks, 0);

    let report = house.run().await.unwrap().report;
    assert_eq!(house.get(Side::Right, "eva@x.es", "city"), text("Lugo"));
    assert_eq!(report.missed_by_webhooks, 1, "of two one was told of");
    let report = house.run().await.unwrap().report;
    assert_eq!(report.missed_by_webhooks, 0);
}

/// Ana is on both sides; she was edited on the left, and a notification has told of it.
async fn told_of_an_edit() -> House {
    let house = House::new(|_| {}).await;
    let ana = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.register(Side::Left).await;
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.hint(Side::Left, &ana).await;
    house
}

#[tokio::test]
async fn a_run_that_is_told_looks_at_what_it_got_no_answer_about_before_it_plans_again() {
    let house = told_of_an_edit().await;
    house.run_told_losing_answers_of(Side::Right).await;
    let ops = house.ops().await;
    let last = ops.last().unwrap();
    assert_eq!((last.state, last.error.as_deref()), (OpState::Dropped, Some("looked_up")));
    // It was written, and is known for ours by now: nothing is written again.
    let sent = ops.len();
    house.run().await.unwrap();
    assert_eq!(house.ops().await.len(), sent);
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"));
}

#[tokio::test]
async fn a_run_that_is_told_tries_once_what_does_not_arrive() {
    let house = told_of_an_edit().await;
    let before = house.ops().await.len();
    house.run_told_losing_writes_to(Side::Right).await;
    assert_eq!(house.ops().await.len(), before + 1, "the next try waits its time");
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"));
}

#[tokio::test]
async fn nothing_is_missed_where_nobody_should_have_told() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    assert_eq!(house.run().await.unwrap().report.missed_by_webhooks, 0);
    // Registered after the edit: what was before could not be told.
    house.edit(Side::Left, "ana@x.es", "city", text("Noia"));
    house.register(Side::Left).await;
    assert_eq!(house.run().await.unwrap().report.missed_by_webhooks, 0);
}

#[tokio::test]
async fn an_app_that_tells_nothing_of_what_changes_is_an_issue_until_it_tells_something() {
    let house = House::new(|_| {}).await;
    let ana = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.register(Side::Left).await;
    house.clock.advance(Duration::from_secs(60));
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.issues().await, [], "nothing changed");

    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.clock.advance(Duration::from_secs(20));
    house.run_at_once().await.unwrap();
    assert_eq!(house.issues().await, [], "its notification may still be on its way");
    house.clock.advance(Duration::from_secs(10));
    house.edit(Side::Left, "ana@x.es", "city", text("Noia"));
    assert_eq!(house.run().await.unwrap().report.missed_by_webhooks, 1);
    let told = [("WEBHOOKS_SILENT".to_owned(), Some(Side::Left), false)];
    assert_eq!(house.issues().await, told);
    house.run().await.unwrap();
    assert_eq!(house.issues().await, told, "that nothing changes says nothing of its webhook");

    house.edit(Side::Left, "ana@x.es", "city", text("Sada"));
    house.deliver(Side::Left, &ana).await;
    house.run().await.unwrap();
    assert!(house.issues().await.is_empty());
    // One that was missed beside others that were told is counted, and no issue.
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.deliver(Side::Left, &"another".into()).await;
    assert_eq!(house.run().await.unwrap().report.missed_by_webhooks, 1);
    assert!(house.issues().await.is_empty());
}

#[tokio::test]
async fn a_notification_before_everything_was_read_makes_everything_be_read() {
    let house = House::new(|_| {}).await;
    let told = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Vigo")]);
    house.hint(Side::Left, &told).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es", "eva@x.es"]);
}

#[tokio::test]
async fn only_where_nothing_else_is_to_be_done_a_notification_is_read_alone() {
    let house = House::new(|_| {}).await;
    assert!(!house.reads_only_what_was_told().await, "everything is to be read first");
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    assert!(house.reads_only_what_was_told().await);
    house.configure(|settings| settings.every_minutes = 7).await;
    assert!(!house.reads_only_what_was_told().await, "everything is looked at anew");
    house.run().await.unwrap();
    assert!(house.reads_only_what_was_told().await);

    let eva = house.make(Side::Left, "eva@x.es", &[]);
    house.make(Side::Left, "rita@x.es", &[]);
    house.hint(Side::Left, &eva).await;
    house.ask_again().await;
    assert!(!house.reads_only_what_was_told().await, "somebody wants it to run");
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(house.emails(Side::Right).len(), 3, "and gets what was asked for");
}

#[tokio::test]
async fn who_was_removed_is_told_of_by_a_notification() {
    let house = House::new(|_| {}).await;
    let told = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.remove(Side::Left, "ana@x.es");
    house.hint(Side::Left, &told).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    let tags = house.get(Side::Right, "ana@x.es", "tags");
    assert_eq!(tags.elements().len(), 1, "her deletion is told by a tag: {tags:?}");
}

#[tokio::test]
async fn what_is_told_of_a_record_while_it_is_read_makes_it_be_read_again() {
    let house = House::new(|_| {}).await;
    let told = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.hint(Side::Left, &told).await;
    let meanwhile = async {
        house.edit(Side::Left, "ana@x.es", "city", text("Noia"));
        house.hint_after(Side::Left, &told, DEBOUNCE).await;
    };
    house.run_told_while(Side::Left, meanwhile).await.unwrap();
    house.clock.advance(DEBOUNCE);
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Noia"));
}

#[tokio::test]
async fn what_could_not_be_read_is_still_to_be_read() {
    let house = House::new(|_| {}).await;
    let told = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.hint(Side::Left, &told).await;
    let vendor = house.vendors.of(Side::Left);
    vendor.order_faults(1, Faults { rate_limited: 1000, ..Faults::default() });
    assert!(house.run_because(Trigger::Webhook).await.is_err());
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Vigo"));
    vendor.stop_faults();
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"));
}

#[tokio::test]
async fn who_was_told_of_last_waits_for_none_of_the_others() {
    let house = House::new(|settings| {
        settings.brake.one_field = Limit { floor: 10_000, percent: 100, ceiling: None };
    })
    .await;
    let mut told = Vec::new();
    for number in 0..120 {
        told.push(house.make(Side::Left, &format!("{number}@x.es"), &[("city", "Vigo")]));
    }
    let last = house.make(Side::Left, "zoe@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    for (number, id) in told.iter().enumerate() {
        house.edit(Side::Left, &format!("{number}@x.es"), "city", text("Lugo"));
        house.hint(Side::Left, id).await;
    }
    house.edit(Side::Left, "zoe@x.es", "city", text("Noia"));
    house.hint_after(Side::Left, &last, Duration::from_secs(1)).await;
    let before = house.writes();
    house.run_because(Trigger::Webhook).await.unwrap();
    let written: Vec<Value> = house.vendors.right.history()[before..]
        .iter()
        .map(|event| event.fields[&"city".into()].clone())
        .collect();
    assert_eq!(written.len(), 121, "everybody in the one run");
    let at = written.iter().position(|city| *city == text("Noia")).unwrap();
    assert!(at < 50, "in the first slice, not the {at}th");
}

#[tokio::test]
async fn a_side_that_loses_many_is_noticed_before_anything_is_done_about_it() {
    // After one run our own writes are still to be looked at, and lead to those who are gone.
    for runs in [1, 2] {
        let house = House::new(|_| {}).await;
        let mut told = Vec::new();
        for number in 0..300 {
            told.push(house.make(Side::Left, &format!("{number}@x.es"), &[("city", "Vigo")]));
        }
        for _ in 0..runs {
            house.run().await.unwrap();
        }
        for (number, id) in told.iter().enumerate().take(150) {
            house.remove(Side::Left, &format!("{number}@x.es"));
            house.hint(Side::Left, id).await;
        }
        let before = house.writes();
        let stopped = house.run_because(Trigger::Webhook).await;
        let is_lost =
            matches!(stopped, Err(RunError::SideLost { side: Side::Left, gone: 150, .. }));
        assert!(is_lost, "{runs}: {stopped:?}");
        assert_eq!(house.writes(), before, "{runs}: nobody was tagged");
        // Nor is anybody else kept the same, until a person has looked.
        assert!(!house.reads_only_what_was_told().await);
        house.edit(Side::Left, "200@x.es", "city", text("Lugo"));
        house.hint(Side::Left, &told[200]).await;
        let stopped = house.run_because(Trigger::Webhook).await;
        assert!(matches!(stopped, Err(RunError::SideLost { .. })), "{runs}: {stopped:?}");
        assert_eq!(house.writes(), before, "{runs}: nothing was written");
    }
}

#[tokio::test]
async fn who_is_new_on_both_sides_is_made_on_neither() {
    let house = House::new(|_| {}).await;
    let mut told = Vec::new();
    for number in 0..60 {
        told.push(house.make(Side::Left, &format!("{number}@x.es"), &[("city", "Vigo")]));
    }
    house.run().await.unwrap();
    house.run().await.unwrap();
    let [left, right] = Side::BOTH.map(|side| house.make(side, "ana@x.es", &[("city", "Vigo")]));
    house.hint(Side::Left, &left).await;
    for id in &told {
        house.hint_after(Side::Left, id, Duration::from_secs(1)).await;
    }
    house.hint(Side::Right, &right).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    for side in Side::BOTH {
        let emails = house.emails(side);
        assert_eq!(emails.iter().filter(|email| *email == "ana@x.es").count(), 1, "{side:?}");
    }
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"), "they are linked");
}

#[tokio::test]
async fn who_is_new_is_looked_for_on_the_side_that_has_not_told_of_them() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "eva@x.es", &[("city", "Vigo")]);
    house.register(Side::Right).await;
    house.run().await.unwrap();
    house.run().await.unwrap();
    let [left, _] = Side::BOTH.map(|side| house.make(side, "ana@x.es", &[("city", "Vigo")]));
    house.hint(Side::Left, &left).await;
    let report = house.run_because(Trigger::Webhook).await.unwrap().report;
    assert_eq!(house.emails(Side::Right), ["ana@x.es", "eva@x.es"], "she is met, not made again");
    assert_eq!(report.missed_by_webhooks, 0, "the other notification may be on its way");
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"), "they are linked");
}

#[tokio::test]
async fn what_both_sides_tell_of_a_person_is_weighed_together() {
    let house = House::new(|settings| settings.preferred = Some(Side::Right)).await;
    for number in 0..60 {
        house.make(Side::Left, &format!("{number}@x.es"), &[("city", "Vigo")]);
    }
    house.run().await.unwrap();
    house.run().await.unwrap();
    for (side, city) in [(Side::Left, "Lugo"), (Side::Right, "Sada")] {
        house.edit(side, "0@x.es", "city", text(city));
        house.hint(side, &house.id(side, "0@x.es")).await;
    }
    for number in 1..60 {
        let id = house.id(Side::Right, &format!("{number}@x.es"));
        house.hint_after(Side::Right, &id, Duration::from_secs(1)).await;
    }
    house.run_because(Trigger::Webhook).await.unwrap();
    for side in Side::BOTH {
        assert_eq!(house.get(side, "0@x.es", "city"), text("Sada"), "{side:?}: as is preferred");
    }
}

#[tokio::test]
async fn an_edit_that_is_found_when_permission_is_written_is_weighed_before_the_rest() {
    let house = House::new(|settings| settings.preferred = Some(Side::Right)).await;
    let told = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.edit(Side::Left, "ana@x.es", "opt_out", Value::Boolean(true));
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.edit(Side::Right, "ana@x.es", "city", text("Sada"));
    house.hint(Side::Left, &told).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Sada"));
    house.run().await.unwrap();
    for side in Side::BOTH {
        assert_eq!(house.get(side, "ana@x.es", "city"), text("Sada"), "{side:?}: as is preferred");
        assert_eq!(house.get(side, "ana@x.es", "opt_out"), Value::Boolean(true), "{side:?}");
    }
}

#[tokio::test]
async fn what_a_told_run_finds_is_missed_if_nobody_told_of_it_in_time() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "eva@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "ida@x.es", &[("city", "Vigo")]);
    house.register(Side::Left).await;
    house.clock.advance(Duration::from_secs(1));
    house.run().await.unwrap();
    house.run().await.unwrap();
    house.edit(Side::Left, "eva@x.es", "city", text("Lugo"));
    house.clock.advance(Duration::from_secs(31));
    house.edit(Side::Left, "ida@x.es", "city", text("Sada"));
    // Somebody new makes it read everything.
    let new = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.hint(Side::Left, &new).await;
    let report = house.run_because(Trigger::Webhook).await.unwrap().report;
    for (email, city) in [("ana@x.es", "Vigo"), ("eva@x.es", "Lugo"), ("ida@x.es", "Sada")] {
        assert_eq!(house.get(Side::Right, email, "city"), text(city), "{email}");
    }
    assert_eq!(report.missed_by_webhooks, 1, "the notification of the last edit may still come");
}

#[tokio::test]
async fn what_was_done_before_an_app_posts_is_not_missed_whatever_it_told_since() {
    let house = House::new(|_| {}).await;
    let told = house.make(Side::Right, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    let minute = Duration::from_secs(60);
    house.clock.advance(minute);
    house.edit(Side::Left, "eva@x.es", "city", text("Lugo"));
    house.clock.advance(minute);
    house.register(Side::Left).await;
    house.clock.advance(minute);
    house.edit(Side::Right, "ana@x.es", "city", text("Sada"));
    house.hint(Side::Right, &told).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(house.get(Side::Left, "ana@x.es", "city"), text("Sada"));
    house.clock.advance(minute);
    let report = house.run().await.unwrap().report;
    assert_eq!(house.get(Side::Right, "eva@x.es", "city"), text("Lugo"));
    assert_eq!(report.missed_by_webhooks, 0, "nobody was to tell of it");
}

#[tokio::test]
async fn what_is_told_of_an_earlier_moment_takes_the_place_of_nothing_that_was_seen_since() {
    let house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    let old = house.vendors.left.records().remove(0);
    let moment = house.known(Side::Left).await;
    house.edit(Side::Left, "ana@x.es", "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"));
    let writes = house.writes();

    house.run_told_of_old(Side::Left, old, moment).await;
    assert_eq!(house.get(Side::Right, "ana@x.es", "city"), text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.writes(), writes, "and it is looked at again");
}
