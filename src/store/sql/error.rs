//! What the databases say went wrong, in the store's words. The one place that knows their codes.
//!
//! An error may travel far and be logged: what a database or a driver says is passed on only where
//! it can hold no value of a record, and never the address, which has a password in it.

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError, SqlxPostgresError, SqlxSqliteError};

use crate::store::Error;

/// What it comes to.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    Conflict,
    Busy,
    Down,
    Bug(String),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match trouble(&error) {
            Trouble::Conflict => Self::Conflict,
            Trouble::Busy => Self::Busy(Some(Box::new(error))),
            Trouble::Down => Self::Down(Some(Box::new(error))),
            Trouble::Bug(what) => Self::Bug(what),
        }
    }
}

fn trouble(error: &DbErr) -> Trouble {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => of_the_driver(cause),
        DbErr::Conn(_) => bug("the database can't be opened at this address"),
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Trouble::Busy,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => Trouble::Down,
        // Only migrations speak so, and they know of no records.
        DbErr::Migration(what) | DbErr::Custom(what) => bug(what),
        _ => bug("a row or a statement does not have the shape of its table"),
    }
}

fn of_the_driver(error: &SqlxError) -> Trouble {
    match error {
        SqlxError::Database(cause) => of_the_database(&**cause),
        SqlxError::PoolTimedOut => Trouble::Busy,
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed
        | SqlxError::BeginFailed
        | SqlxError::InvalidSavePointStatement => Trouble::Down,
        SqlxError::Configuration(_) | SqlxError::InvalidArgument(_) => {
            bug("the address or the options of the database are wrong")
        }
        SqlxError::ColumnNotFound(name) => Trouble::Bug(format!("there is no column {name}")),
        SqlxError::ColumnDecode { index, .. } => {
            Trouble::Bug(format!("column {index} does not have its type"))
        }
        _ => bug("the driver of the database did not understand"),
    }
}

fn of_the_database(error: &(dyn DatabaseError + 'static)) -> Trouble {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<SqlxPostgresError>().is_some() {
        of_postgres(&code)
    } else if error.try_downcast_ref::<SqlxSqliteError>().is_some() {
        code.parse::<i32>().map_or_else(|_| bug("SQLite gave no code"), of_sqlite)
    } else {
        bug("there is a third database")
    }
}

/// By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(code: &str) -> Trouble {
    match (code, code.get(..2).unwrap_or_default()) {
        // unique_violation, foreign_key_violation
        ("23505" | "23503", _) => Trouble::Conflict,
        // serialization_failure, deadlock_detected, lock_not_available, query_canceled,
        // idle_in_transaction_session_timeout
        ("40001" | "40P01" | "55P03" | "57014" | "25P03", _) => Trouble::Busy,
        // read_only_sql_transaction, and whole classes: connection, authorisation, no such
        // database, resources, operator intervention, system
        ("25006", _) | (_, "08" | "28" | "3D" | "53" | "57" | "58") => Trouble::Down,
        _ => Trouble::Bug(format!("PostgreSQL says {code}")),
    }
}

/// By extended result code, whose lowest byte is the primary one:
/// <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: i32) -> Trouble {
    match (code, code & 0xff) {
        // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE, _FOREIGNKEY
        (1555 | 2067 | 787, _) => Trouble::Conflict,
        // SQLITE_BUSY, SQLITE_LOCKED
        (_, 5 | 6) => Trouble::Busy,
        // SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN
        (_, 8 | 10 | 13 | 14) => Trouble::Down,
        _ => Trouble::Bug(format!("SQLite says {code}")),
    }
}

fn bug(what: &str) -> Trouble {
    Trouble::Bug(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_sqlite_count_by_their_lowest_byte() {
        assert_eq!(of_sqlite(5), Trouble::Busy);
        // SQLITE_BUSY_SNAPSHOT
        assert_eq!(of_sqlite(517), Trouble::Busy);
        assert_eq!(of_sqlite(2067), Trouble::Conflict);
        // SQLITE_CONSTRAINT_NOTNULL is our fault.
        assert_eq!(of_sqlite(1299), Trouble::Bug("SQLite says 1299".to_owned()));
        // SQLITE_IOERR_WRITE
        assert_eq!(of_sqlite(778), Trouble::Down);
    }

    #[test]
    fn codes_of_postgres_count_by_themselves_and_then_by_their_class() {
        assert_eq!(of_postgres("40P01"), Trouble::Busy);
        assert_eq!(of_postgres("23505"), Trouble::Conflict);
        assert_eq!(of_postgres("57014"), Trouble::Busy);
        assert_eq!(of_postgres("57P01"), Trouble::Down);
        assert_eq!(of_postgres("23502"), Trouble::Bug("PostgreSQL says 23502".to_owned()));
    }

    #[test]
    fn an_address_is_not_told() {
        let error = DbErr::Conn(RuntimeErr::Internal("postgres://me:secret@host".to_owned()));
        assert!(!format!("{:?}", Error::from(error)).contains("secret"));
    }
}
