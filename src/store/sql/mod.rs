//! The store in SQLite and PostgreSQL. What it does is what the store in memory does; one suite
//! tries them all.
//!
//! Writes are made one after the other where they could meet. SQLite has one writer at a time. On
//! PostgreSQL a transaction locks rows, always in this order: its lease, so that a takeover waits
//! until it is done; then its connection; then an account, and after it its credentials; then the
//! feeds that it changes, by id, because connections may share them; then what people change too. An
//! endpoint is locked before its deliveries.

mod account;
mod alone;
mod authorization;
mod batch;
mod codec;
mod connection;
mod copy;
mod delivery;
mod draft;
mod endpoint;
mod error;
mod feed;
mod history;
mod idempotency;
mod intent;
mod issue;
mod journal;
mod lease;
mod link;
mod outcome;
mod pending;
mod plan;
mod removal;
mod run;
mod secret;
mod seen;
mod settle;
mod store;
mod transaction;
mod usage;
mod webhook;
mod workspace;

use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend};

use super::{Error, Result};
pub use copy::{CopiedTable, CopyError, copy};
use transaction::commit;

/// How many connections one server keeps to its database.
const CONNECTIONS: u32 = 10;

/// How long a write waits for another before the database counts as busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long PostgreSQL lets a transaction idle before it takes its client for dead, and frees what
/// was locked.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The lock under which PostgreSQL is migrated: any number that nobody else uses.
const MIGRATION_LOCK: u64 = 20_261_121_000_000;

/// What this program is called at PostgreSQL.
const NAME: &str = "concord";

/// Who uses a database while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Users {
    /// Whoever wants to. A file that is missing is made.
    Many,
    /// One process, by one connection. A file that is missing is not made.
    One,
}

/// A store that outlives the process.
#[derive(Clone, Debug)]
pub struct SqlStore {
    db: DatabaseConnection,
}

impl SqlStore {
    /// Opens the database at an address, `sqlite:<path>` or `postgres://<host>/<name>`, and brings
    /// its tables up to date. A file that is missing is made.
    ///
    /// # Errors
    /// The database can't be reached, is not ours, or is of a newer version.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_as(url, Users::Many).await
    }

    async fn open_as(url: &str, users: Users) -> Result<Self> {
        let store = Self { db: Database::connect(options(url, users)).await? };
        store.migrate().await?;
        Ok(store)
    }

    /// Brings the tables up to date: wholly or not at all, and one server at a time.
    async fn migrate(&self) -> Result<()> {
        let tx = self.write().await?;
        if tx.get_database_backend() == DbBackend::Postgres {
            let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
            tx.execute_unprepared(&lock).await?;
        }
        let steps = Migrator::get_migration_files();
        let is_known = |version: &str| steps.iter().any(|step| step.name() == version);
        let done = Migrator::get_migration_models(&tx).await?;
        if let Some(newer) = done.into_iter().find(|step| !is_known(&step.version)) {
            return Err(Error::Newer(newer.version));
        }
        Migrator::up(&tx, None).await?;
        commit(tx, ()).await
    }
}

fn options(url: &str, users: Users) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    let (connections, locking) = match users {
        Users::Many => (CONNECTIONS, SqliteLockingMode::Normal),
        Users::One => (1, SqliteLockingMode::Exclusive),
    };
    options
        .max_connections(connections)
        // Statements tell of people: they stay out of logs and traces.
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(users == Users::Many)
                .locking_mode(locking)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
        })
        .map_sqlx_postgres_opts(|postgres| {
            postgres.application_name(NAME).options([
                ("lock_timeout", BUSY_TIMEOUT.as_millis()),
                ("idle_in_transaction_session_timeout", IDLE_TIMEOUT.as_millis()),
            ])
        });
    options
}
