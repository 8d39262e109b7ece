//! A connection one of whose accounts needs reconnecting: it says so, and goes on when it is connected
//! again.

use std::time::Duration;

use concord::connectors::zoho::emulator::{CLIENT_ID, CLIENT_SECRET};
use serde_json::{Value as Json, json};

use crate::house::{House, SOON, ask, until};

const TOLD: &str = "query($id: ID!) { connection(id: $id) { runs(first: 3) { edges { node { state error } } } \
                    issues(first: 5) { edges { node { code side } } } } }";

/// What is told of the last runs, and what is open.
async fn told(house: &House, connection: &str) -> [Vec<Json>; 2] {
    let told = ask(&house.owner, TOLD, json!({ "id": connection })).await["connection"].clone();
    ["runs", "issues"].map(|list| {
        let edges = told[list]["edges"].as_array().unwrap().iter();
        edges.map(|edge| edge["node"].clone()).collect()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_refused_outside_of_a_run_is_told_by_the_next_one() {
    let (house, connected) = House::running("reconnecting", 10).await;
    let zoho = &connected.accounts[1];
    house.town.zoho.revoke_refresh_token();
    let check = "mutation($id: ID!) { accountCheck(id: $id) { userErrors { code } } }";
    let checked = ask(&house.owner, check, json!({ "id": zoho })).await;
    assert_eq!(checked["accountCheck"]["userErrors"][0]["code"], "CREDENTIALS_REFUSED");

    let person = house.linked()[0].0;
    house.titles(person, "Told While Refused");
    let issue = json!({ "code": "ACCOUNT_NEEDS_RECONNECTING", "side": "RIGHT" });
    let failed = json!({ "state": "FAILED", "error": "needs_reconnecting" });
    let mut seen = told(&house, &connected.id).await;
    for _ in 0..200 {
        if seen[0][0] == failed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        seen = told(&house, &connected.id).await;
    }
    assert_eq!(seen[0][0], failed, "{seen:?}");
    assert_eq!(seen[1], std::slice::from_ref(&issue), "{seen:?}");
    // Once.
    house.titles(person, "Told While Refused Again");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let [runs, issues] = told(&house, &connected.id).await;
    assert_ne!(runs[1], failed, "{runs:?}");
    assert_eq!(issues, [issue], "what else is read says nothing of it");

    let mend = "mutation($input: AccountReconnectInput!) { accountReconnect(input: $input) { \
                userErrors { code message } } }";
    let credentials: Vec<Json> = [
        ("data_centre", "eu"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("code", &house.town.zoho.grant_code()),
    ]
    .map(|(name, value)| json!({ "name": name, "value": value }))
    .into();
    let input = json!({ "input": { "id": zoho, "credentials": credentials } });
    let mended = ask(&house.owner, mend, input).await;
    assert_eq!(mended["accountReconnect"]["userErrors"], json!([]));
    let run = "mutation($id: ID!) { connectionRun(connectionId: $id) { userErrors { code } } }";
    ask(&house.owner, run, json!({ "id": connected.id })).await;
    assert!(until(|| house.is_in_zoho("Told While Refused Again")).await < SOON * 2);
    house.still(&connected.id).await;
    let [_, issues] = told(&house, &connected.id).await;
    assert!(issues.is_empty(), "it is over: {issues:?}");
    house.stop().await;
}
