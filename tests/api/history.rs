//! What there is to be read once a connection has run: how records stand and why, what was written
//! and why, and what a person should look at.

use std::collections::{BTreeMap, BTreeSet};

use concord::lab::demo::{self, Client, Town};
use concord::lab::people::Kind;
use concord::ports::{Clock as _, SystemClock};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::demo::{Folder, play, serve};

const CHANGE: &str = "id runId side kind recordId state error at tagsAdded tagsRemoved \
                      fields { field before { __typename ... on TextValue { text } } \
                      after { __typename ... on TextValue { text } } why entry row }";

struct History<'a> {
    client: Client,
    connection: String,
    town: &'a Town,
}

impl History<'_> {
    /// A page of a list of the connection. Gives its nodes.
    async fn list(&self, list: &str, node: &str) -> Vec<Json> {
        let query = format!(
            "query($id: ID!) {{ connection(id: $id) {{ page: {list} {{ edges {{ node {{ {node} }} }} \
             pageInfo {{ hasNextPage endCursor }} }} }} }}"
        );
        let data = self.client.ask(&query, json!({ "id": self.connection })).await.unwrap();
        let edges = data["connection"]["page"]["edges"].as_array().unwrap();
        edges.iter().map(|edge| edge["node"].clone()).collect()
    }

    /// What was written, page by page.
    async fn all_changes(&self) -> Vec<Json> {
        let (mut all, mut after) = (Vec::new(), Json::Null);
        loop {
            let answer = format!(
                "changes(first: 100, after: {after}) {{ edges {{ node {{ id side kind recordId }} }} \
                 pageInfo {{ hasNextPage endCursor }} }}"
            );
            let page = self.ask(&answer).await["changes"].take();
            let edges = page["edges"].as_array().unwrap();
            all.extend(edges.iter().map(|edge| edge["node"].clone()));
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    async fn ask(&self, answer: &str) -> Json {
        let query = format!("query($id: ID!) {{ connection(id: $id) {{ {answer} }} }}");
        let mut data = self.client.ask(&query, json!({ "id": self.connection })).await.unwrap();
        data["connection"].take()
    }

    /// The ids in both apps of people of a kind, as the API tells ids.
    fn ids(&self, kind: Kind) -> BTreeSet<(String, String)> {
        let people = self.town.people.people.iter().filter(|person| person.kind == kind);
        let moved = &self.town.moved;
        let ids = people.flat_map(|person| {
            let left = moved.left_ids.get(&person.number).into_iter().flatten();
            let right = moved.right_ids.get(&person.number).into_iter().flatten();
            let left = left.map(|id| ("LEFT".to_owned(), id.to_string()));
            left.chain(right.map(|id| ("RIGHT".to_owned(), id.clone()))).collect::<Vec<_>>()
        });
        ids.collect()
    }
}

fn text<'a>(json: &'a Json, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no {field}: {json}"))
}

fn end(record: &Json, id: &str) -> (String, String) {
    (text(record, "side").to_owned(), text(record, id).to_owned())
}

fn moment(json: &Json, field: &str) -> Timestamp {
    text(json, field).parse().unwrap()
}

#[tokio::test]
async fn what_a_connection_did_and_left_is_told_with_its_reasons() {
    let folder = Folder::new("history");
    let (town, emulators) = demo::open(100, 7, [0, 0]).await.unwrap();
    let served = serve(&folder, emulators.overrides()).await;
    play(&town, emulators, &served.server).await;
    let client = Client::new(&served.server).unwrap();
    let data = client.ask("{ connections { edges { node { id } } } }", json!({})).await.unwrap();
    let connection = text(&data["connections"]["edges"][0]["node"], "id").to_owned();
    let history = History { client, connection, town: &town };
    records_tell_their_outcome_and_reason(&history).await;
    changes_tell_each_field_with_its_reason(&history).await;
    changes_come_page_by_page(&history).await;
    issues_are_told_and_resolved(&history).await;
    served.stop().await;
}

