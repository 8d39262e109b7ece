//! The API as a front-end meets it: the committed schema, workspaces that see nothing of each other,
//! roles, and input that cannot be right. The demo, which does everything through it, is played whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod authorizing;
mod deciding;
mod demo;
mod drafts;
mod following;
mod history;
mod nodes;
mod once;
mod previews;
mod printed;
mod reconnecting;
mod remembered;
mod wrong;

use std::sync::Arc;

use async_graphql::{Request, Variables};
use concord::accounts::{Accounts, Authorizations};
use concord::auth::{Principal, Role};
use concord::connections::Connections;
use concord::connectors::{Overrides, World};
use concord::graphql::{Api, Services, api, sdl};
use concord::idempotency::Idempotency;
use concord::jobs::{self, Jobs, Looker};
use concord::lab::emulate::{Emulated, listen};
use concord::net::Http;
use concord::ports::{SeededIds, SystemClock, SystemEntropy};
use concord::runner::{Runner, Timings};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{MemoryStore, Store, Workspace, WorkspaceId};
use concord::webhooks::{self, Webhooks};
use serde_json::{Value as Json, json};

struct House {
    api: Api,
    credentials: [Json; 2],
    webhooks: Arc<Webhooks>,
    store: Arc<dyn Store>,
}

const HOME: u128 = 1;
const ELSEWHERE: u128 = 2;

fn workspace(number: u128) -> WorkspaceId {
    WorkspaceId(uuid::Uuid::from_u128(number))
}

impl House {
    async fn new() -> Self {
        let clock = Arc::new(SystemClock);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        for (number, name) in [(HOME, "home"), (ELSEWHERE, "elsewhere")] {
            let row = Workspace { id: workspace(number), name: name.to_owned() };
            store.add_workspace(&row).await.unwrap();
        }
        let mut overrides = Overrides::default();
        let mut credentials = Vec::new();
        for (app, hosts) in
            [(Emulated::Kommo, vec!["kommo"]), (Emulated::Zoho, vec!["zoho", "zoho_accounts"])]
        {
            let listening = listen(app, 0).await.unwrap();
            for host in hosts {
                overrides = overrides.with_address(host, &listening.address);
            }
            let typed = listening.credentials.iter();
            credentials
                .push(typed.map(|(name, value)| json!({"name": name, "value": value})).collect());
            #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
            tokio::spawn(listening.serve());
        }
        let ids = Arc::new(SeededIds::new(1));
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        let sealer = Sealer::new(key.clone(), Vec::new(), Arc::new(SystemEntropy));
        let idempotency = Idempotency::new(store.clone(), sealer.clone(), &key, clock.clone());
        let world = World {
            http: Http::new().unwrap(),
            clock: clock.clone(),
            overrides,
            registrations: authorizing::clients(),
        };
        let accounts =
            Arc::new(Accounts::new(store.clone(), sealer.clone(), world, ids.clone(), "test"));
        let public_url = Some("https://sync.example.com".to_owned());
        let entropy = Arc::new(SystemEntropy);
        let authorizations = Authorizations::new(accounts.clone(), entropy, public_url.clone());
        let webhooks = Arc::new(Webhooks::new(webhooks::Parts {
            store: store.clone(),
            accounts: accounts.clone(),
            sealer,
            key,
            clock: clock.clone(),
            ids: ids.clone(),
            public_url,
        }));
        let connections = Arc::new(Connections::new(store.clone(), clock.clone(), ids.clone()));
        let runner = Runner::new(store.clone(), clock.clone(), ids, "test", Timings::default());
        let look = Looker::new(store.clone(), accounts.clone(), Arc::new(runner), clock.clone());
        let settings = jobs::Settings {
            database_url: "sqlite::memory:".to_owned(),
            name: "test".to_owned(),
            concurrency: 1,
            again_after: jobs::AGAIN_AFTER,
            heartbeat: jobs::HEARTBEAT,
        };
        let (jobs, _) = Jobs::new(store.clone(), Arc::new(look), clock.clone(), settings);
        let jobs = Arc::new(jobs);
        let services = Services {
            store: store.clone(),
            accounts,
            authorizations: Arc::new(authorizations),
            connections,
            webhooks: webhooks.clone(),
            jobs,
            idempotency: Arc::new(idempotency),
            clock,
        };
        let right = credentials.pop().unwrap();
        let left = credentials.pop().unwrap();
        Self { api: api(services), credentials: [left, right], webhooks, store }
    }

