//! Mutations that are sent again with the same key: done once, and answered as the first time.

use async_graphql::{Request, Variables};
use concord::auth::{Principal, Role};
use concord::idempotency::{Cancellation, Key};
use serde_json::{Value as Json, json};

use crate::{ELSEWHERE, HOME, House, code, workspace};

const CREATE: &str = "mutation($input: ConnectionCreateInput!) { connectionCreate(input: $input) \
                      { connection { id } userErrors { code message } } }";
const CONNECT: &str = "mutation($input: AccountConnectInput!) { accountConnect(input: $input) \
                       { account { id } userErrors { code message } } }";

/// Somebody who sends requests.
struct Client<'a> {
    house: &'a House,
    workspace: u128,
    subject: &'a str,
    /// What the header says.
    header: Option<&'a str>,
}

fn client(house: &House) -> Client<'_> {
    Client { house, workspace: HOME, subject: "ana", header: None }
}

impl Client<'_> {
    async fn ask(&self, query: &str, variables: Json) -> Json {
        let (workspace, subject) = (workspace(self.workspace), self.subject.to_owned());
        let who = Principal { workspace, subject, role: Role::Owner };
        let mut request = Request::new(query).variables(Variables::from_json(variables)).data(who);
        if let Some(header) = self.header {
            request = request.data(header.parse::<Key>().unwrap());
        }
        serde_json::to_value(self.house.api.execute(request).await).unwrap()
    }

    async fn count(&self, list: &str) -> usize {
        let query = format!("{{ {list} {{ edges {{ cursor }} }} }}");
        let answer = Client { header: None, ..*self }.ask(&query, json!({})).await;
        answer["data"][list]["edges"].as_array().unwrap().len()
    }
}

