//! Webhooks that the app gave up or that somebody removed, and addresses that are worth nothing any
//! more.

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_was_removed_or_disabled_in_the_app_is_registered_again() {
    let (house, connected) = House::running("again", 40).await;
    let account = &connected.accounts[0];
    let id = house.linked()[0].0;
    let script = house.script();

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
    let post = async |url: &str| {
        let body = "account[id]=12345678&contacts[update][0][id]=1";
        let request = Request::new(Method::Post, url);
        let request = request.body("application/x-www-form-urlencoded", body);
        Http::new().unwrap().send(request).await.unwrap().status
    };
    assert_eq!(post(&old).await, 200);

    let query = "mutation($id: ID!) { webhookUnregister(accountId: $id) { webhook { state url } \
                 userErrors { code } } }";
    let done = ask(&house.owner, query, json!({ "id": account })).await;
    let done = &done["webhookUnregister"];
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(done["webhook"]["state"], "NOT_REGISTERED");
    assert_eq!(is_disabled(&house).await, None, "Kommo knows of it no more");
    assert_eq!(post(&old).await, 404);

    assert!(house.script().register(account).await.unwrap());
    let new = house.url(account).await;
    assert_ne!(new, old);
    assert_eq!((post(&old).await, post(&new).await), (404, 200));
    house.stop().await;
}