async fn records_tell_their_outcome_and_reason(history: &History<'_>) {
    let node = "remoteId side outcome reason code since findings { code side field }";
    let all = history.list("records(first: 100)", node).await;
    let of = |outcome: &str| all.iter().filter(|one| one["outcome"] == outcome).collect::<Vec<_>>();
    assert!(all.iter().all(|one| moment(one, "since") <= SystemClock.now()));
    // Those without an address are left alone, and no others.
    let skipped: BTreeSet<_> = of("SKIPPED").iter().map(|one| end(one, "remoteId")).collect();
    assert_eq!(skipped, history.ids(Kind::NoEmail));
    assert!(of("SKIPPED").iter().all(|one| one["reason"] == "no_match_key"), "{all:?}");
    let failed: BTreeSet<_> = of("FAILED").iter().map(|one| end(one, "remoteId")).collect();
    assert_eq!(failed, history.ids(Kind::Refused));
    assert!(of("FAILED").iter().all(|one| one["reason"] == "refused"), "{all:?}");
    assert!(of("FAILED").iter().all(|one| one["code"].is_string()), "{all:?}");
    assert!(!skipped.is_empty() && !failed.is_empty());
    for (outcome, kind) in [("AMBIGUOUS", Kind::TwoCandidates), ("DUPLICATE", Kind::SharesAddress)]
    {
        let ends: BTreeSet<_> = of(outcome).iter().map(|one| end(one, "remoteId")).collect();
        assert!(!ends.is_empty() && ends.is_subset(&history.ids(kind)), "{outcome}: {ends:?}");
    }
    let finding = json!({"code": "WRONG_SHAPE", "side": "RIGHT", "field": "Phone"});
    assert!(of("FAILED").iter().all(|one| one["findings"] == json!([finding])), "{all:?}");

    let mut counted = BTreeMap::new();
    for one in all.iter().filter(|one| one["outcome"] != "IN_SYNC") {
        *counted.entry(text(one, "outcome").to_owned()).or_insert(0_u64) += 1;
    }
    let told = history.ask("recordCounts { outcome count }").await;
    let told = told["recordCounts"].as_array().unwrap().iter();
    let told: BTreeMap<String, u64> =
        told.map(|one| (text(one, "outcome").to_owned(), one["count"].as_u64().unwrap())).collect();
    assert_eq!(told, counted);

    let fields = "remoteId side outcome fields { field value { __typename ... on TextValue { text } } } \
                  changes(first: 5) { edges { node { kind state error recordId } } }";
    let refused = history.list("records(outcome: FAILED, side: LEFT, first: 5)", fields).await;
    for record in &refused {
        assert_eq!((&record["outcome"], &record["side"]), (&json!("FAILED"), &json!("LEFT")));
        let mut contacts = history.town.kommo.contacts().into_iter();
        let id: u64 = text(record, "remoteId").parse().unwrap();
        let contact = contacts.find(|one| one["id"] == id);
        let name = contact.unwrap()["first_name"].clone();
        let fields = record["fields"].as_array().unwrap();
        let told = fields.iter().find(|one| one["field"] == "first_name").unwrap();
        assert_eq!(told["value"], json!({"__typename": "TextValue", "text": name}));
    }
    assert_eq!(refused.len(), failed.iter().filter(|(side, _)| side == "LEFT").count());
    assert!(!refused.is_empty());
}

async fn changes_tell_each_field_with_its_reason(history: &History<'_>) {
    let all = history.all_changes().await;
    let kinds: BTreeSet<&str> = all.iter().map(|one| text(one, "kind")).collect();
    assert!(kinds.is_superset(&["create", "fields", "consent"].into()), "{kinds:?}");
    let record =
        |side: &str, id: &str| format!("changes(side: {side}, recordId: {id:?}, first: 5)");

    // Somebody who was made on the right.
    let is_made = |one: &&Json| one["kind"] == "create" && one["side"] == "RIGHT";
    let made = all.iter().find(|one| is_made(one) && one["recordId"].is_string()).unwrap();
    let id = text(made, "recordId");
    let told = history.list(&record("RIGHT", id), CHANGE).await;
    assert!(told.iter().all(|one| one["recordId"] == id && one["side"] == "RIGHT"), "{told:?}");
    let by_id = history.list(&format!("changes(first: 100, recordId: {id:?})"), CHANGE).await;
    assert!(by_id.iter().all(|one| one["recordId"] == id) && by_id.len() >= told.len());
    let of_side = history.list("changes(first: 100, side: LEFT)", CHANGE).await;
    assert!(!of_side.is_empty() && of_side.iter().all(|one| one["side"] == "LEFT"), "{of_side:?}");
    let create = told.iter().find(|one| one["kind"] == "create").unwrap();
    assert_eq!((&create["state"], &create["error"]), (&json!("APPLIED"), &Json::Null));
    assert!(moment(create, "at") <= SystemClock.now());
    let contacts = history.town.zoho.contacts();
    let contact = contacts.iter().find(|one| one["id"] == id).unwrap();
    let fields = create["fields"].as_array().unwrap();
    let name = fields.iter().find(|one| one["field"] == "Last_Name").unwrap();
    assert_eq!(name["after"], json!({"__typename": "TextValue", "text": contact["Last_Name"]}));
    assert!(text(name, "entry").contains("Last_Name"), "{name}");
    assert!((1..=9).contains(&name["row"].as_u64().unwrap()), "{name}");
    assert!(!text(name, "why").is_empty());
    let query =
        "query($id: ID!) { run(id: $id) { id changes(first: 100) { edges { node { id } } } } }";
    let run = history.client.ask(query, json!({ "id": create["runId"] })).await.unwrap();
    let of_run = run["run"]["changes"]["edges"].as_array().unwrap();
    assert!(of_run.iter().any(|edge| edge["node"]["id"] == create["id"]), "{run}");

    // Somebody whose title was edited on the left.
    let words = "Edited on the left";
    let is_edited =
        |one: &&Json| one["Title"].as_str().is_some_and(|title| title.starts_with(words));
    let contact = contacts.iter().find(is_edited).unwrap();
    let told = history.list(&record("RIGHT", text(contact, "id")), CHANGE).await;
    let mut fields = told.iter().flat_map(|one| one["fields"].as_array().unwrap());
    let after = json!({"__typename": "TextValue", "text": contact["Title"]});
    let title = fields.find(|one| one["after"] == after).unwrap();
    assert_eq!((&title["field"], &title["row"]), (&json!("Title"), &json!(6)));
    assert_eq!(text(title, "why"), "it was changed on the other side, and not here");
    assert!(title["before"].is_object() && title["before"] != title["after"], "{title}");

    // Somebody whose opt-out only one side knew of.
    let consent = all.iter().find(|one| one["kind"] == "consent").unwrap();
    let told =
        history.list(&record(text(consent, "side"), text(consent, "recordId")), CHANGE).await;
    let consent = told.iter().find(|one| one["kind"] == "consent").unwrap();
    let why = text(&consent["fields"][0], "why");
    assert_eq!(why, "the other side says that the person opted out");
}

