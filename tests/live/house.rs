//! A server in this process with two emulated apps that post to it, and a connection that runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use concord::app::{self, HOME};
use concord::auth::{Principal, Role};
use concord::config::{Config, Given};
use concord::connectors::Overrides;
use concord::lab::demo::{self, Client, Emulators, Script, Server, Town};
use concord::lab::people::Kind;
use concord::net::{Answer, Http, Method, Request};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// How long anything may take until the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long an edit may take to the other side.
pub const SOON: Duration = Duration::from_secs(5);
/// How long it is still after the last thing that was due.
const STILL: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A data folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct House {
    pub town: Town,
    pub owner: Server,
    pub viewer: Server,
    pub elsewhere: Server,
    /// Where the emulator of Kommo is reached.
    pub kommo: String,
    serving: Vec<JoinHandle<()>>,
    _folder: Folder,
}

impl House {
    /// Two apps with so many people and a server that knows nothing of them yet. `overrides` may point
    /// it elsewhere.
    pub async fn new(
        name: &str,
        contacts: u32,
        overrides: impl AsyncFnOnce(&Emulators, &Town) -> Overrides,
    ) -> Self {
        let (town, emulators) = demo::open(contacts, 11, [0, 0]).await.unwrap();
        let overrides = overrides(&emulators, &town).await;
        let [kommo, _] = emulators.addresses();
        let folder = format!("concord-live-{name}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(folder));
        let given = Given { data: Some(folder.0.clone()), ..Given::default() };
        let mut config = Config::read(&given, |_| None).unwrap();
        config.overrides = overrides;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(any).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        config.public_url = Some(address.clone());
        let app = app::build(&config).await.unwrap();
        let mut servers = Vec::new();
        for (workspace, role) in
            [(HOME, Role::Owner), (HOME, Role::Viewer), ("elsewhere", Role::Owner)]
        {
            let workspace = app.workspace(workspace).await.unwrap();
            let who = Principal { workspace, subject: "test".to_owned(), role };
            let token = app.tokens.issue(&who, Duration::from_secs(600)).unwrap().into();
            servers.push(Server { address: address.clone(), token });
        }
        let serving = vec![
            spawn(async move {
                tokio::select! {
                    served = axum::serve(listener, app.router) => served.unwrap(),
                    ran = app.dispatcher.run(std::future::pending()) => ran.unwrap(),
                }
            }),
            spawn(async move { emulators.serve().await.unwrap() }),
        ];
        let [owner, viewer, elsewhere] = servers.try_into().unwrap_or_else(|_| panic!("three"));
        Self { town, owner, viewer, elsewhere, kommo, serving, _folder: folder }
    }

    /// The same with a connection of the two apps that is through with its first run, and is told of
    /// what happens from now on.
    pub async fn running(name: &str, contacts: u32) -> (Self, Connected) {
        let house = Self::new(name, contacts, async |emulators, _| emulators.overrides()).await;
        let script = house.script().await;
        let accounts = script.accounts().await.unwrap();
        let [left, right] = &accounts;
        let id = script.set_up(left, right).await.unwrap();
        script.start(&id, &["NO_OTHER_SYNC"]).await.unwrap();
        let first = script.approved(&id).await.unwrap();
        for account in &accounts {
            assert!(script.register(account).await.unwrap());
        }
        // From this run on, what is found by reading was missed.
        script.run(&id, &first).await.unwrap();
        let connected = Connected { accounts, id };
        house.still(&connected.id).await;
        (house, connected)
    }

    pub async fn stop(self) {
        for serving in self.serving {
            serving.abort();
            let _ = serving.await;
        }
    }

    pub async fn script(&self) -> Script<'_> {
        self.town.script(&self.owner, true).await.unwrap()
    }

    /// People who were in both apps from the start: their ids in Kommo and in Zoho.
    pub fn linked(&self) -> Vec<(u64, String)> {
        let people = self.town.people.people.iter();
        let plain = people.filter(|person| {
            person.kind == Kind::Plain && person.left.len() == 1 && person.right.len() == 1
        });
        let moved = &self.town.moved;
        let ids = plain.map(|person| {
            (moved.left_ids[&person.number][0], moved.right_ids[&person.number][0].clone())
        });
        ids.collect()
    }

    /// A person gives somebody a title in Kommo.
    pub fn titles(&self, id: u64, title: &str) {
        let values = json!([{ "field_code": "POSITION", "values": [{ "value": title }] }]);
        assert!(self.town.kommo.person_edits(id, json!({ "custom_fields_values": values })));
    }

    /// A person gives somebody a city in Kommo.
    pub fn moves(&self, id: u64, city: &str) {
        let field = self.town.moved.city_field;
        let values = json!([{ "field_id": field, "values": [{ "value": city }] }]);
        assert!(self.town.kommo.person_edits(id, json!({ "custom_fields_values": values })));
    }

