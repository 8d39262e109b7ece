//! An edit, while another connection of the same account is busy with its first run.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request as HttpRequest, Response, header};
use concord::connectors::kommo::emulator::{Emulator, Options};
use concord::net::{Http, Method, Request};
use concord::ports::SystemClock;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use crate::house::{House, SOON, spawn, triggers_of_writes, until};

const PEOPLE: usize = 3000;
/// A token of the other account: `{}`, then `{"exp":4102444800}`.
const OTHER_TOKEN: &str = "e30.eyJleHAiOjQxMDI0NDQ4MDB9.other";

/// Listens for a server of this test. Gives the address.
async fn serve(router: Router) -> String {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(any).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// One address for two accounts: each request goes to the account of its token.
async fn front(first: String, second: String) -> String {
    let http = Http::new().unwrap();
    let pass = move |request: HttpRequest<Body>| {
        let (http, first, second) = (http.clone(), first.clone(), second.clone());
        async move {
            let (head, body) = request.into_parts();
            let bearer = head.headers[header::AUTHORIZATION].to_str().unwrap().to_owned();
            let account = if bearer.ends_with(OTHER_TOKEN) { second } else { first };
            let method = match head.method.as_str() {
                "GET" => Method::Get,
                "POST" => Method::Post,
                "PATCH" => Method::Patch,
                "DELETE" => Method::Delete,
                other => panic!("{other}"),
            };
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let mut passed = Request::new(method, format!("{account}{}", head.uri))
                .authorization(SecretString::from(bearer));
            if !body.is_empty() {
                passed = passed.body("application/json", body.to_vec());
            }
            let answer = http.send(passed).await.unwrap();
            let mut response = Response::builder().status(answer.status);
            if let Some(kind) = answer.header("content-type") {
                response = response.header(header::CONTENT_TYPE, kind);
            }
            response.body(Body::from(answer.body)).unwrap()
        }
    };
    serve(Router::new().fallback(pass)).await
}

fn other_account() -> Emulator {
    let mut options = Options::new(Arc::new(SystemClock));
    OTHER_TOKEN.clone_into(&mut options.token);
    options.account_id = 87_654_321;
    "other".clone_into(&mut options.subdomain);
    Emulator::new(options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_edit_arrives_soon_while_another_connection_of_the_account_has_its_first_run() {
    let other = other_account();
    let house = House::new("busy", 20, async |emulators, town| {
        for number in 0..PEOPLE {
            let email = format!("crowd{number}@demo.example");
            let values = json!([{ "field_code": "EMAIL",
                                  "values": [{ "value": email, "enum_code": "WORK" }] }]);
            let name = format!("Crowd Number{number}");
            let id = town.kommo.person_adds(json!({
                "first_name": "Crowd", "last_name": format!("Number{number}"), "name": name,
                "custom_fields_values": values,
            }));
            assert!(id > 0);
        }
        let [kommo, _] = emulators.addresses();
        let front = front(kommo, serve(other.router()).await).await;
        emulators.overrides().with_address("kommo", &front)
    })
    .await;
    let script = house.script().await;
    let client = script.client();
    let [left, right] = script.accounts().await.unwrap();

    // The one connection begins with what comes anew: with one person.
    let quick = script.set_up(&left, &right).await.unwrap();
    let input = json!({ "connectionId": quick, "approval": "NEVER" });
    let draft = "draft { edit }";
    client.act("connectionUpdate", "ConnectionUpdateInput", draft, input).await.unwrap();
    for source in ["LEFT", "RIGHT"] {
        let input = json!({ "connectionId": quick, "source": source, "firstRun": "NEW_ONLY" });
        client.act("syncUpdate", "SyncUpdateInput", draft, input).await.unwrap();
    }
    script.start(&quick, &["NO_OTHER_SYNC"]).await.unwrap();
    script.ended(&quick, None, 0).await.unwrap();
    for account in [&left, &right] {
        assert!(script.register(account).await.unwrap());
    }
    let email = json!([{ "field_code": "EMAIL",
                         "values": [{ "value": "eve@demo.example", "enum_code": "WORK" }] }]);
    let eve = house.town.kommo.person_adds(json!({
        "first_name": "Eve", "last_name": "Early", "name": "Eve Early",
        "custom_fields_values": email,
    }));
    until(|| house.is_in_zoho("eve@demo.example")).await;
    house.still(&quick).await;
    let in_zoho = house.town.zoho.contacts().into_iter();
    let in_zoho = in_zoho.filter(|contact| contact.to_string().contains("eve@demo.example"));
    let in_zoho: Vec<String> =
        in_zoho.map(|contact| contact["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(in_zoho.len(), 1);

    // The other sends everybody to a third account.
    let typed = [("host", "other.kommo.com".to_owned()), ("token", OTHER_TOKEN.to_owned())];
    let third = script.connect("kommo", &typed).await.unwrap();
    let input =
        json!({ "title": "Crowd", "left": { "accountId": left }, "right": { "accountId": third } });
    let made = client.act("connectionCreate", "ConnectionCreateInput", "connection { id }", input);
    let busy = made.await.unwrap()["connection"]["id"].as_str().unwrap().to_owned();
    let input = json!({ "connectionId": busy, "preferredSide": "LEFT" });
    client.act("connectionUpdate", "ConnectionUpdateInput", draft, input).await.unwrap();
    let input = json!({ "connectionId": busy, "source": "LEFT", "firstRun": "ALL" });
    client.act("syncUpdate", "SyncUpdateInput", draft, input).await.unwrap();
    script.start(&busy, &["NO_OTHER_SYNC", "OPT_OUTS_STAY"]).await.unwrap();
    let plan = script.plan(&busy).await.unwrap();
    let items = script.approve(&plan).await.unwrap();
    assert!(items >= PEOPLE as u64, "{items}");
    until(|| !other.contacts().is_empty()).await;

    let before = house.newest(&quick).await;
    house.titles(eve, "Head of Haste");
    let took = until(|| house.is_in_zoho("Head of Haste")).await;
    assert!(took < SOON, "from Kommo to Zoho: {took:?}");
    assert!(house.town.zoho.person_edits(&in_zoho[0], json!({ "Mailing_City": "Haste Bay" })));
    let took = until(|| house.is_in_kommo("Haste Bay")).await;
    assert!(took < SOON, "from Zoho to Kommo: {took:?}");
    let run = script.latest(&busy).await.unwrap();
    assert_eq!((&run["kind"], &run["state"]), (&json!("SYNC"), &json!("RUNNING")), "{run}");
    assert!(other.contacts().len() < PEOPLE, "the first run was over before the edits came");

    let runs = house.runs_after(&quick, &before).await;
    for side in ["LEFT", "RIGHT"] {
        let triggers = triggers_of_writes(&runs, side);
        assert!(triggers.contains(&"WEBHOOK"), "{side}: {runs:?}");
    }
    house.stop().await;
}
