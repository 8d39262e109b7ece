//! The demo: two emulated CRMs full of people, the server, and a connection between them that is made
//! through the public API, as anybody would make it. Whether the two became the same is judged from
//! the emulators' raw state.

mod client;
mod edits;
mod report;
mod script;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::app::{self, HOME};
use crate::auth::{Principal, Role};
use crate::config::{Config, Given};
use crate::connectors::{Overrides, kommo, zoho};
use crate::lab::emulate::{AppHandle, Emulated, Listening, listen};
use crate::lab::people::{Moved, People, move_in, people};
use client::Client;
use script::Script;

pub use report::DemoReport;

/// What the demo is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the server is and what it keeps.
    pub given: Given,
    /// How many people.
    pub contacts: u32,
    /// From which seed they are made.
    pub seed: u64,
    /// Whether it ends after the last check.
    pub once: bool,
    /// Whether one JSON object is all that is printed on standard output.
    pub json: bool,
}

/// The two emulated apps with the people in them.
pub(crate) struct Town {
    pub(crate) people: People,
    pub(crate) moved: Moved,
    pub(crate) kommo: kommo::emulator::Emulator,
    pub(crate) zoho: zoho::emulator::Emulator,
    /// What a person would type in, for each.
    pub(crate) credentials: [Vec<(&'static str, String)>; 2],
}

/// Plays the demo. Gives whether the two sides became the same.
///
/// # Errors
/// A port in use, a data folder or database that can't be used, or the script failing.
pub async fn run(options: &Options) -> Result<bool> {
    let left = listen(Emulated::Kommo, 0).await.context("no port for the emulator of Kommo")?;
    let right = listen(Emulated::Zoho, 0).await.context("no port for the emulator of Zoho CRM")?;
    let overrides = Overrides::default()
        .with_address("kommo", &left.address)
        .with_address("zoho", &right.address)
        .with_address("zoho_accounts", &right.address);
    let addresses = [left.address.clone(), right.address.clone()];
    let town = Arc::new(town(options, &left, &right)?);

    let fresh = Fresh::new(&options.given);
    let config = fresh.config(overrides)?;
    let in_use = || format!("{} can't be listened on: take another port by --port", config.listen);
    let listener = tokio::net::TcpListener::bind(config.listen).await.with_context(in_use)?;
    let address = format!("http://{}", listener.local_addr()?);
    let app = app::build(&config).await?;
    let workspace = app.workspace(HOME).await?;
    let owner = Principal { workspace, subject: "demo".to_owned(), role: Role::Owner };
    let token = app.tokens.issue(&owner, Duration::from_secs(24 * 60 * 60))?;
    let client = Client::new(&address, &token)?;
    let script = Script::new(client, town, options.json);
    let play = async {
        let report = script.play().await?;
        if options.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            report.print();
        }
        if !options.once {
            eprintln!("\nGraphiQL:        {address}/#token={token}");
            eprintln!("Kommo (emulator): {}/_emulator/contacts", addresses[0]);
            eprintln!("Zoho (emulator):  {}/_emulator/contacts", addresses[1]);
            eprintln!(
                "Try:\n  curl -s {address}/graphql -H 'Authorization: Bearer {token}' \\\n    -H 'Content-Type: application/json' -d '{{\"query\":\"{{connections{{edges{{node{{title linkCount}}}}}}}}\"}}'"
            );
            eprintln!("  curl -s {}/_emulator/requests\nCtrl-C ends it.", addresses[0]);
            std::future::pending::<()>().await;
        }
        anyhow::Ok(report.converged)
    };
    tokio::select! {
        played = play => played,
        served = axum::serve(listener, app.router) => { served?; Ok(false) }
        served = left.serve() => { served?; Ok(false) }
        served = right.serve() => { served?; Ok(false) }
        ran = app.dispatcher.run(std::future::pending()) => { ran?; Ok(false) }
        stopped = tokio::signal::ctrl_c() => { stopped?; Ok(true) }
    }
}

fn town(options: &Options, left: &Listening, right: &Listening) -> Result<Town> {
    let (AppHandle::Kommo(kommo), AppHandle::Zoho(zoho)) = (left.app.clone(), right.app.clone())
    else {
        anyhow::bail!("the emulators are mixed up");
    };
    let people = people(options.contacts, options.seed);
    let moved = move_in(&people, &kommo, &zoho);
    let credentials = [left.credentials.clone(), right.credentials.clone()];
    Ok(Town { people, moved, kommo, zoho, credentials })
}

/// A data folder of its own, unless one is named; it goes with the demo.
struct Fresh {
    given: Given,
    folder: Option<std::path::PathBuf>,
}

impl Fresh {
    fn new(given: &Given) -> Self {
        let mut given = given.clone();
        given.graphiql = true;
        let folder = given
            .data
            .is_none()
            .then(|| std::env::temp_dir().join(format!("concord-demo-{}", std::process::id())));
        given.data = given.data.or_else(|| folder.clone());
        Self { given, folder }
    }

    fn config(&self, overrides: Overrides) -> Result<Config> {
        let mut config = Config::read(&self.given, |_| None)?;
        config.overrides = overrides;
        if self.given.port.is_none() {
            config.listen.set_port(0);
        }
        Ok(config)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