    pub fn is_in_zoho(&self, words: &str) -> bool {
        self.town.zoho.contacts().iter().any(|contact| contact.to_string().contains(words))
    }

    pub fn is_in_kommo(&self, words: &str) -> bool {
        self.town.kommo.contacts().iter().any(|contact| contact.to_string().contains(words))
    }

    /// The runs of a connection after one, once none of them goes on.
    pub async fn runs_after(&self, connection: &str, before: &str) -> Vec<Json> {
        let query = "query($id: ID!) { connection(id: $id) { runs(first: 50) { edges { node { \
                     id kind trigger state counts { writes { side kind count } } } } } } }";
        let begun = Instant::now();
        loop {
            let data = ask(&self.owner, query, json!({ "id": connection })).await;
            let edges = data["connection"]["runs"]["edges"].as_array().unwrap().clone();
            let runs = edges.into_iter().map(|edge| edge["node"].clone());
            let runs: Vec<Json> = runs.filter(|run| run["id"].as_str().unwrap() > before).collect();
            if runs.iter().all(|run| run["state"] != "RUNNING") {
                return runs;
            }
            assert!(begun.elapsed() < PATIENCE, "{runs:?}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// The id of the newest run of a connection.
    pub async fn newest(&self, connection: &str) -> String {
        let run = self.script().await.latest(connection).await.unwrap();
        run["id"].as_str().unwrap().to_owned()
    }

    /// Waits until nothing runs, and nothing that was told of waits.
    pub async fn still(&self, connection: &str) {
        let begun = Instant::now();
        loop {
            let before = self.newest(connection).await;
            sleep(STILL).await;
            if self.runs_after(connection, &before).await.is_empty() {
                return;
            }
            assert!(begun.elapsed() < 2 * PATIENCE, "it runs and runs");
        }
    }

    /// The webhook of an account.
    pub async fn webhook(&self, account: &str) -> Json {
        let query = "query($id: ID!) { account(id: $id) { webhook { state url } } }";
        ask(&self.owner, query, json!({ "id": account })).await["account"]["webhook"].clone()
    }

    /// Where the app of an account posts.
    pub async fn url(&self, account: &str) -> String {
        self.webhook(account).await["url"].as_str().unwrap().to_owned()
    }

    /// Asks Kommo for its webhooks as its own integrations do.
    pub async fn webhooks_of_kommo(&self, method: Method, body: Json) -> Answer {
        let begun = Instant::now();
        loop {
            let bearer = SecretString::from(format!("Bearer {}", self.town.kommo.token()));
            let request = Request::new(method, format!("{}/api/v4/webhooks", self.kommo))
                .authorization(bearer)
                .body("application/json", body.to_string().into_bytes());
            let answer = Http::new().unwrap().send(request).await.unwrap();
            // The account may be asked only so often, and Concord asks it too.
            if answer.status != 429 {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "too many requests");
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Somebody removes Concord's webhook in Kommo by hand.
    pub async fn forget_webhook_in_kommo(&self, account: &str) {
        let destination = self.url(account).await;
        let body = json!({ "destination": destination });
        let answer = self.webhooks_of_kommo(Method::Delete, body).await;
        assert_eq!(answer.status, 204);
    }
}

/// What the connection of the two apps is known by.
pub struct Connected {
    pub accounts: [String; 2],
    pub id: String,
}

/// Asks a server. Errors of the request are none that any test expects.
pub async fn ask(server: &Server, query: &str, variables: Json) -> Json {
    Client::new(server).unwrap().ask(query, variables).await.unwrap()
}

/// How long it takes until something is there.
pub async fn until(is_there: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < PATIENCE, "it did not arrive");
        sleep(LOOK_EVERY).await;
    }
    begun.elapsed()
}

/// The runs that wrote anything to a side, each by what woke it.
pub fn triggers_of_writes<'a>(runs: &'a [Json], side: &str) -> Vec<&'a str> {
    let wrote = |run: &&Json| {
        let writes = run["counts"]["writes"].as_array().unwrap();
        writes.iter().any(|write| write["side"] == side)
    };
    runs.iter().filter(wrote).map(|run| run["trigger"].as_str().unwrap()).collect()
}

/// How many writes a side got in these runs.
pub fn writes(runs: &[Json], side: &str) -> u64 {
    let all = runs.iter().flat_map(|run| run["counts"]["writes"].as_array().unwrap());
    all.filter(|write| write["side"] == side).map(|write| write["count"].as_u64().unwrap()).sum()
}

#[expect(clippy::disallowed_methods, reason = "the test stops it, or its runtime does")]
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}
