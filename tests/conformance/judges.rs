//! The apps with their judges: one for each connector.

mod kommo;
mod memory;
mod zoho;

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use concord::accounts::{Accounts, Names};
use concord::connectors::{self, Connector, Credentials, Overrides, Registrations, World};
use concord::net::Http;
use concord::ports::{Clock, SeededIds, SystemEntropy};
use concord::record::{ObjectName, Schema};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{MemoryStore, Store, Workspace, WorkspaceId};

use crate::house::Subject;

pub fn all() -> Vec<Subject> {
    let subjects = vec![memory::subject(), kommo::subject(), zoho::contacts(), zoho::leads()];
    for app in connectors::ALL {
        let slug = app.about().slug;
        assert!(subjects.iter().any(|subject| subject.name == slug), "{slug} has no judge");
    }
    subjects
}

/// Serves an app on a port of its own. Gives its address.
pub async fn serve(listener: tokio::net::TcpListener, app: axum::Router) {
    #[expect(clippy::disallowed_methods, reason = "the server ends with the test's runtime")]
    tokio::spawn(async move { axum::serve(listener, app).await });
}

/// Stands before an app, counts what writes records, and refuses requests as a whole.
#[derive(Clone)]
pub struct Door {
    refusal: &'static str,
    state: Arc<Mutex<Passed>>,
}

#[derive(Default)]
struct Passed {
    words: Option<String>,
    writes: usize,
}

impl Door {
    /// A door that refuses with this body.
    pub fn new(refusal: &'static str) -> Self {
        Self { refusal, state: Arc::default() }
    }

    pub fn before(&self, app: axum::Router) -> axum::Router {
        let door = self.clone();
        app.layer(from_fn(move |request: Request, next: Next| door.clone().pass(request, next)))
    }

    async fn pass(self, request: Request, next: Next) -> Response {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let path = head.uri.path();
        let is_of_people = path.contains("ontacts") || path.contains("/Leads");
        let is_write = head.method != Method::GET && is_of_people;
        if is_write && self.refuses(&String::from_utf8_lossy(&body)) {
            let response =
                Response::builder().status(400).header("content-type", "application/json");
            return response.body(self.refusal.into()).unwrap();
        }
        next.run(Request::from_parts(head, body.into())).await
    }

    fn refuses(&self, body: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        state.writes += 1;
        state.words.as_ref().is_some_and(|words| body.contains(words))
    }

    pub fn refuse(&self, words: &str) {
        self.state.lock().unwrap().words = Some(words.to_owned());
    }

    pub fn writes(&self) -> usize {
        self.state.lock().unwrap().writes
    }
}

pub async fn listen() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// An account, connected as a person would.
pub struct Connected {
    pub connector: Arc<dyn Connector>,
    pub schema: Schema,
    pub object: ObjectName,
}

fn accounts(store: Arc<dyn Store>, clock: Arc<dyn Clock>, overrides: Overrides) -> Accounts {
    let key = MasterKey::generate(&SystemEntropy).unwrap();
    let sealer = Sealer::new(key, Vec::new(), Arc::new(SystemEntropy));
    let world = World {
        http: Http::with_body_max(1024 * 1024).unwrap(),
        clock,
        overrides,
        registrations: Registrations::default(),
    };
    Accounts::new(store, sealer, world, Arc::new(SeededIds::new(1)), "test")
}

fn workspace() -> WorkspaceId {
    WorkspaceId(uuid::Uuid::from_u128(1))
}

pub async fn connect(
    clock: Arc<dyn Clock>,
    overrides: Overrides,
    slug: &str,
    typed: &Credentials,
    object: &str,
) -> Connected {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let accounts = accounts(store.clone(), clock, overrides);
    let home = Workspace { id: workspace(), name: "home".to_owned() };
    store.add_workspace(&home).await.unwrap();
    let account = accounts.connect(workspace(), slug, typed, Names::default()).await.unwrap();
    let connector = accounts.open(workspace(), account.id).await.unwrap();
    let description = store.description(workspace(), account.id).await.unwrap().unwrap();
    let object = ObjectName::new(object);
    let schema = description.schemas[&object].clone();
    Connected { connector, schema, object }
}

pub async fn connect_error(
    clock: Arc<dyn Clock>,
    overrides: Overrides,
    slug: &'static str,
    typed: Credentials,
) -> connectors::Error {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let accounts = accounts(store, clock, overrides);
    match accounts.connect(workspace(), slug, &typed, Names::default()).await {
        Err(concord::accounts::Error::App(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was accepted"),
    }
}
