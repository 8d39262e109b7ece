//! The queue: apalis, in a database of its own. Nothing in it is needed: see [`super`]. Each lane is a
//! queue of apalis' there.
//!
//! For SQLite it is a file beside the store's, because each poll writes and nobody shall wait for that;
//! for PostgreSQL a schema `apalis` on the same server. Only apalis' migrations are run: its set-up
//! would also turn off the safety of the connection that it is given.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use apalis::prelude::{PollSnapshot, PollStrategy, TaskBuilder, TaskSink as _};
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use serde_json::Value as Json;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::lane::{Lane, PerLane};
use super::{Nudge, Settings};

/// How many connections one server keeps to the queue.
const CONNECTIONS: u32 = 4;
/// How long a write waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// After how many missed signs of life the jobs of a worker are given away.
const MISSED: u8 = 6;
/// How many jobs are deleted at once.
const CHUNK: i64 = 1000;
/// When workers of earlier starts are forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

/// What is wrong with the queue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its database.
    #[error("the queue of jobs can't be used: {0}")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A part of the dispatcher ended that never should.
    #[error("a part of the dispatcher ended")]
    Ended,
}

impl Error {
    fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Queue(Box::new(error))
    }
}

/// The queue.
#[derive(Clone)]
pub(super) struct Queue {
    pool: Pool,
    storages: PerLane<Storage>,
    bells: PerLane<Bell>,
    heartbeat: Duration,
}

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Where the jobs of a lane are.
#[derive(Clone)]
pub(super) enum Storage {
    Sqlite(SqliteStorage<Json>),
    Postgres(PostgresStorage<Json>),
}

impl Pool {
    fn storage(&self, lane: Lane, heartbeat: Duration) -> Storage {
        match self {
            Self::Sqlite(pool) => {
                let config = apalis_sqlite::Config::default()
                    .queue(lane.queue())
                    .batch_size(1)
                    .heartbeat_interval(heartbeat)
                    .missed_heartbeats(usize::from(MISSED));
                Storage::Sqlite(SqliteStorage::new(pool).with_config(config))
            }
            Self::Postgres(pool) => {
                let config = apalis_postgres::Config::default()
                    .queue(lane.queue())
                    .batch_size(1)
                    .heartbeat_interval(heartbeat)
                    .missed_heartbeats(usize::from(MISSED));
                Storage::Postgres(PostgresStorage::new(pool).with_config(config))
            }
        }
    }
}

impl Queue {
    /// Opens the queue beside the store, and brings its tables up to date.
    pub(super) async fn open(settings: &Settings) -> Result<Self, Error> {
        let Settings { database_url, heartbeat, .. } = settings;
        let pool = if database_url.starts_with("sqlite:") {
            let pool = sqlite(database_url).await.map_err(Error::of)?;
            SqliteStorage::migrations().run(&pool).await.map_err(Error::of)?;
            Pool::Sqlite(pool)
        } else {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(database_url);
            let pool = pool.await.map_err(Error::of)?;
            PostgresStorage::migrations().run(&pool).await.map_err(Error::of)?;
            Pool::Postgres(pool)
        };
        let storages = PerLane::from_fn(|lane| pool.storage(lane, *heartbeat));
        Ok(Self { pool, storages, bells: PerLane::default(), heartbeat: *heartbeat })
    }

    /// The jobs of a lane.
    pub(super) fn storage(&self, lane: Lane) -> Storage {
        self.storages.of(lane).clone()
    }

    /// What wakes the worker of a lane in this process.
    pub(super) fn bell(&self, lane: Lane) -> Bell {
        self.bells.of(lane).clone()
    }

    /// Puts a nudge in, unless the same waits there already.
    pub(super) async fn push(&self, nudge: Nudge) -> Result<(), Error> {
        let job = serde_json::to_value(nudge).map_err(Error::of)?;
        let bytes = serde_json::to_vec(&job).map_err(Error::of)?;
        if self.is_waiting(nudge.lane(), &bytes).await.map_err(Error::of)? {
            return Ok(());
        }
        let task = TaskBuilder::new(job)
            .max_attempts(1)
            .priority(usize::from(nudge.is_urgent()))
            // Due by any clock: that of this machine may be ahead of the database's.
            .run_at_timestamp(0)
            .build();
        match self.storage(nudge.lane()) {
            Storage::Sqlite(mut storage) => storage.push_task(task).await.map_err(Error::of)?,
            Storage::Postgres(mut storage) => storage.push_task(task).await.map_err(Error::of)?,
        }
        self.bells.of(nudge.lane()).ring();
        Ok(())
    }

