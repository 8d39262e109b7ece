//! Kommo's contacts and Zoho's leads: a connection of a side that is not the app's first object.

use serde_json::{Value as Json, json};

use crate::house::{House, SOON, ask, until};

const RECORDS: &str = "query($id: ID!) { connection(id: $id) { records(side: RIGHT, first: 50) { \
                       edges { node { remoteId object outcome reason became { object remoteId } } } } } }";

/// A connection with these objects of Zoho, through with its first run and told of what happens; with
/// rules of the direction to Zoho, if it has any of its own.
async fn set_up(house: &House, objects: &[&str], rules: Option<Json>) -> String {
    let script = house.script().await;
    let [kommo, zoho] = script.accounts().await.unwrap();
    let client = script.client();
    let input = json!({
        "title": "Kommo and leads", "left": { "accountId": kommo },
        "right": { "accountId": zoho, "objects": objects },
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
    if let Some(rules) = rules {
        let input = json!({ "connectionId": id, "source": "LEFT", "rules": rules });
        client.act("ruleSet", "RuleSetInput", edit, input).await.unwrap();
    }
    script.start(&id, &["NO_OTHER_SYNC"]).await.unwrap();
    let first = script.approved(&id).await.unwrap();
    for account in [&kommo, &zoho] {
        assert!(script.register(account).await.unwrap());
    }
    script.run(&id, &first).await.unwrap();
    house.still(&id).await;
    id
}

impl House {
    /// How a record of Zoho stands: as it is expected to, or after a while as it does.
    async fn told_of(&self, connection: &str, record: &str, expected: &Json) -> Json {
        let mut told = Json::Null;
        for _ in 0..100 {
            let data = ask(&self.owner, RECORDS, json!({ "id": connection })).await;
            let edges = data["connection"]["records"]["edges"].as_array().unwrap().clone();
            let mut nodes = edges.into_iter().map(|edge| edge["node"].clone());
            told = nodes.find(|node| node["remoteId"] == *record).unwrap_or_default();
            if told == *expected {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        told
    }

    /// Somebody is a contact of Zoho with this title.
    fn is_titled(&self, contact: &str, title: &str) -> bool {
        let contacts = self.town.zoho.contacts();
        contacts.iter().any(|one| one["id"] == *contact && one["Title"] == *title)
    }
}

fn lead(house: &House, words: &str) -> Option<Json> {
    house.town.zoho.leads().into_iter().find(|lead| lead.to_string().contains(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leads_are_kept_the_same_until_they_are_converted() {
    let house = House::new("leads", 10, async |emulators, _| emulators.overrides()).await;
    let contacts = house.town.zoho.contacts();
    let id = set_up(&house, &["Leads"], None).await;
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
    let contact = house.town.zoho.person_converts(&lead_id).unwrap();
    house.titles(person, "After The Conversion");
    let told = json!({
        "remoteId": lead_id, "object": "Leads", "outcome": "SKIPPED", "reason": "left",
        "became": { "object": "Contacts", "remoteId": contact },
    });
    assert_eq!(house.told_of(&id, &lead_id, &told).await, told);
    house.still(&id).await;
    assert!(!house.is_in_kommo("Deleted"), "nobody was removed");
    assert_eq!(house.town.kommo.contacts().len(), before);
    assert!(lead(&house, "After The Conversion").is_none(), "nothing is written to it");
    assert!(!house.is_in_zoho("After The Conversion"), "nor is anybody made anew");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_that_is_converted_stays_the_same_person() {
    let house = House::new("conversion", 10, async |emulators, _| emulators.overrides()).await;
    let id = set_up(&house, &["Contacts", "Leads"], None).await;
    let people = house.town.zoho.contacts().len();
    let lead_id = house.town.zoho.person_adds_lead(json!({
        "Last_Name": "Prospecta", "Email": "prospecta@example.com", "Designation": "As A Lead",
    }));
    assert!(until(|| house.is_in_kommo("As A Lead")).await < 2 * SOON);
    let in_kommo = house.town.kommo.contacts().len();
    let mut contacts = house.town.kommo.contacts().into_iter();
    let person = contacts.find(|one| one.to_string().contains("Prospecta")).unwrap();
    let person = person["id"].as_u64().unwrap();

    house.still(&id).await;
    let contact = house.town.zoho.person_converts(&lead_id).unwrap();
    house.titles(person, "As A Customer");
    assert!(until(|| house.is_titled(&contact, "As A Customer")).await < 2 * SOON);
    let patch = json!({ "Title": "Told By Zoho" });
    assert!(house.town.zoho.person_edits(&contact, patch));
    assert!(until(|| house.is_in_kommo("Told By Zoho")).await < 2 * SOON);

    house.still(&id).await;
    assert_eq!(house.town.kommo.contacts().len(), in_kommo, "nobody is made anew");
    assert_eq!(house.town.zoho.contacts().len(), people + 1);
    assert!(!house.is_in_kommo("Deleted"), "nobody was removed");
    let told = json!({
        "remoteId": lead_id, "object": "Leads", "outcome": "SKIPPED", "reason": "left",
        "became": { "object": "Contacts", "remoteId": contact },
    });
    assert_eq!(house.told_of(&id, &lead_id, &told).await, told);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_makes_a_contact_of_a_lead() {
    let house = House::new("rules", 10, async |emulators, _| emulators.overrides()).await;
    let client =
        json!({ "field": "POSITION", "operator": "EQUALS", "values": [{ "text": "Client" }] });
    let rules =
        json!([{ "filter": { "is": client }, "object": "Contacts" }, { "object": "Leads" }]);
    let id = set_up(&house, &["Contacts", "Leads"], Some(rules)).await;
    let people = house.town.zoho.contacts().len();
    let email = json!([{ "field_code": "EMAIL",
                         "values": [{ "value": "paula@example.com", "enum_code": "WORK" }] }]);
    let paula = house.town.kommo.person_adds(json!({
        "first_name": "Paula", "last_name": "Prospecta", "name": "Paula Prospecta",
        "custom_fields_values": email,
    }));
    assert!(until(|| lead(&house, "paula@example.com").is_some()).await < 2 * SOON);
    assert_eq!(house.town.zoho.contacts().len(), people, "who is no client is a lead");
    house.still(&id).await;
    let in_kommo = house.town.kommo.contacts().len();

    house.titles(paula, "Client");
    assert!(until(|| house.is_in_zoho("paula@example.com")).await < 2 * SOON);
    house.still(&id).await;
    // There is no way back, and what she is told of goes on.
    house.titles(paula, "Told Afterwards");
    assert!(until(|| house.is_in_zoho("Told Afterwards")).await < 2 * SOON);
    house.still(&id).await;
    assert_eq!(house.town.zoho.contacts().len(), people + 1);
    assert_eq!(house.town.kommo.contacts().len(), in_kommo);
    let query = "query($id: ID!) { connection(id: $id) { runs(first: 50) { edges { node { \
                 counts { writes { side kind count } } } } } } }";
    let data = ask(&house.owner, query, json!({ "id": id })).await;
    let converted = json!({ "side": "RIGHT", "kind": "convert", "count": 1 });
    assert_eq!(data.to_string().matches(&converted.to_string()).count(), 1, "{data}");
    house.stop().await;
}
