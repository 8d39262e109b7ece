//! Things by their ids alone: each leads to its thing at home, and to nothing from another workspace.

use std::collections::BTreeSet;

use concord::lab::demo::{self, Server};
use concord::net::{Http, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use crate::demo::{Folder, play, serve};

async fn ask(server: &Server, query: &str, variables: Json) -> Json {
    let bearer = SecretString::from(format!("Bearer {}", server.token.expose_secret()));
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = Request::new(Method::Post, format!("{}/graphql", server.address))
        .authorization(bearer)
        .body("application/json", body);
    let answer = Http::new().unwrap().send(request).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

/// An id of everything that the demo has left behind.
async fn ids(server: &Server) -> Vec<String> {
    let query = "{ accounts(first: 1) { edges { node { id } } } connections(first: 1) { edges { node { id \
                 runs(first: 10) { edges { node { id kind } } } changes(first: 1) { edges { node { id } } } \
                 issues(open: false, first: 1) { edges { node { id } } } } } } }";
    let data = ask(server, query, json!({})).await["data"].clone();
    let connection = &data["connections"]["edges"][0]["node"];
    let first = |page: &Json| page["edges"][0]["node"]["id"].as_str().unwrap().to_owned();
    let runs = connection["runs"]["edges"].as_array().unwrap();
    let preview = runs.iter().find(|run| run["node"]["kind"] == "PREVIEW").expect("a plan");
    let plan = preview["node"]["id"].as_str().unwrap().replacen("run_", "pln_", 1);
    vec![
        first(&data["accounts"]),
        connection["id"].as_str().unwrap().to_owned(),
        first(&connection["runs"]),
        plan,
        first(&connection["changes"]),
        first(&connection["issues"]),
    ]
}

#[tokio::test]
async fn an_id_leads_to_its_thing_at_home_and_to_nothing_from_elsewhere() {
    let folder = Folder::new("nodes");
    let (town, emulators) = demo::open(60, 7, [0, 0]).await.unwrap();
    let served = serve(&folder, emulators.overrides()).await;
    play(&town, emulators, &served.server).await;
    let ids = ids(&served.server).await;

    let all = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let mut asked = ids.clone();
    // What nobody has, and what is no id at all, are told by nothing in their place.
    asked.insert(1, ids[1].replacen("con_", "acc_", 1));
    asked.insert(2, "nonsense".to_owned());
    let answer = ask(&served.server, all, json!({ "ids": asked })).await;
    let nodes = answer["data"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(nodes.len(), asked.len());
    assert_eq!((&nodes[1], &nodes[2]), (&Json::Null, &Json::Null));
    let kinds: Vec<&str> = nodes.iter().filter_map(|node| node["__typename"].as_str()).collect();
    assert_eq!(kinds, ["Account", "Connection", "Run", "Plan", "Change", "Issue"]);
    let told: Vec<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    assert_eq!(told, ids, "each says the id that it was asked by");

    let one = "query($id: ID!) { node(id: $id) { id ... on Run { state } ... on Issue { code } } }";
    let mut seen = BTreeSet::new();
    for id in &ids {
        let at_home = ask(&served.server, one, json!({ "id": id })).await;
        assert_eq!(at_home["data"]["node"]["id"], json!(id), "{at_home}");
        seen.extend(at_home["data"]["node"].as_object().unwrap().keys().cloned());
        let elsewhere = ask(&served.elsewhere, one, json!({ "id": id })).await;
        assert_eq!(elsewhere["data"], json!({ "node": null }), "{id}: {elsewhere}");
    }
    assert!(seen.contains("state") && seen.contains("code"), "{seen:?}");
    let elsewhere = ask(&served.elsewhere, all, json!({ "ids": ids })).await;
    assert_eq!(elsewhere["data"]["nodes"], json!([null, null, null, null, null, null]));

    let many = vec![ids[0].clone(); 101];
    let refused = ask(&served.server, all, json!({ "ids": many })).await;
    assert!(refused.get("errors").is_some(), "{refused}");
    served.stop().await;
}
