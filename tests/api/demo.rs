//! The demo: on its own server, on one that somebody else started, and when its two sides differ.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use concord::app::{self, HOME};
use concord::auth::{Principal, Role};
use concord::config::{Config, Given};
use concord::connectors::{Overrides, Registrations};
use concord::lab::demo::{self, Emulators, Options, Played, Script, Server, Town};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Longer than any of them takes.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A data folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let name = format!("concord-api-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn given(&self) -> Given {
        Given { data: Some(self.0.clone()), ..Given::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that runs.
pub struct Served {
    pub server: Server,
    /// The same, as somebody of another workspace asks it.
    pub elsewhere: Server,
    serving: JoinHandle<()>,
}

impl Served {
    pub async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

/// A server as an operator starts it, with the apps at these addresses.
pub async fn serve(folder: &Folder, overrides: Overrides) -> Served {
    serve_with(folder, overrides, Registrations::default()).await
}

/// The same, with these OAuth clients.
pub async fn serve_with(
    folder: &Folder,
    overrides: Overrides,
    registrations: Registrations,
) -> Served {
    let mut config = Config::read(&folder.given(), |_| None).unwrap();
    (config.overrides, config.registrations) = (overrides, registrations);
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    config.public_url = Some(address.clone());
    let app = app::build(&config).await.unwrap();
    let mut servers = Vec::new();
    for name in [HOME, "elsewhere"] {
        let workspace = app.workspace(name).await.unwrap();
        let owner = Principal { workspace, subject: "operator".to_owned(), role: Role::Owner };
        let token = app.tokens.issue(&owner, Duration::from_secs(600)).unwrap().into();
        servers.push(Server { address: address.clone(), token });
    }
    let serving = async move {
        tokio::select! {
            served = axum::serve(listener, app.router) => served.unwrap(),
            ran = app.dispatcher.run(std::future::pending()) => ran.unwrap(),
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the test stops it, or its runtime does")]
    let serving = tokio::spawn(serving);
    let elsewhere = servers.pop().unwrap();
    Served { server: servers.pop().unwrap(), elsewhere, serving }
}

/// Acts by the steps of the script on a server of its own, with two apps of so many people from a seed.
pub async fn on_stage(
    name: &str,
    people: u32,
    seed: u64,
    act: impl AsyncFnOnce(&Town, &Script<'_>),
) {
    let folder = Folder::new(name);
    let (town, emulators) = demo::open(people, seed, [0, 0]).await.unwrap();
    let served = serve(&folder, emulators.overrides()).await;
    let acting = async {
        let script = town.script(&served.server, true).await.unwrap();
        act(&town, &script).await;
    };
    tokio::select! {
        () = acting => {}
        ended = emulators.serve() => panic!("the emulators ended: {ended:?}"),
    }
    served.stop().await;
}

/// Two ports that nobody listens on.
pub async fn free_ports() -> [u16; 2] {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (left, right) =
        (TcpListener::bind(any).await.unwrap(), TcpListener::bind(any).await.unwrap());
    [left, right].map(|listener| listener.local_addr().unwrap().port())
}

/// What an operator sets for emulators on these ports.
fn pointed_at([kommo, zoho]: [u16; 2]) -> Overrides {
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    Overrides::default()
        .with_address("kommo", &at(kommo))
        .with_address("zoho", &at(zoho))
        .with_address("zoho_accounts", &at(zoho))
}

/// Plays the script, and closes the emulators.
pub async fn play(town: &Town, emulators: Emulators, server: &Server) -> Played {
    let played = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            played = town.play(server, true) => played.unwrap(),
            served = emulators.serve() => panic!("the emulators ended: {served:?}"),
        }
    });
    played.await.unwrap()
}

fn options(given: Given, server: Option<Server>, ports: [u16; 2]) -> Options {
    Options { given, server, ports, contacts: 100, seed: 5, once: true, json: true }
}

#[tokio::test]
async fn it_converges_on_its_own_server() {
    let folder = Folder::new("own");
    let options = options(folder.given(), None, [0, 0]);
    let played = tokio::time::timeout(PATIENCE, demo::run(&options)).await;
    assert!(played.unwrap().unwrap(), "the two sides differ");
}

#[tokio::test]
async fn it_converges_on_a_server_that_somebody_else_started() {
    let folder = Folder::new("other");
    let ports = free_ports().await;
    let served = serve(&folder, pointed_at(ports)).await;
    let options = options(Given::default(), Some(served.server.clone()), ports);
    let played = tokio::time::timeout(PATIENCE, demo::run(&options)).await;
    served.stop().await;
    assert!(played.unwrap().unwrap(), "the two sides differ");
}

#[tokio::test]
async fn a_server_that_does_not_reach_the_emulators_is_told_what_to_set() {
    let folder = Folder::new("lost");
    let ports = free_ports().await;
    let elsewhere = free_ports().await;
    let served = serve(&folder, pointed_at(elsewhere)).await;
    let options = options(Given::default(), Some(served.server.clone()), ports);
    let played = tokio::time::timeout(PATIENCE, demo::run(&options)).await;
    served.stop().await;
    let said = played.unwrap().unwrap_err().to_string();
    let [kommo, zoho] = ports;
    for line in [
        format!("CONCORD_APP_KOMMO_URL=http://127.0.0.1:{kommo}"),
        format!("CONCORD_APP_ZOHO_URL=http://127.0.0.1:{zoho}"),
        format!("CONCORD_APP_ZOHO_ACCOUNTS_URL=http://127.0.0.1:{zoho}"),
    ] {
        assert!(said.lines().any(|told| told == line), "{line} is not in: {said}");
    }
}

#[tokio::test]
async fn a_value_broken_behind_the_engines_back_is_found_and_named() {
    let folder = Folder::new("broken");
    let (town, emulators) = demo::open(60, 6, [0, 0]).await.unwrap();
    let served = serve(&folder, emulators.overrides()).await;
    let played = play(&town, emulators, &served.server).await;
    // From here on nobody mends anything.
    served.stop().await;
    let before = played.judge(&town).unwrap();
    assert!(before.converged, "{:?}", before.differences);
    assert_eq!(before.differences.len(), 0);

    let text = |record: &Json, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let edited = town.zoho.contacts().into_iter();
    let mut edited =
        edited.filter(|record| text(record, "Title").starts_with("Edited on the left"));
    let victim = edited.next_back().expect("edits came over");
    let person = text(&victim, "Email").trim().to_lowercase();
    assert!(!person.is_empty());
    let broken = json!({ "Mailing_City": "Broken behind its back" });
    assert!(town.zoho.person_edits(&text(&victim, "id"), broken));

    let report = played.judge(&town).unwrap();
    assert!(!report.converged, "the exit status is that of a demo that failed");
    let named: Vec<(&str, &str, &str)> = report
        .differences
        .iter()
        .map(|told| (told.person.as_str(), told.field.as_str(), told.problem.as_str()))
        .collect();
    assert_eq!(named, [(person.as_str(), "city", "differs")]);
    assert!(!serde_json::to_string(&report).unwrap().contains("Broken"), "no value is told");
}

#[tokio::test]
async fn a_server_is_ready_from_its_start_to_its_end() {
    let folder = Folder::new("ready");
    let served = serve(&folder, Overrides::default()).await;
    let mut config = Config::read(&folder.given(), |_| None).unwrap();
    let port: u16 = served.server.address.rsplit(':').next().unwrap().parse().unwrap();
    config.listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let begun = Instant::now();
    while !app::is_ready(&config).await {
        assert!(begun.elapsed() < PATIENCE, "it does not become ready");
        sleep(Duration::from_millis(50)).await;
    }
    served.stop().await;
    assert!(!app::is_ready(&config).await);
}

#[test]
fn the_book_names_what_a_server_has_to_be_started_with() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/demo.md")).unwrap();
    let [kommo, zoho] = demo::PORTS;
    for line in [
        format!("export CONCORD_APP_KOMMO_URL=http://127.0.0.1:{kommo}"),
        format!("export CONCORD_APP_ZOHO_URL=http://127.0.0.1:{zoho}"),
        format!("export CONCORD_APP_ZOHO_ACCOUNTS_URL=http://127.0.0.1:{zoho}"),
    ] {
        assert!(page.lines().any(|told| told == line), "{line}");
    }
}

#[test]
fn another_server_needs_a_token_and_has_a_place_of_its_own() {
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg("demo").args(arguments).output().unwrap()
    };
    assert!(run(&["--help"]).status.success());
    let server = ["--server", "http://127.0.0.1:1"];
    for wrong in [
        vec![],
        vec!["--token", "x", "--port", "1"],
        vec!["--token", "x", "--data", "x"],
        vec!["--token", "x", "--database-url", "sqlite://x"],
    ] {
        let output = run(&[server.as_slice(), &wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
    }
    assert_eq!(run(&["--token", "x"]).status.code(), Some(2));
}
