//! What becomes of what came.

use std::time::Duration;

use concord::record::Side;
use concord::store::{Delivery, DeliveryState, Endpoint};
use sea_orm::{ConnectionTrait, Database};
use serde_json::json;

use crate::house::{HOME, House, Process};

/// The app of a side has told of a new contact.
async fn told(house: &House, process: &Process, side: Side) {
    let letters: Vec<(String, &str, String)> = match side {
        Side::Left => {
            house.kommo.person_adds(json!({ "name": "Ana Canary" }));
            let letters = house.kommo.due_deliveries().into_iter();
            letters.map(|letter| (letter.url, letter.content_type, letter.body)).collect()
        }
        Side::Right => {
            house.zoho.person_adds(json!({ "Last_Name": "Canary" }));
            let letters = house.zoho.due_deliveries().into_iter();
            letters.map(|letter| (letter.url, letter.content_type, letter.body)).collect()
        }
    };
    assert_eq!(letters.len(), 1);
    let (url, content_type, body) = &letters[0];
    let [secret, endpoint, app]: [&str; 3] =
        url.rsplit('/').take(3).collect::<Vec<_>>().try_into().unwrap();
    let addressed = process.webhooks.addressed(app, endpoint, secret).await.ok().unwrap();
    process.webhooks.receive(&addressed, content_type, body.as_bytes()).await.unwrap();
}

async fn kept(house: &House, endpoint: &Endpoint) -> Vec<Delivery> {
    let store = &house.store;
    store.deliveries_before(HOME, Some(endpoint.id), None, None, 9).await.unwrap()
}

#[tokio::test]
async fn what_fails_at_one_endpoint_keeps_no_other_waiting() {
    let house = House::new("expansion").await;
    let process = house.process(2);
    house.tend_after(&process, Duration::ZERO).await;
    let mut endpoints = house.store.endpoints(HOME).await.unwrap();
    let (first, second) = (endpoints.remove(0), endpoints.remove(0));
    for side in Side::BOTH {
        told(&house, &process, side).await;
    }
    let broken = format!("UPDATE endpoint SET state = '?' WHERE id = X'{}'", first.id.0.simple());
    let db = Database::connect(&house.url).await.unwrap();
    db.execute_unprepared(&broken).await.unwrap();

    let expansion = process.webhooks.expand_due().await.unwrap();
    assert_eq!(expansion.failed.keys().collect::<Vec<_>>(), [&first.id]);
    assert_eq!(expansion.woken.len(), 1, "the other has something to read");
    let states = |rows: Vec<Delivery>| rows.into_iter().map(|row| row.state).collect::<Vec<_>>();
    assert_eq!(states(kept(&house, &second).await), [DeliveryState::Expanded]);
    assert_eq!(states(kept(&house, &first).await), [DeliveryState::Received], "it is still due");
    // What is told of it names the endpoint, and nobody's data.
    let words = expansion.failed.values().map(ToString::to_string).collect::<String>();
    assert!(!words.contains("Canary"), "{words}");
}
