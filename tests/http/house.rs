//! A server on a port of its own, and two ways to ask it: as a client does, and byte by byte.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use concord::accounts::{Accounts, Authorizations};
use concord::auth::{Principal, Role, Tokens};
use concord::connectors::{self, Overrides, Registrations};
use concord::http::{self, Ready};
use concord::net::{self, Method};
use concord::ports::ManualClock;
use concord::ports::{Clock, SeededIds, SystemEntropy};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{Account, AccountId, Endpoint, MemoryStore, Store, Workspace, WorkspaceId};
use concord::webhooks::{self, Webhooks};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{TestSchema, World, schema};

pub const START: i64 = 1_786_000_000;
pub const KEY: [u8; 32] = [7; 32];
/// A request that would write.
pub const ADD: &str = r#"{"query":"mutation { add }"}"#;
pub const JSON: &str = "application/json";

pub struct House {
    pub world: Arc<World>,
    pub clock: Arc<ManualClock>,
    pub is_ready: Arc<AtomicBool>,
    pub store: Arc<dyn Store>,
    pub webhooks: Arc<Webhooks>,
    pub authorizations: Arc<Authorizations>,
    tokens: Arc<Tokens>,
    address: SocketAddr,
    client: net::Http,
}

struct Readiness(Arc<AtomicBool>);

