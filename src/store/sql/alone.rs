//! A database that one process has to itself: wholly, or as the one server that works with it.

use std::fs::{File, TryLockError};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::open::{Users, file, make_folder};
use super::{MIGRATION_LOCK, NAME, SqlStore};
use crate::store::{Error, Result};

impl SqlStore {
    /// Opens a database that is there, and that nobody else has open, by one connection. Until it is closed
    /// nobody can open it: a file is locked, and at PostgreSQL whoever starts waits for the lock under
    /// which tables are brought up to date, or gives up.
    ///
    /// # Errors
    /// [`Error::InUse`], and those of [`SqlStore::open`].
    pub async fn open_alone(url: &str) -> Result<Self> {
        let store = Self::open_as(url, Users::One).await.map_err(|error| match error {
            Error::Busy(_) => Error::InUse,
            error => error,
        })?;
        if store.db.get_database_backend() == DbBackend::Postgres {
            shut_out_others(&store.db).await?;
        }
        Ok(store)
    }

    /// Gives the database back to everybody.
    ///
    /// # Errors
    /// It can't be told that it is closed.
    pub async fn close(&self) -> Result<()> {
        Ok(self.db.clone().close().await?)
    }
}

/// An embedded database that no other server works with, until this is dropped or the process ends.
#[derive(Debug)]
pub struct Served(#[expect(dead_code, reason = "what is locked is this file")] File);

impl Served {
    /// Takes an embedded database for this server alone: what a second one would do at the same time, the
    /// first knows nothing of. None for a database that several can share.
    ///
    /// # Errors
    /// [`Error::InUse`], or [`Error::Down`] if there can be no file beside it.
    pub fn claim(url: &str) -> Result<Option<Self>> {
        let Some(database) = file(url) else { return Ok(None) };
        make_folder(url)?;
        // Beside it: whoever closes the database's own file takes SQLite's locks from it.
        let mut beside = database.into_os_string();
        beside.push(".lock");
        let down = |error: std::io::Error| Error::Down(Some(Box::new(error)));
        let file = File::options().create(true).append(true).open(beside).map_err(down)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Err(Error::InUse),
            Err(TryLockError::Error(error)) => Err(down(error)),
        }
    }
}

/// The lock goes with its session, which is the only connection.
async fn shut_out_others(db: &DatabaseConnection) -> Result<()> {
    db.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let others = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name = $1 AND pid <> pg_backend_pid() LIMIT 1",
        [NAME.into()],
    );
    match db.query_one_raw(others).await? {
        None => Ok(()),
        Some(_) => Err(Error::InUse),
    }
}
