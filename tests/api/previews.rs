//! Previews of drafts, as anybody would ask for them.

use std::time::Duration;

use concord::lab::demo::{Client, SAID};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::demo::on_stage;

/// Longer than a preview takes.
const PATIENCE: Duration = Duration::from_secs(120);

const DRAFT: &str = "draft { edit previewAsked preview { id state hash madeAt \
                     counts { items outcomes { name count } writes { side kind count } } \
                     items(first: 5) { edges { node { number outcome writes { side kind } } } } } }";

async fn draft(client: &Client, connection: &str) -> Json {
    let query =
        format!("query($id: ID!) {{ connection(id: $id) {{ {DRAFT} waitingPlan {{ id }} }} }}");
    let data = client.ask(&query, json!({ "id": connection })).await.unwrap();
    assert_eq!(data["connection"]["waitingPlan"], Json::Null, "nobody is to decide");
    data["connection"]["draft"].clone()
}

/// What a mutation that asks for a preview answers.
async fn ask(client: &Client, connection: &str, edit: Option<u64>) -> Json {
    let query = format!(
        "mutation($input: DraftPreviewInput!) {{ draftPreview(input: $input) {{ {DRAFT} userErrors {{ code }} }} }}"
    );
    let input = json!({ "connectionId": connection, "expectedEdit": edit });
    let data = client.ask(&query, json!({ "input": input })).await.unwrap();
    data["draftPreview"].clone()
}

#[tokio::test]
async fn a_preview_tells_what_a_start_would_do() {
    on_stage("previews", 60, 7, async |town, script| {
        let client = script.client();
        let [left, right] = script.accounts().await.unwrap();
        let connection = script.set_up(&left, &right).await.unwrap();
        let before = [town.kommo.contacts().len(), town.zoho.contacts().len()];
        let seen = draft(client, &connection).await;
        assert_eq!((&seen["previewAsked"], &seen["preview"]), (&json!(false), &Json::Null));
        let edit = seen["edit"].as_u64().unwrap();
        let stale = ask(client, &connection, Some(edit + 1)).await;
        assert_eq!(stale["userErrors"], json!([{ "code": "STALE" }]));
        let asked = ask(client, &connection, Some(edit)).await;
        assert_eq!(asked["userErrors"], json!([]), "{asked}");
        assert_eq!(asked["draft"]["previewAsked"], json!(true));

        let begun = Instant::now();
        let made = loop {
            let draft = draft(client, &connection).await;
            if !draft["preview"].is_null() {
                break draft;
            }
            assert!(begun.elapsed() < PATIENCE, "no preview: {draft}");
            sleep(Duration::from_millis(100)).await;
        };
        let preview = &made["preview"];
        assert_eq!((&made["previewAsked"], &preview["state"]), (&json!(false), &json!("PREVIEW")));
        assert_eq!(preview["items"]["edges"].as_array().unwrap().len(), 5);
        let after = [town.kommo.contacts().len(), town.zoho.contacts().len()];
        assert_eq!(after, before, "nothing was written");
        let query = "mutation($input: PlanDecideInput!) { planApprove(input: $input) { userErrors { code } } }";
        let input = json!({ "planId": preview["id"], "hash": preview["hash"] });
        let data = client.ask(query, json!({ "input": input })).await.unwrap();
        assert_eq!(data["planApprove"]["userErrors"], json!([{ "code": "STALE" }]));

        script.start(&connection, &SAID).await.unwrap();
        let run = script.approved(&connection).await.unwrap();
        for numbers in ["items", "outcomes", "writes"] {
            assert_eq!(run["counts"][numbers], preview["counts"][numbers], "{numbers}");
        }
        assert_eq!(draft(client, &connection).await["preview"], Json::Null, "it is over");
    })
    .await;
}
