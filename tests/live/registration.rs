//! Webhooks that the app gave up or that somebody removed, and addresses that are worth nothing any
//! more.

use concord::connectors::kommo::emulator::{Fault, FaultKind};
use concord::net::{Http, Method, Request};
use serde_json::{Value as Json, json};

use crate::house::{House, SOON, ask, until};

/// Whether Kommo gave Concord's webhook up; none if it knows of none.
async fn is_disabled(house: &House) -> Option<bool> {
    let answer = house.webhooks_of_kommo(Method::Get, json!({})).await;
    if answer.status == 204 {
        return None;
    }
    let list: Json = serde_json::from_slice(&answer.body).unwrap();
    list["_embedded"]["webhooks"][0]["disabled"].as_bool()
}

/// Posts a notification. Gives the status of the answer.
async fn post(url: &str) -> u16 {
    let body = "account[id]=12345678&contacts[update][0][id]=1";
    let request = Request::new(Method::Post, url).body("application/x-www-form-urlencoded", body);
    Http::new().unwrap().send(request).await.unwrap().status
}

async fn unregister(house: &House, account: &str) -> Json {
    let query = "mutation($id: ID!) { webhookUnregister(accountId: $id) { webhook { state url } \
                 userErrors { code } } }";
    ask(&house.owner, query, json!({ "id": account })).await["webhookUnregister"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_was_removed_or_disabled_in_the_app_is_registered_again() {
    let (house, connected) = House::running("again", 40).await;
    let account = &connected.accounts[0];
    let id = house.linked()[0].0;
    let script = house.script().await;

    house.forget_webhook_in_kommo(account).await;
    assert_eq!(is_disabled(&house).await, None);
    assert!(script.register(account).await.unwrap());
    assert_eq!(is_disabled(&house).await, Some(false));
    house.titles(id, "Told After Removal");
    assert!(until(|| house.is_in_zoho("Told After Removal")).await < SOON);

    for number in 0..500 {
        house.titles(id, &format!("Told To Nobody {number}"));
        for letter in house.town.kommo.due_deliveries() {
            house.town.kommo.answered(letter.id, Some(500));
        }
    }
    assert_eq!(is_disabled(&house).await, Some(true), "Kommo has given it up");
    assert!(script.register(account).await.unwrap());
    assert_eq!(is_disabled(&house).await, Some(false));
    house.titles(id, "Told After Failures");
    assert!(until(|| house.is_in_zoho("Told After Failures")).await < SOON);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_worth_nothing_once_it_is_unregistered() {
    let (house, connected) = House::running("worthless", 20).await;
    let account = &connected.accounts[0];
    let old = house.url(account).await;
    assert_eq!(post(&old).await, 200);

    let done = unregister(&house, account).await;
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(done["webhook"]["state"], "UNREGISTERED");
    assert_eq!(is_disabled(&house).await, None, "Kommo knows of it no more");
    assert_eq!(post(&old).await, 404);

    assert!(house.script().await.register(account).await.unwrap());
    let new = house.url(account).await;
    assert_ne!(new, old);
    assert_eq!((post(&old).await, post(&new).await), (404, 200));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_worth_nothing_even_if_the_app_does_not_hear_of_it() {
    let (house, connected) = House::running("deaf", 20).await;
    let account = &connected.accounts[0];
    let old = house.url(account).await;
    assert_eq!(post(&old).await, 200);
    house.town.kommo.order(Fault {
        method: Some("DELETE".to_owned()),
        path: Some("/api/v4/webhooks".to_owned()),
        after: 0,
        times: 10,
        kind: FaultKind::LostBefore,
    });
    let done = unregister(&house, account).await;
    assert_ne!(done["userErrors"], json!([]), "Kommo may go on posting: {done}");
    assert_eq!(post(&old).await, 404);
    assert_eq!(house.webhook(account).await["state"], "UNREGISTERED");
    house.stop().await;
}