/// The code of the error of a request that was refused.
fn refusal(answer: &Json) -> &str {
    assert_eq!(answer["data"], Json::Null, "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// What connects the first account, with this key.
fn kommo(house: &House, key: Option<&str>) -> Json {
    let input = json!({"app": "kommo", "credentials": house.credentials[0], "idempotencyKey": key});
    json!({ "input": input })
}

#[tokio::test]
async fn the_same_key_twice_makes_one_connection() {
    let house = House::new().await;
    let (left, right) = (house.connect(0).await, house.connect(1).await);
    let ana = client(&house);
    let variables = |title: &str| {
        let sides = [json!({"accountId": left}), json!({"accountId": right})];
        json!({"input": {"title": title, "left": sides[0], "right": sides[1], "idempotencyKey": "k"}})
    };
    let first = ana.ask(CREATE, variables("T")).await;
    assert!(first["data"]["connectionCreate"]["connection"]["id"].is_string(), "{first}");
    assert_eq!(ana.ask(CREATE, variables("T")).await, first);
    assert_eq!(ana.ask(CREATE, variables("T")).await, first);
    assert_eq!(ana.count("connections").await, 1);

    let other = ana.ask(CREATE, variables("another")).await;
    assert_eq!(refusal(&other), "IDEMPOTENCY_KEY_REUSED");
    let message = other["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("a key of its own"), "{message}");
    let query = CREATE.replace("code message", "code");
    assert_eq!(refusal(&ana.ask(&query, variables("T")).await), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(ana.count("connections").await, 1);

    let id = &first["data"]["connectionCreate"]["connection"]["id"];
    let remove = "mutation($id: ID!) { connectionDisconnect(connectionId: $id, \
                  idempotencyKey: \"r\") { done userErrors { code message } } }";
    for _ in 0..2 {
        let removed = ana.ask(remove, json!({ "id": id })).await;
        assert_eq!(removed["data"]["connectionDisconnect"]["done"], true, "{removed}");
    }
}

#[tokio::test]
async fn a_key_may_be_given_in_the_header() {
    let house = House::new().await;
    let by_header = Client { header: Some("h"), ..client(&house) };
    let first = by_header.ask(CONNECT, kommo(&house, None)).await;
    assert!(first["data"]["accountConnect"]["account"]["id"].is_string(), "{first}");
    assert_eq!(by_header.ask(CONNECT, kommo(&house, None)).await, first);
    let differs = by_header.ask(CONNECT, kommo(&house, Some("i"))).await;
    assert_eq!(refusal(&differs), "IDEMPOTENCY_KEY_INVALID");
    let by_both = Client { header: Some("b"), ..client(&house) };
    let input = json!({"input": {"app": "zoho", "credentials": house.credentials[1], "idempotencyKey": "b"}});
    let first = by_both.ask(CONNECT, input.clone()).await;
    assert!(first["data"]["accountConnect"]["account"]["id"].is_string(), "{first}");
    assert_eq!(by_both.ask(CONNECT, input.clone()).await, first);
    assert_eq!(client(&house).ask(CONNECT, input).await, first, "the key is the same without it");
    assert_eq!(by_both.count("accounts").await, 2);
}

#[tokio::test]
async fn a_key_has_a_form_and_is_for_one_mutation() {
    let house = House::new().await;
    let ana = client(&house);
    for key in ["", "a b", "ключ", &"x".repeat(256)] {
        let answer = ana.ask(CONNECT, kommo(&house, Some(key))).await;
        assert_eq!(refusal(&answer), "IDEMPOTENCY_KEY_INVALID", "{key}");
    }
    let several = "mutation($input: AccountConnectInput!) { \
                   a: accountConnect(input: $input) { account { id } } \
                   b: accountConnect(input: $input) { account { id } } }";
    let twice = "mutation($input: AccountConnectInput!) { ...A ...A } \
                 fragment A on Mutation { accountConnect(input: $input) { account { id } } }";
    for query in [several, twice] {
        let answer = ana.ask(query, kommo(&house, Some("k"))).await;
        assert_eq!(refusal(&answer), "IDEMPOTENCY_KEY_INVALID");
    }
    let by_header = Client { header: Some("h"), ..client(&house) };
    let answer = by_header.ask("{ apps { slug } }", json!({})).await;
    assert_eq!(refusal(&answer), "IDEMPOTENCY_KEY_INVALID");
    assert_eq!(ana.count("accounts").await, 0);
    let longest = ana.ask(CONNECT, kommo(&house, Some(&"x".repeat(255)))).await;
    assert_eq!(longest["data"]["accountConnect"]["userErrors"], json!([]), "{longest}");
}

#[tokio::test]
async fn keys_of_somebody_else_are_others() {
    let house = House::new().await;
    let ana = client(&house);
    let input = kommo(&house, Some("k"));
    let first = ana.ask(CONNECT, input.clone()).await;
    let elsewhere = Client { workspace: ELSEWHERE, ..client(&house) };
    let theirs = elsewhere.ask(CONNECT, input.clone()).await;
    assert!(theirs["data"]["accountConnect"]["account"]["id"].is_string(), "{theirs}");
    assert_ne!(theirs, first);
    let ben = Client { subject: "ben", ..client(&house) };
    let his = ben.ask(CONNECT, input.clone()).await;
    assert_eq!(code(&his["data"]["accountConnect"]), "ALREADY_THERE", "it was tried");
    assert_eq!(ana.ask(CONNECT, input).await, first);
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_with_the_same_key() {
    let house = House::new().await;
    let ana = client(&house);
    let taken = house.connect(0).await;
    // Whether it asks for what was wrong or not.
    let silent = CONNECT.replace(" userErrors { code message }", "");
    for (key, query) in [("k", CONNECT), ("s", &silent)] {
        let refused = ana.ask(query, kommo(&house, Some(key))).await;
        assert_eq!(refused["data"]["accountConnect"]["account"], Json::Null, "{refused}");
    }
    let leave = "mutation($id: ID!) { accountDisconnect(id: $id) { userErrors { code message } } }";
    let left = ana.ask(leave, json!({ "id": taken })).await;
    assert_eq!(left["data"]["accountDisconnect"]["userErrors"], json!([]));
    let first = ana.ask(&silent, kommo(&house, Some("s"))).await;
    let id = first["data"]["accountConnect"]["account"]["id"].clone();
    assert!(id.is_string(), "{first}");
    ana.ask(leave, json!({ "id": id })).await;
    let second = ana.ask(CONNECT, kommo(&house, Some("k"))).await;
    assert!(second["data"]["accountConnect"]["account"]["id"].is_string(), "{second}");
    assert_eq!(ana.ask(&silent, kommo(&house, Some("s"))).await, first, "what was done is kept");
}

#[tokio::test]
async fn of_two_at_once_one_is_done() {
    let house = House::new().await;
    let ana = client(&house);
    let input = kommo(&house, Some("k"));
    let (one, two) = tokio::join!(ana.ask(CONNECT, input.clone()), ana.ask(CONNECT, input));
    let (done, waits) = if one["errors"].is_null() { (one, two) } else { (two, one) };
    assert!(done["data"]["accountConnect"]["account"]["id"].is_string(), "{done}");
    assert_eq!(refusal(&waits), "IDEMPOTENCY_IN_PROGRESS");
    assert_eq!(ana.count("accounts").await, 1);
}

#[tokio::test]
async fn what_was_claimed_is_not_cut_off_and_what_was_cut_off_is_not_claimed() {
    let house = House::new().await;
    let ask = |key: Option<&str>, cancellation: &Cancellation| {
        let who =
            Principal { workspace: workspace(HOME), subject: "ana".to_owned(), role: Role::Owner };
        let variables = Variables::from_json(kommo(&house, key));
        let request = Request::new(CONNECT).variables(variables).data(who);
        house.api.execute(request.data(cancellation.clone()))
    };
    let cut_off = Cancellation::default();
    assert!(cut_off.cut_off());
    assert!(ask(Some("k"), &cut_off).await.is_err());
    assert_eq!(client(&house).count("accounts").await, 0);

    let claimed = Cancellation::default();
    let done = serde_json::to_value(ask(Some("k"), &claimed).await).unwrap();
    assert!(done["data"]["accountConnect"]["account"]["id"].is_string(), "{done}");
    assert!(!claimed.cut_off());

    let without_key = Cancellation::default();
    ask(None, &without_key).await;
    assert!(without_key.cut_off());
}