    async fn ask_as(&self, number: u128, role: Role, query: &str, variables: Json) -> Json {
        let who = Principal { workspace: workspace(number), subject: "test".to_owned(), role };
        let request = Request::new(query).variables(Variables::from_json(variables)).data(who);
        let answer = self.api.execute(request).await;
        serde_json::to_value(&answer).unwrap()
    }

    async fn ask(&self, query: &str, variables: Json) -> Json {
        let answer = self.ask_as(HOME, Role::Owner, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Does a mutation with an input, and gives its payload.
    async fn act(&self, name: &str, kind: &str, answer: &str, input: Json) -> Json {
        let query = mutation(name, kind, answer);
        self.ask(&query, json!({ "input": input })).await[name].clone()
    }

    async fn connect(&self, at: usize) -> String {
        let app = ["kommo", "zoho"][at];
        let input = json!({"app": app, "credentials": self.credentials[at]});
        let done = self.act("accountConnect", "AccountConnectInput", "account { id }", input).await;
        assert_eq!(done["userErrors"], json!([]), "{done}");
        done["account"]["id"].as_str().unwrap().to_owned()
    }

    /// The id of the first account that is connected.
    async fn account(&self) -> String {
        let data = self.ask("{ accounts(first: 1) { edges { node { id } } } }", json!({})).await;
        data["accounts"]["edges"][0]["node"]["id"].as_str().unwrap().to_owned()
    }

    async fn connection(&self) -> String {
        let (left, right) = (self.connect(0).await, self.connect(1).await);
        let input =
            json!({"title": "T", "left": {"accountId": left}, "right": {"accountId": right}});
        let answer = "connection { id }";
        let done = self.act("connectionCreate", "ConnectionCreateInput", answer, input).await;
        done["connection"]["id"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
    }
}

impl House {
    /// Kommo posts a notification for an account. Gives the id that it is known by.
    async fn delivery(&self, account: &Json) -> Json {
        let query = "mutation($id: ID!) { webhookRegister(accountId: $id) { webhook { url } } }";
        let made = self.ask(query, json!({ "id": account })).await;
        let url = made["webhookRegister"]["webhook"]["url"].as_str().unwrap().to_owned();
        let [secret, endpoint, app]: [&str; 3] =
            url.rsplit('/').take(3).collect::<Vec<_>>().try_into().unwrap();
        let body = b"account[id]=12345678&contacts[update][0][id]=1";
        let kind = "application/x-www-form-urlencoded";
        let addressed = self.webhooks.addressed(app, endpoint, secret).await.ok().unwrap();
        self.webhooks.receive(&addressed, kind, body).await.unwrap();
        let query = "query($id: ID!) { account(id: $id) { webhook { deliveries { edges { \
                     node { id } } } } } }";
        let listed = self.ask(query, json!({ "id": account })).await;
        listed["account"]["webhook"]["deliveries"]["edges"][0]["node"]["id"].clone()
    }
}

fn mutation(name: &str, kind: &str, answer: &str) -> String {
    format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ {answer} userErrors {{ code message detail path }} }} }}"
    )
}

fn code(payload: &Json) -> &str {
    let error = &payload["userErrors"][0];
    let message = error["message"].as_str().unwrap_or_else(|| panic!("no error: {payload}"));
    assert!(!message.is_empty());
    error["code"].as_str().unwrap()
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql"));
    assert!(committed.unwrap() == sdl(), "run `cargo run -- schema > schema.graphql`");
}

