//! Accounts that are checked, and given new credentials when the app accepts the old ones no more.

use concord::connectors::zoho::emulator::{CLIENT_ID, CLIENT_SECRET};
use concord::lab::demo::Client;
use serde_json::{Value as Json, json};

use crate::demo::on_stage;

const ACCOUNT: &str = "id label remoteId status statusCode";

async fn check(client: &Client, id: &str, object: &str) -> Json {
    let query = format!(
        "mutation($id: ID!) {{ accountCheck(id: $id) {{ account {{ {ACCOUNT} \
         fields(object: {object:?}) {{ id label }} }} userErrors {{ code message }} }} }}"
    );
    let data = client.ask(&query, json!({ "id": id })).await.unwrap();
    data["accountCheck"].clone()
}

async fn status(client: &Client, id: &str) -> Json {
    let query = "query($id: ID!) { account(id: $id) { status statusCode } }";
    let data = client.ask(query, json!({ "id": id })).await.unwrap();
    data["account"].clone()
}

fn labels(payload: &Json) -> Vec<&str> {
    let fields = payload["account"]["fields"].as_array().unwrap();
    fields.iter().map(|field| field["label"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_check_reads_the_fields_anew_and_new_credentials_mend_an_account() {
    on_stage("reconnecting", 10, 9, async |town, script| {
        let client = script.client();
        let [kommo, zoho] = script.accounts().await.unwrap();

        let before = check(client, &kommo, "contacts").await;
        assert_eq!(before["userErrors"], json!([]), "{before}");
        assert_eq!(before["account"]["status"], "CONNECTED");
        assert!(!labels(&before).contains(&"Shoe size"), "{before}");
        town.kommo.person_adds_field(json!({ "name": "Shoe size", "type": "numeric" }));
        let after = check(client, &kommo, "contacts").await;
        assert!(labels(&after).contains(&"Shoe size"), "{after}");

        // The consent is taken back.
        town.zoho.revoke_refresh_token();
        let refused = check(client, &zoho, "Contacts").await;
        assert_eq!(refused["userErrors"][0]["code"], "CREDENTIALS_REFUSED", "{refused}");
        let broken = status(client, &zoho).await;
        assert_eq!(broken["status"], "NEEDS_RECONNECTING");
        assert!(broken["statusCode"].is_string(), "{broken}");
        let credentials = |code: &str| {
            json!([
                { "name": "data_centre", "value": "eu" },
                { "name": "client_id", "value": CLIENT_ID },
                { "name": "client_secret", "value": CLIENT_SECRET },
                { "name": "code", "value": code },
            ])
        };
        let query = format!(
            "mutation($input: AccountReconnectInput!) {{ accountReconnect(input: $input) {{ account {{ {ACCOUNT} }} \
             userErrors {{ code message }} }} }}"
        );
        let reconnect = async |code: &str| {
            let input = json!({ "id": zoho, "credentials": credentials(code) });
            let data = client.ask(&query, json!({ "input": input })).await.unwrap();
            data["accountReconnect"].clone()
        };
        let wrong = reconnect("of another consent").await;
        assert!(!wrong["userErrors"].as_array().unwrap().is_empty(), "{wrong}");
        assert_eq!(status(client, &zoho).await, broken, "nothing was kept");
        let mended = reconnect(&town.zoho.grant_code()).await;
        assert_eq!(mended["userErrors"], json!([]), "{mended}");
        assert_eq!(mended["account"]["id"], json!(zoho));
        let connected = json!({ "status": "CONNECTED", "statusCode": null });
        assert_eq!(status(client, &zoho).await, connected);
        let checked = check(client, &zoho, "Contacts").await;
        assert_eq!(checked["userErrors"], json!([]), "{checked}");
    })
    .await;
}