    /// Whether a job like this one waits that nobody has taken yet.
    async fn is_waiting(&self, lane: Lane, job: &[u8]) -> sqlx::Result<bool> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM Jobs \
                     WHERE job_type = ?1 AND status = 'Pending' AND job = ?2)",
                )
                .bind(lane.queue())
                .bind(job)
                .fetch_one(pool)
                .await
            }
            Pool::Postgres(pool) => {
                sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM apalis.jobs \
                     WHERE job_type = $1 AND status = 'Pending' AND job = $2)",
                )
                .bind(lane.queue())
                .bind(job)
                .fetch_one(pool)
                .await
            }
        }
    }

    /// Whether any worker of any process has not missed its signs of life.
    pub(super) async fn is_worked_at(&self) -> Result<bool, Error> {
        let silence = self.heartbeat.saturating_mul(u32::from(MISSED));
        let lane = Lane::Runs.queue();
        let found = match &self.pool {
            Pool::Sqlite(pool) => {
                let find = sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM Workers WHERE worker_type = ?1 \
                     AND last_seen >= CAST(strftime('%s', 'now') AS INTEGER) - ?2)",
                );
                find.bind(lane).bind(silence.as_secs_f64()).fetch_one(pool).await
            }
            Pool::Postgres(pool) => {
                let find = sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM apalis.workers WHERE worker_type = $1 \
                     AND last_seen >= now() - make_interval(secs => $2))",
                );
                find.bind(lane).bind(silence.as_secs_f64()).fetch_one(pool).await
            }
        };
        found.map_err(Error::of)
    }

    /// Deletes the jobs that are done, some at a time, and the workers of long ago. The crate's own way
    /// would also write the whole database anew.
    pub(super) async fn tidy(&self) -> Result<(), Error> {
        for lane in Lane::ALL {
            while self.delete_done(lane).await.map_err(Error::of)? >= CHUNK.unsigned_abs() {}
            self.forget_workers(lane).await.map_err(Error::of)?;
        }
        Ok(())
    }

    async fn delete_done(&self, lane: Lane) -> sqlx::Result<u64> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let delete = sqlx::query(
                    "DELETE FROM Jobs WHERE id IN (SELECT id FROM Jobs WHERE job_type = ?1 \
                     AND status IN ('Done', 'Failed', 'Killed') LIMIT ?2)",
                );
                let done = delete.bind(lane.queue()).bind(CHUNK).execute(pool).await?;
                Ok(done.rows_affected())
            }
            Pool::Postgres(pool) => {
                let delete = sqlx::query(
                    "DELETE FROM apalis.jobs WHERE id IN (SELECT id FROM apalis.jobs \
                     WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed') LIMIT $2 FOR UPDATE SKIP LOCKED)",
                );
                let done = delete.bind(lane.queue()).bind(CHUNK).execute(pool).await?;
                Ok(done.rows_affected())
            }
        }
    }

    async fn forget_workers(&self, lane: Lane) -> sqlx::Result<()> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                sqlx::query(
                    "DELETE FROM Workers WHERE worker_type = ?1 \
                     AND last_seen < CAST(strftime('%s', 'now') AS INTEGER) - ?2 \
                     AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)",
                )
                .bind(lane.queue())
                .bind(FORGOTTEN.as_secs_f64())
                .execute(pool)
                .await?;
            }
            Pool::Postgres(pool) => {
                sqlx::query(
                    "DELETE FROM apalis.workers WHERE worker_type = $1 \
                     AND last_seen < now() - make_interval(secs => $2) \
                     AND NOT EXISTS (SELECT 1 FROM apalis.jobs WHERE lock_by = workers.id)",
                )
                .bind(lane.queue())
                .bind(FORGOTTEN.as_secs_f64())
                .execute(pool)
                .await?;
            }
        }
        Ok(())
    }
}

async fn sqlite(store: &str) -> sqlx::Result<SqlitePool> {
    if store.contains(":memory:") || store.contains("mode=memory") {
        // It is gone with its only connection, so that one stays.
        let pool = SqlitePoolOptions::new().max_connections(1).min_connections(1);
        return pool.idle_timeout(None).max_lifetime(None).connect("sqlite::memory:").await;
    }
    let options = SqliteConnectOptions::from_str(store)?;
    let options = SqliteConnectOptions::new()
        .filename(beside(options.get_filename()))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // The last jobs before a power cut may be lost, not the file.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT);
    SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await
}

/// `concord.jobs.sqlite` beside `concord.sqlite`.
fn beside(store: &Path) -> std::path::PathBuf {
    store.with_extension("jobs.sqlite")
}

/// What wakes a worker of this process when something was put in.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<Mutex<Option<Waker>>>);

impl Bell {
    fn ring(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl PollStrategy for Bell {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut waker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_beside_the_store() {
        let file = beside(Path::new("/data/concord.sqlite"));
        assert_eq!(file, Path::new("/data/concord.jobs.sqlite"));
    }
}