#[tokio::test]
async fn what_is_made_in_one_workspace_is_not_there_in_another() {
    let house = House::new().await;
    let connection = house.connection().await;
    let accounts =
        house.ask("{ accounts { edges { node { id app { slug } } } } }", json!({})).await;
    let accounts = accounts["accounts"]["edges"].as_array().unwrap().clone();
    let kommo = accounts.iter().find(|edge| edge["node"]["app"]["slug"] == "kommo").unwrap();
    let account = kommo["node"]["id"].clone();
    let delivery = house.delivery(&account).await;
    assert!(delivery.is_string());
    let elsewhere = |query: String, variables: Json| {
        let house = &house;
        async move { house.ask_as(ELSEWHERE, Role::Owner, &query, variables).await["data"].clone() }
    };
    let query = "query($c: ID!, $a: ID!) { connection(id: $c) { id } account(id: $a) { id } \
                 node(id: $c) { id } nodes(ids: [$c, $a]) { id } \
                 connections { edges { cursor } } accounts { edges { cursor } } }";
    let seen = elsewhere(query.to_owned(), json!({"c": connection, "a": account})).await;
    assert_eq!(seen["connection"], Json::Null);
    assert_eq!(seen["account"], Json::Null);
    assert_eq!(seen["node"], Json::Null);
    assert_eq!(seen["nodes"], json!([null, null]));
    assert_eq!(seen["connections"]["edges"], json!([]));
    assert_eq!(seen["accounts"]["edges"], json!([]));
    let query =
        "query($a: ID!) { account(id: $a) { webhook { url deliveries { edges { cursor } } } } }";
    let seen = elsewhere(query.to_owned(), json!({"a": account})).await;
    assert_eq!(seen["account"], Json::Null);
    let inputs = [
        (
            "connectionUpdate",
            "ConnectionUpdateInput",
            "draft { edit }",
            json!({"connectionId": connection}),
        ),
        (
            "syncUpdate",
            "SyncUpdateInput",
            "draft { edit }",
            json!({"connectionId": connection, "source": "LEFT"}),
        ),
        (
            "ruleSet",
            "RuleSetInput",
            "draft { edit }",
            json!({"connectionId": connection, "source": "LEFT", "rules": []}),
        ),
        (
            "mappingSet",
            "MappingSetInput",
            "draft { edit }",
            json!({"connectionId": connection, "source": "LEFT", "entries": []}),
        ),
        (
            "connectionReview",
            "ConnectionReviewInput",
            "review { token }",
            json!({"connectionId": connection}),
        ),
        (
            "connectionStart",
            "ConnectionStartInput",
            "connection { id }",
            json!({"connectionId": connection, "sources": ["LEFT"], "reviewToken": "x"}),
        ),
        (
            "draftPreview",
            "DraftPreviewInput",
            "draft { edit }",
            json!({"connectionId": connection}),
        ),
        (
            "draftPublish",
            "DraftPublishInput",
            "connection { id }",
            json!({"connectionId": connection, "reviewToken": "x"}),
        ),
        (
            "accountUpdate",
            "AccountUpdateInput",
            "account { id }",
            json!({"id": account, "label": "stolen"}),
        ),
        (
            "accountReconnect",
            "AccountReconnectInput",
            "account { id }",
            json!({"id": account, "credentials": []}),
        ),
        (
            "accountAuthorizeStart",
            "AccountAuthorizeStartInput",
            "authorization { url }",
            json!({"app": "kommo", "accountId": account}),
        ),
        (
            "connectionCreate",
            "ConnectionCreateInput",
            "connection { id }",
            json!({"title": "x", "left": {"accountId": account}, "right": {"accountId": account.as_str().unwrap().replace('0', "1")}}),
        ),
    ];
    for (name, kind, answer, input) in inputs {
        let done = elsewhere(mutation(name, kind, answer), json!({ "input": input })).await;
        let said = code(&done[name]).to_owned();
        assert!(said == "NOT_FOUND" || said == "INVALID", "{name}: {done}");
    }
    for (name, argument, kind) in [
        ("accountCheck", "id", account.clone()),
        ("accountDisconnect", "id", account.clone()),
        ("connectionRun", "connectionId", json!(connection)),
        ("connectionDisconnect", "connectionId", json!(connection)),
        ("draftDiscard", "connectionId", json!(connection)),
        ("webhookRegister", "accountId", account.clone()),
        ("webhookUnregister", "accountId", account.clone()),
        ("deliveryReplay", "id", delivery.clone()),
    ] {
        let query = format!(
            "mutation($id: ID!) {{ {name}({argument}: $id) {{ userErrors {{ code message }} }} }}"
        );
        let done = elsewhere(query, json!({ "id": kind })).await;
        assert_eq!(code(&done[name]), "NOT_FOUND", "{name}");
    }
    assert_eq!(house.ask("{ connections { edges { node { title } } } }", json!({})).await["connections"]["edges"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_webhook_tells_who_took_it_back() {
    let house = House::new().await;
    let id = house.connect(0).await;
    let state = |name: &'static str| {
        let (house, id) = (&house, &id);
        async move {
            let query = format!(
                "mutation($id: ID!) {{ {name}(accountId: $id) {{ webhook {{ state }} }} }}"
            );
            let done = house.ask(&query, json!({ "id": id })).await;
            done[name]["webhook"]["state"].clone()
        }
    };
    assert_eq!(state("webhookUnregister").await, "UNREGISTERED");
    assert_eq!(state("webhookRegister").await, "REGISTERED");
    let query =
        "mutation($id: ID!) { accountDisconnect(id: $id) { account { webhook { state } } } }";
    let done = house.ask(query, json!({ "id": id })).await;
    assert_eq!(done["accountDisconnect"]["account"]["webhook"]["state"], "NOT_REGISTERED");
}

#[tokio::test]
async fn what_an_app_posted_since_a_time_is_looked_into_again() {
    let house = House::new().await;
    let id = json!(house.connect(0).await);
    let delivery = house.delivery(&id).await;
    let replay = async |number: u128, role: Role, id: &Json, since: &str| {
        let query = "mutation($id: ID!, $since: String!) { deliveriesReplay(accountId: $id, since: $since) { \
                     count userErrors { code message path } } }";
        let done = house.ask_as(number, role, query, json!({ "id": id, "since": since })).await;
        done["data"]["deliveriesReplay"].clone()
    };
    let read = async || {
        let query = "query($id: ID!) { account(id: $id) { webhook { deliveries { edges { node { \
                     id state receivedAt } } } } } }";
        let data = house.ask(query, json!({ "id": id })).await;
        data["account"]["webhook"]["deliveries"]["edges"][0]["node"].clone()
    };
    house.webhooks.expand_due().await.unwrap();
    let before = read().await;
    assert_eq!((&before["id"], &before["state"]), (&delivery, &json!("EXPANDED")));
    let at = before["receivedAt"].as_str().unwrap();

    let none = replay(HOME, Role::Owner, &id, "9999-01-01T00:00:00Z").await;
    assert_eq!(none, json!({ "count": 0, "userErrors": [] }));
    let wrong = replay(HOME, Role::Owner, &id, "yesterday").await;
    assert_eq!((code(&wrong), &wrong["userErrors"][0]["path"]), ("INVALID", &json!(["since"])));
    let foreign = replay(ELSEWHERE, Role::Owner, &id, at).await;
    assert_eq!(
        (code(&foreign), &foreign["userErrors"][0]["path"]),
        ("NOT_FOUND", &json!(["accountId"]))
    );
    assert_eq!(code(&replay(HOME, Role::Viewer, &id, at).await), "FORBIDDEN");
    assert_eq!(read().await, before, "nothing was looked into again");

    let done = replay(HOME, Role::Operator, &id, at).await;
    assert_eq!(done, json!({ "count": 1, "userErrors": [] }));
    assert_eq!(read().await["state"], "RECEIVED");
    house.webhooks.expand_due().await.unwrap();
    assert_eq!(read().await["state"], "EXPANDED");
}

#[tokio::test]
async fn an_account_that_is_in_use_keeps_its_webhook() {
    let house = House::new().await;
    let connection = house.connection().await;
    let query = "query($id: ID!) { connection(id: $id) { sides { account { id } } } }";
    let seen = house.ask(query, json!({ "id": connection })).await;
    let id = &seen["connection"]["sides"][0]["account"]["id"];
    let query = "mutation($id: ID!) { webhookRegister(accountId: $id) { webhook { url } } }";
    let made = house.ask(query, json!({ "id": id })).await;
    let url = &made["webhookRegister"]["webhook"]["url"];
    let query = "mutation($id: ID!) { accountDisconnect(id: $id) { userErrors { code message } } }";
    let done = house.ask(query, json!({ "id": id })).await;
    assert_eq!(code(&done["accountDisconnect"]), "IN_USE");
    let query = "query($id: ID!) { account(id: $id) { webhook { state url } } }";
    let webhook = &house.ask(query, json!({ "id": id })).await["account"]["webhook"];
    assert_eq!((&webhook["state"], &webhook["url"]), (&json!("REGISTERED"), url));
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let house = House::new().await;
    let input = json!({"input": {"app": "kommo", "credentials": house.credentials[0]}});
    let query = mutation("accountConnect", "AccountConnectInput", "account { id }");
    let done = house.ask_as(HOME, Role::Viewer, &query, input).await;
    assert_eq!(code(&done["data"]["accountConnect"]), "FORBIDDEN");
    let seen = house.ask_as(HOME, Role::Viewer, "{ apps { slug } }", json!({})).await;
    assert_eq!(seen["data"]["apps"].as_array().unwrap().len(), 2);
}
