//! The demo's own server, on an embedded database that goes with the demo unless a place is named.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::Server;
use super::town::Emulators;
use crate::app::{self, App, HOME};
use crate::auth::{Principal, Role};
use crate::config::{Config, Given};
use crate::connectors::Overrides;
use crate::store::Served;

/// How long the demo's token is good for.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct OwnServer {
    app: App,
    listener: TcpListener,
    server: Server,
    _fresh: Fresh,
    _alone: Option<Served>,
}

impl OwnServer {
    /// A server that asks these emulators.
    pub(super) async fn build(given: &Given, emulators: &Emulators) -> Result<Self> {
        let fresh = Fresh::new(given);
        let mut config = fresh.config(emulators.overrides())?;
        let in_use =
            || format!("{} can't be listened on: take another port by --port", config.listen);
        let listener = TcpListener::bind(config.listen).await.with_context(in_use)?;
        let address = format!("http://{}", listener.local_addr()?);
        config.public_url = Some(address.clone());
        let alone = Served::claim(&config.database_url).context("the database can't be used")?;
        let app = app::build(&config).await?;
        let workspace = app.workspace(HOME).await?;
        let owner = Principal { workspace, subject: "demo".to_owned(), role: Role::Owner };
        let token = SecretString::from(app.tokens.issue(&owner, DAY)?);
        Ok(Self { app, listener, server: Server { address, token }, _fresh: fresh, _alone: alone })
    }

    pub(super) fn server(&self) -> Server {
        self.server.clone()
    }

    /// Serves the API and runs connections, until the process ends.
    pub(super) async fn serve(self) -> Result<()> {
        let Self { app, listener, .. } = self;
        tokio::select! {
            served = axum::serve(listener, app.router) => Ok(served?),
            ran = app.dispatcher.run(std::future::pending()) => Ok(ran?),
        }
    }
}

/// A data folder of its own, unless one is named; it goes with the demo.
struct Fresh {
    given: Given,
    folder: Option<PathBuf>,
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
