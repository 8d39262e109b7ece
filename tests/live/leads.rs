//! Kommo's contacts and Zoho's leads: a connection of a side that is not the app's first object.

use serde_json::{Value as Json, json};

use crate::house::{House, SOON, ask, until};

const RECORDS: &str = "query($id: ID!) { connection(id: $id) { records(side: RIGHT, first: 50) { \
                       edges { node { remoteId outcome reason } } } } }";

async fn set_up(house: &House) -> (String, String) {
    let script = house.script().await;
    let [kommo, zoho] = script.accounts().await.unwrap();
    let client = script.client();
    let input = json!({
        "title": "Kommo and leads", "left": { "accountId": kommo },
        "right": { "accountId": zoho, "objects": ["Leads"] },
    });
    let made = client
        .act("connectionCreate", "ConnectionCreateInput", "connection { id }", input)
        .await
        .unwrap();
    let id = made["connection"]["id"].as_str().unwrap().to_owned();
    let consent = json!({
        "left": format!("cf_{}", house.town.moved.opt_out_field), "right": "Email_Opt_Out",
    });
    let input = json!({ "connectionId": id, "preferredSide": "LEFT", "emailConsent": consent });
    let edit = "draft { edit }";
    client.act("connectionUpdate", "ConnectionUpdateInput", edit, input).await.unwrap();
    for source in ["LEFT", "RIGHT"] {
        let input = json!({
            "connectionId": id, "source": source, "firstRun": "ALL", "writePolicy": "OVERWRITE",
        });
        client.act("syncUpdate", "SyncUpdateInput", edit, input).await.unwrap();
    }
    script.start(&id, &["NO_OTHER_SYNC"]).await.unwrap();
    let first = script.approved(&id).await.unwrap();
    for account in [&kommo, &zoho] {
        assert!(script.register(account).await.unwrap());
    }
    script.run(&id, &first).await.unwrap();
    house.still(&id).await;
    (id, zoho)
}

fn lead(house: &House, words: &str) -> Option<Json> {
    house.town.zoho.leads().into_iter().find(|lead| lead.to_string().contains(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leads_are_kept_the_same_until_they_are_converted() {
    let house = House::new("leads", 10, async |emulators, _| emulators.overrides()).await;
    let contacts = house.town.zoho.contacts();
    let (id, _) = set_up(&house).await;
    assert_eq!(house.town.zoho.contacts(), contacts, "contacts are none of its business");

    let person = house.linked()[0].0;
    house.titles(person, "Told By Kommo");
    let there = || lead(&house, "Told By Kommo").is_some();
    assert!(until(there).await < SOON);
    let told = lead(&house, "Told By Kommo").unwrap();
    assert_eq!(told["Designation"], "Told By Kommo");
    let lead_id = told["id"].as_str().unwrap().to_owned();
    assert!(house.town.zoho.person_edits(&lead_id, json!({ "Designation": "Told By Zoho" })));
    assert!(until(|| house.is_in_kommo("Told By Zoho")).await < SOON);

    let before = house.town.kommo.contacts().len();
    house.still(&id).await;
    assert!(house.town.zoho.person_converts(&lead_id).is_some());
    house.titles(person, "After The Conversion");
    let left = async || {
        let data = ask(&house.owner, RECORDS, json!({ "id": id })).await;
        let edges = data["connection"]["records"]["edges"].as_array().unwrap().clone();
        edges.into_iter().map(|edge| edge["node"].clone()).find(|node| node["remoteId"] == *lead_id)
    };
    let told = json!({ "remoteId": lead_id, "outcome": "SKIPPED", "reason": "left" });
    for _ in 0..100 {
        if left().await.as_ref() == Some(&told) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(left().await, Some(told));
    house.still(&id).await;
    assert!(!house.is_in_kommo("Deleted"), "nobody was removed");
    assert_eq!(house.town.kommo.contacts().len(), before);
    assert!(lead(&house, "After The Conversion").is_none(), "nothing is written to it");
    assert!(!house.is_in_zoho("After The Conversion"), "nor is anybody made anew");
    house.stop().await;
}
