//! The demo: two emulated CRMs full of people, a server, and a connection between them that is made
//! through the public API, as anybody would make it. Whether the two became the same is judged from
//! the emulators' raw state.

mod client;
mod edits;
mod own;
mod played;
mod report;
mod script;
mod town;

use anyhow::Result;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Given;
use own::OwnServer;

pub use client::Client;
pub use played::Played;
pub use report::DemoReport;
pub use script::{SAID, Script};
pub use town::{Emulators, Town, open};

/// The ports of the emulators of Kommo and Zoho CRM, where a server has to know them beforehand.
pub const PORTS: [u16; 2] = [8091, 8092];

/// What the demo is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the demo's own server is and what it keeps.
    pub given: Given,
    /// A server that somebody started, to be played against in place of one of its own.
    pub server: Option<Server>,
    /// The ports of the emulators of Kommo and Zoho CRM; 0 takes any that is free.
    pub ports: [u16; 2],
    /// How many people.
    pub contacts: u32,
    /// From which seed they are made.
    pub seed: u64,
    /// Whether it ends after the last check.
    pub once: bool,
    /// Whether one JSON object is all that is printed on standard output.
    pub json: bool,
}

/// A server, and who asks it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address, such as `http://127.0.0.1:8080`.
    pub address: String,
    /// A token of it that may change things.
    pub token: SecretString,
}

/// Plays the demo. Gives whether the two sides became the same.
///
/// # Errors
/// A port in use, a data folder or database that can't be used, a server that does not answer or does
/// not reach the emulators, or the script failing.
pub async fn run(options: &Options) -> Result<bool> {
    let (town, emulators) = open(options.contacts, options.seed, options.ports).await?;
    if let Some(server) = &options.server {
        eprintln!("The server must have been started with\n{}", emulators.settings());
        let hints = Hints { emulators: emulators.addresses(), token: "TOKEN" };
        return tokio::select! {
            played = play(options, &town, server, hints) => played,
            served = emulators.serve() => { served?; Ok(false) }
            stopped = tokio::signal::ctrl_c() => { stopped?; Ok(true) }
        };
    }
    let own = OwnServer::build(&options.given, &emulators).await?;
    let server = own.server();
    let hints = Hints { emulators: emulators.addresses(), token: server.token.expose_secret() };
    tokio::select! {
        played = play(options, &town, &server, hints) => played,
        served = own.serve() => { served?; Ok(false) }
        served = emulators.serve() => { served?; Ok(false) }
        stopped = tokio::signal::ctrl_c() => { stopped?; Ok(true) }
    }
}

/// What a person may look at once it was played.
struct Hints<'a> {
    emulators: [String; 2],
    token: &'a str,
}

async fn play(options: &Options, town: &Town, server: &Server, hints: Hints<'_>) -> Result<bool> {
    let report = town.play(server, options.json).await?.judge(town)?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        report.print();
    }
    if !options.once {
        hints.print(&server.address);
        std::future::pending::<()>().await;
    }
    Ok(report.converged)
}

impl Hints<'_> {
    fn print(&self, address: &str) {
        let Self { emulators: [kommo, zoho], token } = self;
        eprintln!("\nGraphiQL:        {address}/#token={token}");
        eprintln!("Kommo (emulator): {kommo}/_emulator/contacts");
        eprintln!("Zoho (emulator):  {zoho}/_emulator/contacts");
        eprintln!(
            "Try:\n  curl -s {address}/graphql -H 'Authorization: Bearer {token}' \\\n    -H 'Content-Type: application/json' -d '{{\"query\":\"{{connections{{edges{{node{{title linkCount}}}}}}}}\"}}'"
        );
        eprintln!("  curl -s {kommo}/_emulator/requests\nCtrl-C ends it.");
    }
}
