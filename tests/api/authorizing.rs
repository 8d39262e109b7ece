//! Accounts that are authorized by a person's consent: on this server's page, or in a front-end.

use concord::auth::Role;
use concord::connectors::{Registrations, kommo, zoho};
use concord::lab::demo;
use concord::net::{Http, Method, Request};
use serde_json::{Value as Json, json};

use crate::demo::{Folder, serve_with};
use crate::{ELSEWHERE, HOME, House, code};

const START: &str = "mutation($input: AccountAuthorizeStartInput!) { accountAuthorizeStart(input: $input) { \
                     authorization { url redirectUri expiresAt } userErrors { code message path detail } } }";
const FINISH: &str = "mutation($input: AccountAuthorizeFinishInput!) { accountAuthorizeFinish(input: $input) { \
                      account { id status } userErrors { code message path detail } } }";

/// The OAuth clients of the emulators.
pub fn clients() -> Registrations {
    Registrations::default()
        .with("kommo", kommo::emulator::CLIENT_ID, kommo::emulator::CLIENT_SECRET)
        .with("zoho", zoho::emulator::CLIENT_ID, zoho::emulator::CLIENT_SECRET)
}

async fn start(house: &House, input: Json) -> Json {
    house.ask(START, json!({ "input": input })).await["accountAuthorizeStart"].clone()
}

#[tokio::test]
async fn a_consent_connects_an_account_on_the_page_and_in_a_front_end() {
    let folder = Folder::new("authorizing");
    let (town, emulators) = demo::open(10, 9, [0, 0]).await.unwrap();
    let served = serve_with(&folder, emulators.overrides(), clients()).await;
    let play = async {
        let client = demo::Client::new(&served.server).unwrap();
        let query = "{ apps { slug registrations { clientId redirectUri isOwn place } } }";
        let apps = client.ask(query, json!({})).await.unwrap();
        let registration = &apps["apps"][0]["registrations"][0];
        assert_eq!(registration["isOwn"], false);
        assert_eq!(apps["apps"][0]["slug"], "kommo");
        assert_eq!(registration["clientId"], kommo::emulator::CLIENT_ID);
        let callback = format!("{}/oauth/callback/kommo", served.server.address);
        assert_eq!(registration["redirectUri"], callback);
        town.kommo.set_redirect_uri(&callback);

        // On this server's page.
        let input = json!({ "input": { "app": "kommo", "label": "Sales" } });
        let begun = client.ask(START, input).await.unwrap()["accountAuthorizeStart"].clone();
        assert_eq!(begun["userErrors"], json!([]), "{begun}");
        assert_eq!(begun["authorization"]["redirectUri"], callback);
        let url = begun["authorization"]["url"].as_str().unwrap();
        let back = town.kommo.consent(url, true).unwrap();
        let http = Http::new().unwrap();
        let page = http.send(Request::new(Method::Get, back.as_str())).await.unwrap();
        let html = String::from_utf8(page.body).unwrap();
        assert_eq!(page.status, 200, "{html}");
        assert!(html.contains("The account is connected."), "{html}");
        assert!(!html.contains("Sales") && !html.contains("demo"), "{html}");
        let again = http.send(Request::new(Method::Get, back.as_str())).await.unwrap();
        assert_eq!(again.status, 400, "it was opened before");

        // In a front-end.
        let page = "https://app.example.com/connected";
        let input = json!({ "input": { "app": "zoho", "place": "eu", "redirectUri": page } });
        let begun = client.ask(START, input).await.unwrap()["accountAuthorizeStart"].clone();
        let url = begun["authorization"]["url"].as_str().unwrap();
        let back = town.zoho.consent(url, true).unwrap();
        let query = back.strip_prefix(page).unwrap();
        let input = json!({ "input": { "app": "zoho", "query": query } });
        // Nobody else can bring it.
        let other = demo::Client::new(&served.elsewhere).unwrap();
        let stolen = other.ask(FINISH, input.clone()).await.unwrap();
        assert_eq!(code(&stolen["accountAuthorizeFinish"]), "INVALID");
        let done = client.ask(FINISH, input).await.unwrap()["accountAuthorizeFinish"].clone();
        assert_eq!(done["userErrors"], json!([]), "{done}");
        assert_eq!(done["account"]["status"], "CONNECTED");

        let query = "{ accounts { edges { node { label status app { slug } } } } }";
        let accounts = client.ask(query, json!({})).await.unwrap();
        let accounts = accounts["accounts"]["edges"].as_array().unwrap();
        let slugs: Vec<&Json> = accounts.iter().map(|edge| &edge["node"]["app"]["slug"]).collect();
        assert_eq!(slugs, ["kommo", "zoho"]);
        assert_eq!(accounts[0]["node"]["label"], "Sales");
    };
    tokio::select! {
        () = play => {}
        ended = emulators.serve() => panic!("the emulators ended: {ended:?}"),
    }
    served.stop().await;
}

