//! What the receiver of notifications takes, and what it refuses.

use std::time::Duration;

use concord::net::{self, Method};
use concord::store::{DeliveryEnd, DeliveryState};

use crate::house::House;

const FORM: &str = "application/x-www-form-urlencoded";
/// A contact of the account was changed.
const CHANGED: &str = "account[subdomain]=demo&account[id]=36398783\
    &contacts[update][0][id]=43684612&contacts[update][0][name]=Ana+Canary\
    &contacts[update][0][type]=contact";

#[tokio::test]
async fn what_an_app_posts_is_kept_and_answered_with_nothing() {
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("kommo").await;
    let reply = house.notify(&path, FORM, CHANGED).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    let kept = house.kept(&endpoint).await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].state, kept[0].times), (DeliveryState::Received, 1));
    // Sealed: it holds people's data.
    assert!(!kept[0].body.windows(6).any(|part| part == b"Canary"));
}

#[tokio::test]
async fn what_was_looked_into_is_forgotten_after_thirty_days() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("kommo").await;
    assert_eq!(house.notify(&path, FORM, CHANGED).await.status, 200);
    house.webhooks.expand_due().await.unwrap();
    for (days, kept) in [(29, 1), (2, 0)] {
        house.clock.advance(days * DAY);
        house.webhooks.forget_old().await.unwrap();
        assert_eq!(house.kept(&endpoint).await.len(), kept);
    }
    assert_eq!(house.notify(&path, FORM, CHANGED).await.status, 200);
    house.clock.advance(60 * DAY);
    house.webhooks.forget_old().await.unwrap();
    assert_eq!(house.kept(&endpoint).await.len(), 1, "nobody has looked into it");
}

#[tokio::test]
async fn what_waits_for_a_person_is_forgotten_after_ninety_days() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("kommo").await;
    assert_eq!(house.notify(&path, FORM, CHANGED).await.status, 200);
    let kept = house.kept(&endpoint).await.remove(0);
    let end = DeliveryEnd::Parked { error: "sealed".to_owned() };
    let (store, workspace) = (&house.store, endpoint.workspace);
    assert!(store.settle_delivery(workspace, kept.id, kept.received_at, &end).await.unwrap());
    for (days, kept) in [(89, 1), (2, 0)] {
        house.clock.advance(days * DAY);
        house.webhooks.forget_old().await.unwrap();
        assert_eq!(house.kept(&endpoint).await.len(), kept);
    }
}

#[tokio::test]
async fn the_same_again_is_kept_once_and_looked_into_again() {
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("kommo").await;
    for times in 1..=2 {
        assert_eq!(house.notify(&path, FORM, CHANGED).await.status, 200);
        assert!(house.webhooks.expand_due().await.unwrap().woken.is_empty(), "nobody connects it");
        let kept = house.kept(&endpoint).await;
        assert_eq!(kept.len(), 1);
        let delivery = (kept[0].state, kept[0].times, kept[0].hints);
        assert_eq!(delivery, (DeliveryState::Expanded, times, 1));
    }
}

#[tokio::test]
async fn an_address_that_is_not_whole_and_right_is_nothing() {
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("kommo").await;
    let (known, secret) = path.rsplit_once('/').unwrap();
    let wrong = [
        format!("{known}/{}", "0".repeat(secret.len())),
        format!("{known}/{}", &secret[..secret.len() - 1]),
        format!("{known}/{secret}0"),
        format!("/webhooks/zoho/{}/{secret}", endpoint.id),
        format!("/webhooks/nobody/{}/{secret}", endpoint.id),
        format!("/webhooks/kommo/end_00000000000000000000000000000000/{secret}"),
        format!("/webhooks/kommo/none/{secret}"),
        format!("{path}/more"),
        known.to_owned(),
    ];
    for path in wrong {
        let reply = house.notify(&path, FORM, CHANGED).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.body.contains(secret), "{}", reply.body);
    }
    assert!(house.kept(&endpoint).await.is_empty());
}

#[tokio::test]
async fn whoever_knows_no_address_is_refused_before_anything_is_read() {
    let house = House::open().await;
    let (path, _) = house.endpoint("kommo").await;
    let raw = house.raw().await;
    let head = format!(
        "POST {path}0 HTTP/1.1\r\nHost: sync.example.com\r\nConnection: close\r\n\
         Content-Type: {FORM}\r\nContent-Length: 100\r\n\r\n"
    );
    raw.send(head.as_bytes()).await;
    assert_eq!(raw.answer().await.status, 404, "the body never came");
}

#[tokio::test]
async fn an_old_address_is_nothing_once_there_is_a_new_one() {
    let house = House::open().await;
    let (path, mut endpoint) = house.endpoint("kommo").await;
    endpoint.generation += 1;
    house.store.save_endpoint(&endpoint, endpoint.generation - 1).await.unwrap();
    assert_eq!(house.notify(&path, FORM, CHANGED).await.status, 404);
    let path = house.webhooks.address(&endpoint, "kommo").unwrap();
    let path = path.strip_prefix(crate::house::PUBLIC).unwrap();
    assert_eq!(house.notify(path, FORM, CHANGED).await.status, 200);
}

#[tokio::test]
async fn what_is_malformed_forged_or_too_large_is_told_and_not_kept() {
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("kommo").await;
    let foreign = CHANGED.replace("account[id]=36398783", "account[id]=1");
    let cases: [(&str, Vec<u8>, u16); 4] = [
        ("no form", b"{\"a\":".to_vec(), 400),
        ("nothing", Vec::new(), 400),
        ("another account", foreign.into_bytes(), 403),
        ("too large", vec![b'a'; 1024 * 1024 + 1], 413),
    ];
    for (what, body, status) in cases {
        let reply = house.notify(&path, FORM, body).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert!(reply.body.contains(':'), "it says what to do: {}", reply.body);
    }
    assert!(house.kept(&endpoint).await.is_empty());
}

#[tokio::test]
async fn a_token_that_is_not_repeated_is_forged() {
    let house = House::open().await;
    let (path, endpoint) = house.endpoint("zoho").await;
    let body = r#"{"server_time":1750102639787,"module":"Contacts","ids":["1"],"operation":"update","channel_id":"1","token":"guessed"}"#;
    let reply = house.notify(&path, "application/json", body).await;
    assert_eq!(reply.status, 403, "{}", reply.body);
    assert!(house.kept(&endpoint).await.is_empty());
}

#[tokio::test]
async fn only_posting_is_taken() {
    let house = House::open().await;
    let (path, _) = house.endpoint("kommo").await;
    for method in [Method::Get, Method::Put, Method::Delete] {
        let reply = house.send(net::Request::new(method, house.url(&path))).await;
        assert_eq!(reply.status, 405);
        assert_eq!(reply.headers.get("allow").map(String::as_str), Some("POST"));
    }
}
