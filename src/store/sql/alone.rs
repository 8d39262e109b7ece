//! A database that one process has to itself.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::{MIGRATION_LOCK, NAME, SqlStore, Users};
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