#[tokio::test]
async fn what_cannot_be_authorized_is_named_where_it_was_given() {
    let house = House::new().await;
    let zoho = house.connect(1).await;
    for (input, path, detail) in [
        (json!({ "app": "abacus" }), "app", "no_such_app"),
        (json!({ "app": "zoho", "place": "mars" }), "place", "unknown_data_centre"),
        (json!({ "app": "kommo", "place": "evil.example" }), "place", "host_not_kommo"),
        (json!({ "app": "kommo", "redirectUri": "nowhere" }), "redirectUri", "bad_redirect_uri"),
        (json!({ "app": "kommo", "accountId": zoho }), "accountId", "other_app"),
        (json!({ "app": "kommo", "returnUrl": "https://x.es" }), "returnUrl", "bad_return_url"),
    ] {
        let refused = start(&house, input.clone()).await;
        assert_eq!(code(&refused), "INVALID", "{input}");
        let error = &refused["userErrors"][0];
        assert_eq!((&error["path"], &error["detail"]), (&json!(["input", path]), &json!(detail)));
        assert_eq!(refused["authorization"], Json::Null);
    }
    for id in ["nonsense", "acc_00000000000000000000000000000009"] {
        let refused = start(&house, json!({ "app": "kommo", "accountId": id })).await;
        assert_eq!(code(&refused), "NOT_FOUND");
        assert_eq!(refused["userErrors"][0]["path"], json!(["input", "accountId"]));
    }
    for (query, code_of, detail) in [
        ("code=x&state=guessed", "INVALID", "unknown_state"),
        ("", "INVALID", "unknown_state"),
        ("?error=access_denied", "CREDENTIALS_REFUSED", "no_consent"),
    ] {
        let input = json!({ "input": { "app": "kommo", "query": query } });
        let refused = house.ask(FINISH, input).await["accountAuthorizeFinish"].clone();
        assert_eq!(code(&refused), code_of, "{refused}");
        let error = &refused["userErrors"][0];
        assert_eq!(
            (&error["path"], &error["detail"]),
            (&json!(["input", "query"]), &json!(detail))
        );
    }
    let input = json!({ "input": { "app": "kommo" } });
    let looking = house.ask_as(HOME, Role::Viewer, START, input).await;
    assert_eq!(code(&looking["data"]["accountAuthorizeStart"]), "FORBIDDEN");
}

#[tokio::test]
async fn owners_register_oauth_clients_that_nobody_can_read() {
    const SECRET: &str = "canary-of-a-secret";
    let house = House::new().await;
    let set = "mutation($input: AppRegistrationSetInput!) { appRegistrationSet(input: $input) { \
               appRegistration { app { slug } clientId place isOwn redirectUri } \
               userErrors { code message path detail } } }";
    let remove = "mutation($input: AppRegistrationRemoveInput!) { appRegistrationRemove(input: $input) { \
                  app { registrations { clientId } } userErrors { code message path } } }";
    let own = "{ apps { slug registrations { clientId place isOwn } } }";
    let input = json!({ "app": "zoho", "place": "EU", "clientId": "ours", "clientSecret": SECRET });
    for role in [Role::Operator, Role::Viewer] {
        let refused = house.ask_as(HOME, role, set, json!({ "input": input })).await;
        assert_eq!(code(&refused["data"]["appRegistrationSet"]), "FORBIDDEN");
    }
    let done = house.ask(set, json!({ "input": input })).await["appRegistrationSet"].clone();
    assert_eq!(done["userErrors"], json!([]), "{done}");
    let known = json!({
        "app": { "slug": "zoho" }, "clientId": "ours", "place": "eu", "isOwn": true,
        "redirectUri": "https://sync.example.com/oauth/callback/zoho",
    });
    assert_eq!(done["appRegistration"], known);
    let apps = house.ask(own, json!({})).await;
    let zoho = apps["apps"].as_array().unwrap().iter().find(|app| app["slug"] == "zoho").unwrap();
    assert_eq!(zoho["registrations"][0]["clientId"], "ours");
    assert_eq!(zoho["registrations"][1]["isOwn"], false);
    assert!(!apps.to_string().contains(SECRET) && !done.to_string().contains(SECRET));
    let elsewhere = house.ask_as(ELSEWHERE, Role::Owner, own, json!({})).await;
    assert!(!elsewhere.to_string().contains("ours"), "{elsewhere}");

    for (changed, path, detail) in [
        (json!({ "app": "abacus" }), "app", "no_such_app"),
        (json!({ "place": "mars" }), "place", "no_such_place"),
        (json!({ "clientId": "" }), "clientSecret", "bad_client"),
    ] {
        let mut wrong = input.clone();
        wrong.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let refused = house.ask(set, json!({ "input": wrong })).await["appRegistrationSet"].clone();
        let error = &refused["userErrors"][0];
        assert_eq!(error["code"], "INVALID", "{refused}");
        assert_eq!((&error["path"], &error["detail"]), (&json!(["input", path]), &json!(detail)));
        assert!(!refused.to_string().contains(SECRET));
    }

    let input = json!({ "input": { "app": "zoho", "place": "eu" } });
    let foreign = house.ask_as(ELSEWHERE, Role::Owner, remove, input.clone()).await;
    assert_eq!(code(&foreign["data"]["appRegistrationRemove"]), "NOT_FOUND");
    let removed = house.ask(remove, input.clone()).await["appRegistrationRemove"].clone();
    assert_eq!(removed["app"]["registrations"].as_array().unwrap().len(), 1, "{removed}");
    assert_eq!(code(&house.ask(remove, input).await["appRegistrationRemove"]), "NOT_FOUND");
}
