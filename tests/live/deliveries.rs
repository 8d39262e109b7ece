//! What is shown of notifications, and to whom.

use concord::lab::demo::Client;
use serde_json::{Value as Json, json};
use tokio::time::{Duration, sleep};

use crate::house::{House, ask, until};

const LIST: &str = "query($id: ID!) { account(id: $id) { webhook { state url deliveries(first: 50) { \
                    edges { node { id state records times attempts error receivedAt } } } } } }";
const REPLAY: &str = "mutation($id: ID!) { deliveryReplay(id: $id) { \
                      delivery { id state } userErrors { code } } }";

fn deliveries(data: &Json) -> Vec<Json> {
    let edges = data["account"]["webhook"]["deliveries"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_listed_without_their_bodies_and_only_to_whom_they_belong() {
    let (house, connected) = House::running("shown", 40).await;
    let account = json!({ "id": connected.accounts[0] });
    house.titles(house.linked()[0].0, "Shown To Nobody");
    until(|| house.is_in_zoho("Shown To Nobody")).await;

    let data = ask(&house.owner, LIST, account.clone()).await;
    let listed = deliveries(&data);
    assert!(!listed.is_empty());
    for delivery in &listed {
        assert_eq!(delivery["state"], "EXPANDED", "{delivery}");
        assert_eq!((&delivery["records"], &delivery["times"]), (&json!(1), &json!(1)));
        assert_eq!((&delivery["attempts"], &delivery["error"]), (&json!(0), &Json::Null));
    }
    assert!(!data.to_string().contains("Shown To Nobody"), "what a body says is never shown");
    let body = LIST.replace("receivedAt", "body");
    assert!(Client::new(&house.owner).unwrap().ask(&body, account.clone()).await.is_err());

    let seen = ask(&house.viewer, LIST, account.clone()).await;
    assert_eq!(seen["account"]["webhook"]["state"], "REGISTERED");
    assert_eq!(seen["account"]["webhook"]["url"], Json::Null, "whoever knows it can post there");
    assert!(data["account"]["webhook"]["url"].is_string());
    assert_eq!(deliveries(&seen).len(), listed.len());
    let elsewhere = ask(&house.elsewhere, LIST, account.clone()).await;
    assert_eq!(elsewhere, json!({ "account": null }));

    let id = json!({ "id": listed[0]["id"] });
    for (server, code) in [(&house.viewer, "FORBIDDEN"), (&house.elsewhere, "NOT_FOUND")] {
        let refused = ask(server, REPLAY, id.clone()).await;
        assert_eq!(refused["deliveryReplay"]["delivery"], Json::Null, "{code}");
        assert_eq!(refused["deliveryReplay"]["userErrors"][0]["code"], code);
    }
    let replayed = ask(&house.owner, REPLAY, id).await;
    assert_eq!(replayed["deliveryReplay"]["delivery"]["id"], listed[0]["id"], "{replayed}");
    // It is looked into at once.
    sleep(Duration::from_secs(2)).await;
    let again = deliveries(&ask(&house.owner, LIST, account).await);
    assert!(again.iter().all(|delivery| delivery["state"] == "EXPANDED"), "{again:?}");
    house.stop().await;
}
