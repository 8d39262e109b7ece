//! The queries and mutations of the book, asked of a server with two connected apps.

use serde_json::json;

use crate::house::{House, ask};

#[path = "../docs/pages.rs"]
mod pages;

use pages::{blocks, pages};

#[tokio::test]
async fn what_the_book_asks_is_answered() {
    let (house, connected) = House::running("book", 20).await;
    let query = "query($id: ID!) { connection(id: $id) { runs(first: 50) { edges { node { id kind } } } } }";
    let data = ask(&house.owner, query, json!({ "id": connected.id })).await;
    let of_kind = |kind: &str| {
        let mut runs = data["connection"]["runs"]["edges"].as_array().unwrap().iter();
        let run = runs.find(|edge| edge["node"]["kind"] == kind).unwrap();
        run["node"]["id"].as_str().unwrap().to_owned()
    };
    let (run, plan) = (of_kind("SYNC"), of_kind("PREVIEW").replace("run_", "pln_"));
    let ids = [
        ("acc_…", &connected.accounts[0]),
        ("con_…", &connected.id),
        ("run_…", &run),
        ("pln_…", &plan),
    ];
    let client = house.script().await;
    let mut asked = 0;
    for (page, text) in pages() {
        for (kind, is_example) in [("graphql", false), ("graphql,example", true)] {
            for block in blocks(&text, kind) {
                let query =
                    ids.iter().fold(block.clone(), |query, (name, id)| query.replace(name, id));
                let answer = client.client().ask(&query, json!({})).await;
                if query.trim_start().starts_with("subscription") {
                    // It is asked over a socket, by those who know how; here only that it fits the schema.
                    let told = answer.unwrap_err().to_string();
                    assert!(told.contains("not supported on this transport"), "{page}: {told}");
                    continue;
                }
                let answer = answer.unwrap_or_else(|error| panic!("{page}: {query}: {error}"));
                let fields = answer.as_object().unwrap();
                // What an example gives is made up.
                for (name, value) in fields.iter().filter(|_| !is_example) {
                    let errors = value["userErrors"].as_array();
                    assert!(errors.is_none_or(Vec::is_empty), "{page}: {query}: {value}");
                    assert!(!value.is_null(), "{page}: {query}: {name}");
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 25, "{asked}");
    house.stop().await;
}
