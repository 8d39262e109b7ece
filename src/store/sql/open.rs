//! Opening a database: made, brought up to date, or only looked at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseTransaction, DbBackend};

use super::{MIGRATION_LOCK, NAME, SqlStore, commit};
use crate::store::{Error, Result};

/// How many connections one server keeps to its database.
const CONNECTIONS: u32 = 10;

/// How long a write waits for another before the database counts as busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long PostgreSQL lets a transaction idle before it takes its client for dead, and frees what
/// was locked.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Who uses a database while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Users {
    /// Whoever wants to. A file that is missing is made.
    Many,
    /// One process, by one connection. A file that is missing is not made.
    One,
    /// Whoever only looks: nothing is made or changed.
    None,
}

/// A database as it is found.
#[derive(Debug)]
pub enum Found {
    /// There is none, and one can be made.
    Missing,
    /// Its tables are still to be made, or those of an older version.
    Older,
    /// It can be used as it is.
    Current(SqlStore),
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

    /// Looks at a database, and makes or changes nothing.
    ///
    /// # Errors
    /// Those of [`SqlStore::open`].
    pub async fn look(url: &str) -> Result<Found> {
        if let Some(file) = file(url)
            && !file.exists()
        {
            let is_there = file.ancestors().skip(1).find(|above| above.exists());
            tempfile::tempfile_in(is_there.unwrap_or(Path::new(".")))
                .map_err(|error| Error::Down(Some(Box::new(error))))?;
            return Ok(Found::Missing);
        }
        let store = Self { db: Database::connect(options(url, Users::None)).await? };
        // Never committed: what asks which steps were done makes a table for the answer.
        let done = steps_done(&store.write().await?).await?;
        let is_current = done == Migrator::get_migration_files().len();
        Ok(if is_current { Found::Current(store) } else { Found::Older })
    }

    pub(super) async fn open_as(url: &str, users: Users) -> Result<Self> {
        if users == Users::Many {
            make_folder(url)?;
        }
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
        steps_done(&tx).await?;
        Migrator::up(&tx, None).await?;
        commit(tx, ()).await
    }
}

/// How many of our steps made the tables what they are.
async fn steps_done(tx: &DatabaseTransaction) -> Result<usize> {
    let steps = Migrator::get_migration_files();
    let is_known = |version: &str| steps.iter().any(|step| step.name() == version);
    let done = Migrator::get_migration_models(tx).await?;
    match done.iter().find(|step| !is_known(&step.version)) {
        Some(newer) => Err(Error::Newer(newer.version.clone())),
        None => Ok(done.len()),
    }
}

/// Makes the folder of an embedded database, if it is not there.
pub(super) fn make_folder(url: &str) -> Result<()> {
    let file = file(url);
    let folder = file.as_deref().and_then(Path::parent);
    let made = folder.map(std::fs::create_dir_all).transpose();
    made.map(drop).map_err(|error| Error::Down(Some(Box::new(error))))
}

/// The file of an embedded database; none for one that is elsewhere.
pub(super) fn file(url: &str) -> Option<PathBuf> {
    let options: SqliteConnectOptions = url.starts_with("sqlite:").then(|| url.parse().ok())??;
    let file = options.get_filename();
    // So is called what is kept in memory.
    (!file.to_string_lossy().starts_with("file:")).then(|| file.to_owned())
}

fn options(url: &str, users: Users) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    let (connections, locking) = match users {
        Users::Many | Users::None => (CONNECTIONS, SqliteLockingMode::Normal),
        Users::One => (1, SqliteLockingMode::Exclusive),
    };
    options
        .max_connections(connections)
        // Statements tell of people: they stay out of logs and traces.
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .create_if_missing(users == Users::Many)
                .locking_mode(locking)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT);
            // Which mode it is in is written into the file.
            if users == Users::None { sqlite } else { sqlite.journal_mode(SqliteJournalMode::Wal) }
        })
        .map_sqlx_postgres_opts(|postgres| {
            postgres.application_name(NAME).options([
                ("lock_timeout", BUSY_TIMEOUT.as_millis()),
                ("idle_in_transaction_session_timeout", IDLE_TIMEOUT.as_millis()),
            ])
        });
    options
}
