//! Since when an app posts, when it is asked, and when it is told again.

use std::time::Duration;

use concord::record::Side;
use concord::store::{Endpoint, EndpointState};

use crate::house::{House, Process};

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A house whose webhooks are registered, with the process that did it.
pub async fn registered(name: &str) -> (House, Process) {
    let house = House::new(name).await;
    let process = house.process(2);
    let asked = house.tend_after(&process, Duration::ZERO).await;
    assert!(asked.left.contains(&"POST".to_owned()), "{asked:?}");
    assert!(asked.right.contains(&"POST".to_owned()), "{asked:?}");
    for side in Side::BOTH {
        posts_since_now(&house, side).await;
    }
    (house, process)
}

/// That the app of a side posts from now on, and not from before.
async fn posts_since_now(house: &House, side: Side) -> Endpoint {
    use concord::ports::Clock as _;
    let endpoint = house.endpoint(side).await;
    assert_eq!(endpoint.state, EndpointState::Registered);
    let since = endpoint.registered_at.unwrap();
    assert!(house.clock.now().duration_since(since).as_millis() < 1, "{side:?}: {since}");
    endpoint
}

#[tokio::test]
async fn what_is_in_order_is_looked_at_each_hour_and_left_alone() {
    let (house, process) = registered("hourly").await;
    let before = [house.endpoint(Side::Left).await, house.endpoint(Side::Right).await];
    let none: [&str; 0] = [];
    for (wait, expected) in [(59 * MINUTE, &none[..]), (MINUTE, &["GET"]), (60 * MINUTE, &["GET"])]
    {
        let asked = house.tend_after(&process, wait).await;
        assert_eq!(asked.left, *expected);
        assert_eq!(asked.right, *expected);
    }
    // One that starts now knows no better.
    let asked = house.tend_after(&house.process(3), MINUTE).await;
    assert_eq!(asked.left, ["GET"]);
    assert_eq!(asked.right, ["GET"]);
    let after = [house.endpoint(Side::Left).await, house.endpoint(Side::Right).await];
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_ends_is_renewed_at_half_its_life_and_has_posted_all_the_time() {
    let (house, process) = registered("half").await;
    let first = house.endpoint(Side::Right).await;
    let half = 13 * DAY / 4;
    let asked = house.tend_after(&process, half - MINUTE).await;
    assert_eq!(asked.right, ["GET"], "not before");
    let asked = house.tend_after(&process, 10 * MINUTE).await;
    assert!(asked.right.contains(&"PUT".to_owned()), "{asked:?}");
    assert_eq!(asked.left, [""; 0], "Kommo forgets nothing");
    let renewed = house.endpoint(Side::Right).await;
    assert!(renewed.expires_at > first.expires_at);
    assert_eq!(renewed, Endpoint { expires_at: renewed.expires_at, ..first });
    // Its life counts from the renewal, for whoever starts later, too.
    let asked = house.tend_after(&house.process(3), half - MINUTE).await;
    assert_eq!(asked.right, ["GET"]);
    let asked = house.tend_after(&house.process(4), MINUTE).await;
    assert!(asked.right.contains(&"PUT".to_owned()), "{asked:?}");
    assert_eq!(house.endpoint(Side::Right).await.registered_at, renewed.registered_at);
}

#[tokio::test]
async fn what_ended_is_registered_anew() {
    let (house, process) = registered("ended").await;
    house.tend_after(&process, 7 * DAY).await;
    posts_since_now(&house, Side::Right).await;
    let left = house.endpoint(Side::Left).await;
    assert!(left.registered_at < house.endpoint(Side::Right).await.registered_at);
}

#[tokio::test]
async fn what_the_app_gave_up_or_somebody_removed_is_registered_anew() {
    let (house, process) = registered("gone").await;
    house.forget_webhook_in_kommo(&process).await;
    house.tend_after(&process, HOUR).await;
    posts_since_now(&house, Side::Left).await;
    house.give_up_webhook_in_kommo();
    let asked = house.tend_after(&process, HOUR).await;
    assert!(asked.left.contains(&"POST".to_owned()), "{asked:?}");
    posts_since_now(&house, Side::Left).await;
}

#[tokio::test]
async fn of_what_could_not_be_looked_at_nobody_knows_whether_it_posted() {
    let (house, process) = registered("failed").await;
    house.break_webhooks_of_kommo(1);
    house.tend_after(&process, HOUR).await;
    let failed = house.endpoint(Side::Left).await;
    assert!(matches!(failed.state, EndpointState::Failed(_)), "{:?}", failed.state);
    let asked = house.tend_after(&process, 10 * MINUTE).await;
    assert_eq!(asked.left, ["GET"], "it is still there");
    posts_since_now(&house, Side::Left).await;
}

#[tokio::test]
async fn at_another_address_or_of_other_objects_it_is_another_registration() {
    let (house, _) = registered("another").await;
    let moved = house.process_at(3, "http://127.0.0.1:2");
    let asked = house.tend_after(&moved, MINUTE).await;
    assert!(asked.left.contains(&"POST".to_owned()), "{asked:?}");
    assert!(asked.right.contains(&"PUT".to_owned()), "{asked:?}");
    for side in Side::BOTH {
        let now = posts_since_now(&house, side).await;
        let objects = ["other".into()].into();
        let seen = now.generation;
        house.store.save_endpoint(&Endpoint { objects, ..now }, seen).await.unwrap();
    }
    house.tend_after(&moved, HOUR).await;
    for side in Side::BOTH {
        let now = posts_since_now(&house, side).await;
        assert_ne!(now.objects, ["other".into()].into());
    }
}

#[tokio::test]
async fn a_person_who_registers_what_posts_renews_it() {
    let (house, process) = registered("person").await;
    let before = house.endpoint(Side::Right).await;
    house.clock.advance(DAY);
    let after = process.webhooks.register(before.clone()).await.unwrap();
    assert!(after.expires_at > before.expires_at);
    assert_eq!(after.registered_at, before.registered_at);
    assert_eq!(house.endpoint(Side::Right).await, after);
}