async fn changes_come_page_by_page(history: &History<'_>) {
    let page = |arguments: String| async move {
        let answer = format!(
            "changes({arguments}) {{ edges {{ node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }}"
        );
        let mut connection = history.ask(&answer).await;
        let page = connection["changes"].take();
        let edges = page["edges"].as_array().unwrap();
        let ids: Vec<String> =
            edges.iter().map(|edge| text(&edge["node"], "id").to_owned()).collect();
        (ids, page["pageInfo"].clone())
    };
    let (both, _) = page("first: 10".to_owned()).await;
    let (first, info) = page("first: 5".to_owned()).await;
    assert_eq!(info["hasNextPage"], json!(true));
    let (second, _) = page(format!("first: 5, after: {}", info["endCursor"])).await;
    assert_eq!([first, second].concat(), both);
}

async fn issues_are_told_and_resolved(history: &History<'_>) {
    let node =
        "id connectionId code class advice recordId side field firstAt lastAt times resolvedAt";
    let open = history.list("issues(first: 100)", node).await;
    for issue in &open {
        assert_eq!(issue["connectionId"], json!(history.connection));
        assert_eq!(issue["resolvedAt"], Json::Null, "{issue}");
        assert!(moment(issue, "firstAt") <= moment(issue, "lastAt"), "{issue}");
        assert!(issue["times"].as_u64().unwrap() > 0, "{issue}");
    }
    let of = |code: &str| open.iter().filter(|one| one["code"] == code).collect::<Vec<_>>();
    let refused = of("REFUSED");
    let told: BTreeSet<&str> = refused.iter().map(|one| text(one, "recordId")).collect();
    let ends = history.ids(Kind::Refused);
    assert_eq!(told, ends.iter().map(|(_, id)| id.as_str()).collect());
    assert!(refused.iter().all(|one| one["class"] == "RECORD" && one["advice"].is_string()));
    assert!(!of("AMBIGUOUS").is_empty());
    let shape = of("WRONG_SHAPE");
    assert!(!shape.is_empty() && shape.iter().all(|one| one["class"] == "VALUE"), "{shape:?}");
    assert!(shape.iter().all(|one| one["field"] == "Phone" && one["side"] == "RIGHT"), "{shape:?}");

    let id = &refused[0]["id"];
    let query = "mutation($id: ID!) { issueResolve(id: $id) { issue { id code resolvedAt } \
                 userErrors { code } } }";
    let done = history.client.ask(query, json!({ "id": id })).await.unwrap();
    let done = &done["issueResolve"];
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!((&done["issue"]["id"], &done["issue"]["code"]), (id, &json!("REFUSED")));
    assert!(moment(&done["issue"], "resolvedAt") <= SystemClock.now());
    let left = history.list("issues(first: 100)", "id").await;
    assert_eq!(left.len(), open.len() - 1);
    assert!(left.iter().all(|one| one["id"] != *id), "{left:?}");
    let all = history.list("issues(open: false, first: 100)", "id code field resolvedAt").await;
    assert!(all.iter().any(|one| one["code"] == "VALUE_CUT" && one["field"] == "Title"), "{all:?}");
    let resolved = all.iter().find(|one| one["id"] == *id).unwrap();
    assert_eq!(resolved["resolvedAt"], done["issue"]["resolvedAt"]);
}