#[async_trait]
impl Ready for Readiness {
    async fn ready(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Where people may be sent on to.
pub const DONE: &str = "https://app.example.com/done";

/// The address that the server believes to be reached at.
pub const PUBLIC: &str = "https://sync.example.com";

fn rooms(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> (Webhooks, Authorizations) {
    let key = MasterKey::generate(&SystemEntropy).unwrap();
    let sealer = Sealer::new(key.clone(), Vec::new(), Arc::new(SystemEntropy));
    let ids = Arc::new(SeededIds::new(1));
    let world = connectors::World {
        http: net::Http::new().unwrap(),
        clock: clock.clone(),
        overrides: Overrides::default(),
        registrations: Registrations::default().with("kommo", "an id", "a secret"),
    };
    let accounts = Accounts::new(store.clone(), sealer.clone(), world, ids.clone(), "test");
    let (accounts, public_url) = (Arc::new(accounts), Some(PUBLIC.to_owned()));
    let entropy = Arc::new(SystemEntropy);
    let authorizations = Authorizations::new(accounts.clone(), entropy, public_url.clone());
    let authorizations = authorizations.returning_to(vec![DONE.to_owned()]);
    let parts = webhooks::Parts { store, accounts, sealer, key, clock, ids, public_url };
    (Webhooks::new(parts), authorizations)
}

impl House {
    /// An account with the path at which its app may post, and where that is kept.
    pub async fn endpoint(&self, app: &str) -> (String, Endpoint) {
        let workspace = WorkspaceId(uuid::Uuid::from_u128(7));
        let id = AccountId(uuid::Uuid::from_u128(app.len() as u128));
        let row = Workspace { id: workspace, name: "home".to_owned() };
        self.store.add_workspace(&row).await.unwrap();
        let account = Account::new(workspace, id, app, "36398783", self.clock.now());
        self.store.add_account(&account, b"").await.unwrap();
        let endpoint = self.webhooks.endpoint(workspace, id).await.unwrap();
        let address = self.webhooks.address(&endpoint, app).unwrap();
        (address.strip_prefix(PUBLIC).unwrap().to_owned(), endpoint)
    }

    /// What was kept of what came.
    pub async fn kept(&self, endpoint: &Endpoint) -> Vec<concord::store::Delivery> {
        let (workspace, id) = (endpoint.workspace, Some(endpoint.id));
        self.store.deliveries_before(workspace, id, None, None, 100).await.unwrap()
    }

    /// Posts a notification, as an app does.
    pub async fn notify(
        &self,
        path: &str,
        content_type: &'static str,
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let request = net::Request::new(Method::Post, self.url(path)).body(content_type, body);
        self.send(request).await
    }

    pub async fn open() -> Self {
        Self::with(false).await
    }

    pub async fn with(graphiql: bool) -> Self {
        Self::serve(graphiql, http::router).await
    }

    pub async fn of_worker() -> Self {
        Self::serve(false, |http| http::worker_router(http.ready)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the server ends with its test")]
    async fn serve(graphiql: bool, router: fn(http::Http<TestSchema>) -> axum::Router) -> Self {
        let world = Arc::new(World::new());
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(START).unwrap()));
        let tokens = Arc::new(Tokens::new(&KEY, clock.clone()));
        let is_ready = Arc::new(AtomicBool::new(true));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        let (webhooks, authorizations) = rooms(store.clone(), clock.clone());
        let (webhooks, authorizations) = (Arc::new(webhooks), Arc::new(authorizations));
        let router = router(http::Http {
            executor: schema(world.clone()),
            tokens: tokens.clone(),
            webhooks: webhooks.clone(),
            authorizations: authorizations.clone(),
            graphiql,
            ready: Arc::new(Readiness(is_ready.clone())),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = net::Http::new().unwrap();
        Self { world, clock, is_ready, store, webhooks, authorizations, tokens, address, client }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn writes(&self) -> usize {
        self.world.writes.load(Ordering::SeqCst)
    }

    pub fn token(&self) -> String {
        self.token_of("ana", 7)
    }

    pub fn token_of(&self, subject: &str, workspace: u128) -> String {
        self.token_for(subject, workspace, Duration::from_secs(600))
    }

    pub fn token_for(&self, subject: &str, workspace: u128, life: Duration) -> String {
        let workspace = WorkspaceId(uuid::Uuid::from_u128(workspace));
        let principal = Principal { workspace, subject: subject.to_owned(), role: Role::Operator };
        self.tokens.issue(&principal, life).unwrap()
    }

    /// A request with a token, and nothing else yet.
    pub fn signed(&self, method: Method, path: &str) -> net::Request {
        let value = format!("Bearer {}", self.token());
        net::Request::new(method, self.url(path)).authorization(value.into())
    }

    pub async fn send(&self, request: net::Request) -> Reply {
        let answer = self.client.send(request).await.unwrap();
        let body = String::from_utf8(answer.body).unwrap();
        Reply { status: answer.status, headers: answer.headers, body }
    }

    /// Posts this as the body of a request for GraphQL.
    pub async fn post(&self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        self.send(self.signed(Method::Post, "/graphql").body(content_type, body)).await
    }

    /// Asks with a query, as clients do.
    pub async fn ask(&self, query: &str) -> Reply {
        self.post(JSON, json!({ "query": query }).to_string()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(net::Request::new(Method::Get, self.url(path))).await
    }

    pub async fn line(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub async fn raw(&self) -> Raw {
        Raw(self.line().await)
    }

    /// A request for GraphQL to its last header but its length, with a token.
    pub fn head(&self, headers: &[&str]) -> String {
        let mut head = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             authorization: Bearer {}\r\n",
            self.token()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head
    }

    /// Posts this with exactly these headers.
    pub async fn post_raw(&self, headers: &[&str], body: &str) -> Reply {
        let head = self.head(headers);
        self.tell(&format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await
    }

    /// Sends this text, and reads what is answered.
    pub async fn tell(&self, text: &str) -> Reply {
        let raw = self.raw().await;
        raw.send(text.as_bytes()).await;
        raw.answer().await
    }
}

/// A connection without anything in between.
pub struct Raw(TcpStream);

impl Raw {
    /// Sends until all is sent or nobody takes any more. Tells how many bytes were sent.
    pub async fn send(&self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            self.0.writable().await.unwrap();
            match self.0.try_write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        sent
    }

    /// Reads until the server closes.
    pub async fn answer(&self) -> Reply {
        let mut text = Vec::new();
        let mut part = [0; 4096];
        loop {
            self.0.readable().await.unwrap();
            match self.0.try_read(&mut part) {
                Ok(0) => break,
                Ok(count) => text.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A server that did not read all it was sent breaks the connection.
                Err(_) => break,
            }
        }
        Reply::read(&String::from_utf8(text).unwrap())
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Reply {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self { status, headers: headers.collect(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn data(&self) -> Value {
        let json = self.json();
        assert_eq!((self.status, &json["errors"]), (200, &Value::Null));
        json["data"].clone()
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
    }

    /// The text of the first error.
    pub fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap().to_owned()
    }

    /// That it was refused like this.
    #[track_caller]
    pub fn is_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.body);
    }
}
