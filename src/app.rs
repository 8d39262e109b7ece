//! Builds everything once. The program, the demo and the tests call the same function.

mod doctor;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;

use crate::accounts::{self, Accounts, Authorizations};
use crate::auth::Tokens;
use crate::config::{Config, Faults, Part};
use crate::connections::{self, Asking, Connections};
use crate::connectors::World;
use crate::graphql::{Services, api};
use crate::http::{self, Http, Ready};
use crate::idempotency::Idempotency;
use crate::jobs::{self, Dispatcher, Jobs, Looker};
use crate::net;
use crate::ports::{Clock, Entropy as _, Ids, NoEntropy, SeededIds, SystemClock, SystemEntropy};
use crate::runner::{Runner, Timings};
use crate::secrets::Sealer;
use crate::store::{self, SqlStore, Store, Workspace, WorkspaceId};
use crate::webhooks::{self, Webhooks};

pub use doctor::doctor;

/// A whole process, or the part of the work that it takes on, ready to be served.
pub struct App {
    /// What this start of this process is called in the leases and the queue.
    pub name: String,
    /// What answers over HTTP.
    pub router: axum::Router,
    /// What runs connections.
    pub dispatcher: Dispatcher,
    /// What speaks to the apps.
    pub accounts: Arc<Accounts>,
    /// What people set up.
    pub connections: Arc<Connections>,
    /// What makes tokens.
    pub tokens: Arc<Tokens>,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

/// Why it can't be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error("the database can't be used: {0}")]
    Store(#[from] store::Error),
    /// The settings.
    #[error(transparent)]
    Settings(#[from] Faults),
    /// The machine has no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The HTTP client.
    #[error("no HTTP client: {0}")]
    Net(#[from] net::Error),
    /// The credentials of the accounts.
    #[error(transparent)]
    Accounts(#[from] accounts::Error),
    /// What people set up.
    #[error(transparent)]
    Connections(#[from] connections::Error),
}

/// The workspace of whoever names none.
pub const HOME: &str = "home";

/// Builds everything.
///
/// # Errors
/// [`Error`] says what is missing, or that the secret key is not the one that the database was begun with.
pub async fn build(config: &Config) -> Result<App, Error> {
    let app = build_on(config, Arc::new(SqlStore::open(&config.database_url).await?))?;
    app.accounts.check_key().await?;
    Ok(app)
}

fn build_on(config: &Config, store: Arc<dyn Store>) -> Result<App, Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut seed = [0; 8];
    SystemEntropy.fill(&mut seed)?;
    let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(u64::from_le_bytes(seed)));
    // Unique to this start: another may hold leases under the name of the last.
    let name = ids.next(clock.now()).to_string();
    let entropy = Arc::new(SystemEntropy);
    let sealer = Sealer::new(config.secret_key.clone(), Vec::new(), entropy.clone());
    let world = World {
        http: net::Http::new()?,
        clock: clock.clone(),
        overrides: config.overrides.clone(),
        registrations: config.registrations.clone(),
    };
    let accounts =
        Arc::new(Accounts::new(store.clone(), sealer.clone(), world, ids.clone(), name.clone()));
    let public_url = config.public_url.clone();
    let authorizations = Authorizations::new(accounts.clone(), entropy, public_url);
    let authorizations = Arc::new(authorizations.returning_to(config.return_urls.clone()));
    let key = &config.secret_key;
    let idempotency = Idempotency::new(store.clone(), sealer.clone(), key, clock.clone());
    let webhooks = Arc::new(Webhooks::new(webhooks::Parts {
        store: store.clone(),
        accounts: accounts.clone(),
        sealer,
        key: config.secret_key.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        public_url: config.public_url.clone(),
    }));
    let connections = Arc::new(Connections::new(store.clone(), clock.clone(), ids.clone()));
    let runner = Arc::new(Runner::new(
        store.clone(),
        clock.clone(),
        ids.clone(),
        name.clone(),
        Timings::default().divided_by(config.times_divided_by),
    ));
    let settings = jobs::Settings {
        database_url: config.database_url.clone(),
        name: name.clone(),
        concurrency: config.runs,
        again_after: jobs::AGAIN_AFTER / config.times_divided_by.max(1),
        heartbeat: jobs::HEARTBEAT,
    };
    let look = Looker::new(store.clone(), accounts.clone(), runner, clock.clone());
    let look = Arc::new(look.with_again_after(settings.again_after));
    let (jobs, dispatcher) = Jobs::new(store.clone(), look, clock.clone(), settings);
    let jobs = Arc::new(jobs);
    let ready = Arc::new(Readiness { store: store.clone(), jobs: jobs.clone() });
    let dispatcher = match config.part {
        Part::Whole => dispatcher.with_webhooks(webhooks.clone()),
        Part::Server => dispatcher.with_webhooks(webhooks.clone()).without_runs(),
        // What the apps post is looked into by whoever takes it in.
        Part::Worker => dispatcher,
    };
    let services = Services {
        store: store.clone(),
        accounts: accounts.clone(),
        authorizations: authorizations.clone(),
        connections: connections.clone(),
        webhooks: webhooks.clone(),
        jobs,
        idempotency: Arc::new(idempotency),
        clock: clock.clone(),
    };
    let key = config.secret_key.derive("concord 2026 api tokens");
    let tokens = Arc::new(Tokens::new(&key, clock.clone()));
    let router = match config.part {
        Part::Worker => http::worker_router(ready),
        Part::Whole | Part::Server => http::router(Http {
            executor: api(services),
            tokens: tokens.clone(),
            webhooks,
            authorizations,
            graphiql: config.graphiql,
            ready,
        }),
    };
    Ok(App { name, router, dispatcher, accounts, connections, tokens, store, ids, clock })
}

/// Has every connection ask before it writes, knowing only what a backup knew that was put back.
///
/// # Errors
/// [`Error::Store`] if the database is not there, or in use; [`Error::Accounts`] if the secret key is not the
/// one that it was begun with.
pub async fn after_restore(config: &Config) -> Result<Vec<Asking>, Error> {
    let store = SqlStore::open_alone(&config.database_url).await?;
    let app = build_on(config, Arc::new(store.clone()))?;
    app.accounts.check_key().await?;
    let asking = app.connections.after_restore(&app.name).await?;
    store.close().await?;
    Ok(asking)
}

/// Whether the server or worker that was started on this machine with these settings can do its work.
pub async fn is_ready(config: &Config) -> bool {
    let host = config.listen.ip();
    let host = if host.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { host };
    let address = SocketAddr::new(host, config.listen.port());
    let Ok(http) = net::Http::new() else { return false };
    let request = net::Request::new(net::Method::Get, format!("http://{address}/readyz"));
    http.send(request).await.is_ok_and(|answer| answer.status == 200)
}

impl App {
    /// The workspace of this name, made if it is new.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn workspace(&self, name: &str) -> Result<WorkspaceId, Error> {
        let known = self.store.workspaces().await?;
        if let Some(known) = known.into_iter().find(|workspace| workspace.name == name) {
            return Ok(known.id);
        }
        let id = WorkspaceId(self.ids.next(self.clock.now()));
        self.store.add_workspace(&Workspace { id, name: name.to_owned() }).await?;
        Ok(id)
    }
}

struct Readiness {
    store: Arc<dyn Store>,
    jobs: Arc<Jobs>,
}

#[async_trait]
impl Ready for Readiness {
    async fn ready(&self) -> bool {
        self.jobs.are_looked_for() && self.store.workspaces().await.is_ok()
    }
}
