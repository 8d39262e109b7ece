//! Holds a server up amid a transaction: what it has written in it is seen by nobody, and never will be
//! once the server is killed.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _};
use tokio::time::sleep;

use crate::place::{Database, Place};

/// Where the server is held up, for longer than any trial takes.
#[derive(Clone, Copy)]
pub enum Stall {
    /// It notes that new contacts are about to be sent. They are in the journal.
    BeforeSending,
    /// It writes down a page of contacts. The contacts are written, and not yet by what they are known.
    AmidPage,
}

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What waits for ever is a view here, because triggers take no recursion of their own.
const SQLITE: &str = "CREATE VIEW stall_endless AS WITH RECURSIVE n(i) AS \
    (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n; \
    CREATE TRIGGER stall BEFORE {event} WHEN {which} \
    BEGIN SELECT count(*) FROM stall_endless; END;";
const SQLITE_OVER: &str = "DROP TRIGGER stall; DROP VIEW stall_endless;";
const POSTGRES: &str = "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; \
    CREATE TRIGGER stall BEFORE {event} FOR EACH ROW WHEN ({which}) EXECUTE FUNCTION stall();";
/// Whoever was held up would be so until the end of the sleep, with all locks.
const POSTGRES_OVER: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND backend_type = 'client backend' \
    AND pid <> pg_backend_pid(); \
    DROP FUNCTION stall CASCADE;";
const POSTGRES_LOOK: &str = "SELECT pid FROM pg_stat_activity \
    WHERE datname = current_database() AND wait_event = 'PgSleep'";

impl Stall {
    /// The statement at which it happens, and the rows for which.
    fn at(self, script: &str) -> String {
        let (event, which) = match self {
            // Only a contact that is there has an id.
            Self::BeforeSending => ("UPDATE OF sent_at ON op", "NEW.target IS NULL"),
            Self::AmidPage => ("INSERT ON seen_key", "NEW.remote_id IS NOT NULL"),
        };
        script.replace("{event}", event).replace("{which}", which)
    }
}

impl Place {
    /// From now on the server is held up there.
    pub async fn stall(&self, stall: Stall) {
        let mut database = self.database().await;
        let script = match &database {
            Database::Sqlite(_) => SQLITE,
            Database::Postgres(_) => POSTGRES,
        };
        database.run(&stall.at(script)).await.unwrap();
        database.close().await;
    }

    /// Waits until it is held up.
    pub async fn stalled(&self) {
        let mut database = self.database().await;
        while !is_stalled(&mut database).await {
            sleep(LOOK_EVERY).await;
        }
        database.close().await;
    }

    /// A server that is started now is not held up.
    pub async fn stall_no_more(&self) {
        let mut database = self.database().await;
        let script = match &database {
            Database::Sqlite(_) => SQLITE_OVER,
            Database::Postgres(_) => POSTGRES_OVER,
        };
        database.run(script).await.unwrap();
        database.close().await;
    }
}

async fn is_stalled(database: &mut Database) -> bool {
    match database {
        // Nothing else writes for longer than this is ready to wait.
        Database::Sqlite(database) => {
            database.execute("PRAGMA busy_timeout = 2000").await.unwrap();
            match database.begin_with("BEGIN IMMEDIATE").await {
                Ok(begun) => {
                    begun.rollback().await.unwrap();
                    false
                }
                Err(error) => {
                    assert!(error.to_string().contains("locked"), "{error}");
                    true
                }
            }
        }
        Database::Postgres(database) => {
            !sqlx::raw_sql(POSTGRES_LOOK).fetch_all(database).await.unwrap().is_empty()
        }
    }
}
