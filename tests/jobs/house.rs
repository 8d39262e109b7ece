//! A dispatcher with a queue of its own, a store in memory, and looks that are only counted.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use concord::jobs::{AGAIN_AFTER, Error, Jobs, Look, Nudge, Settings};
use concord::planner::{ConsentPolicy, DeletionPolicy, FirstRun, Sync, SyncState, WritePolicy};
use concord::ports::SystemClock;
use concord::store::{ConnectionId, MemoryStore, Store, Trigger};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::build::Bench;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct House {
    pub bench: Bench,
    pub looks: Arc<Looks>,
    url: String,
    starts: AtomicUsize,
}

/// Counts looks, and holds them while its gate is closed.
pub struct Looks {
    seen: Mutex<Vec<Nudge>>,
    ended: AtomicUsize,
    panics: AtomicUsize,
    is_open: watch::Sender<bool>,
}

pub struct Server {
    pub jobs: Jobs,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

#[async_trait]
impl Look for Looks {
    async fn look(&self, nudge: Nudge) -> Duration {
        self.seen.lock().unwrap().push(nudge);
        let one_less = |left: usize| left.checked_sub(1);
        if self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            panic!("as it was told to");
        }
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        self.ended.fetch_add(1, Ordering::SeqCst);
        Duration::from_secs(1)
    }

    fn stop(&self) {
        self.open();
    }
}

impl Looks {
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }

    pub fn close(&self) {
        self.is_open.send_replace(false);
    }

    pub fn panic_once(&self) {
        self.panics.store(1, Ordering::SeqCst);
    }

    pub fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    pub fn saw(&self, connection: ConnectionId, trigger: Trigger) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.iter().any(|nudge| nudge.connection == connection && nudge.trigger == trigger)
    }
}

impl Server {
    /// Ends it as a signal does.
    pub async fn end(self) {
        self.stop.send(()).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.task).await;
        ended.expect("it ends in time").unwrap().unwrap();
    }

    /// Ends it as a crash does.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }
}

impl House {
    /// A house with one connection that nothing wakes by itself.
    pub async fn new(url: &str, name: &str) -> Self {
        let url = if url.starts_with("sqlite:") {
            url.replace("store.sqlite", &format!("{name}.sqlite"))
        } else {
            // Short: PostgreSQL cuts names off.
            let database = format!("jobs_{}_{}", std::process::id(), hash(name));
            let mut admin = sqlx::PgConnection::connect(url).await.unwrap();
            admin.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await.unwrap();
            let (server, _) = url.rsplit_once('/').unwrap();
            format!("{server}/{database}")
        };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let bench = Bench::new(store).await;
        let looks = Arc::new(Looks {
            seen: Mutex::default(),
            ended: AtomicUsize::new(0),
            panics: AtomicUsize::new(0),
            is_open: watch::Sender::new(true),
        });
        let workspace = concord::store::Workspace { id: bench.workspace, name: name.to_owned() };
        bench.store.add_workspace(&workspace).await.unwrap();
        Self { bench, looks, url, starts: AtomicUsize::new(0) }
    }

    /// Adds a connection that nothing wakes by itself.
    pub async fn add(&self) -> ConnectionId {
        let row = self.bench.connection_row(ConnectionId(self.bench.id()));
        self.bench.store.add_connection(&row).await.unwrap();
        row.id
    }

    /// Adds a connection that runs by itself.
    pub async fn add_running(&self) -> ConnectionId {
        let mut row = self.bench.connection_row(ConnectionId(self.bench.id()));
        row.settings.syncs.left = Some(Sync {
            since: 0,
            state: SyncState::Running,
            first_run: FirstRun::All,
            write_policy: WritePolicy::Overwrite,
            deletion: DeletionPolicy::Tag,
            consent: ConsentPolicy::Tighten,
            clearing: true,
            rules: vec![],
            entries: vec![],
        });
        self.bench.store.add_connection(&row).await.unwrap();
        row.id
    }

    pub fn start(&self, concurrency: usize) -> Server {
        let start = self.starts.fetch_add(1, Ordering::SeqCst);
        let settings = Settings {
            database_url: self.url.clone(),
            name: format!("start-{start}"),
            concurrency,
            again_after: AGAIN_AFTER,
        };
        let store = self.bench.store.clone();
        let look: Arc<dyn Look> = self.looks.clone();
        let (jobs, dispatcher) = Jobs::new(store, look, Arc::new(SystemClock), settings);
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        Server { jobs, stop, task: tokio::spawn(dispatcher.run(stopped)) }
    }

    pub fn nudge(&self, server: &Server, trigger: Trigger) {
        server.jobs.nudge(self.bench.workspace, self.bench.connection, trigger);
    }

    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    fn file(&self) -> PathBuf {
        let store = self.url.trim_start_matches("sqlite://");
        PathBuf::from(store).with_extension("jobs.sqlite")
    }

    /// How many rows of a table there are; none if it can't be read yet.
    pub async fn count(&self, table: &str, of: &str) -> Option<i64> {
        if self.is_sqlite() {
            let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table} WHERE {of}"));
            let mut queue = self.sqlite().await?;
            sqlx::query_scalar(sql).fetch_one(&mut queue).await.ok()
        } else {
            let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM apalis.{table} WHERE {of}"));
            let mut queue = self.postgres().await;
            sqlx::query_scalar(sql).fetch_one(&mut queue).await.ok()
        }
    }

    /// Changes something behind the queue's back.
    pub async fn meddle(&self, sqlite: &'static str, postgres: &'static str) {
        if self.is_sqlite() {
            self.sqlite().await.unwrap().execute(sqlite).await.unwrap();
        } else {
            self.postgres().await.execute(postgres).await.unwrap();
        }
    }

    async fn sqlite(&self) -> Option<sqlx::SqliteConnection> {
        let file = self.file();
        if !file.exists() {
            return None;
        }
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.ok()
    }

    async fn postgres(&self) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&self.url).await.unwrap()
    }

    /// Takes everything away that the queue has kept.
    pub async fn lose_the_queue(&self) {
        if self.is_sqlite() {
            for ending in ["sqlite", "sqlite-wal", "sqlite-shm"] {
                let _ = std::fs::remove_file(self.file().with_extension(ending));
            }
        } else {
            self.postgres().await.execute("DROP SCHEMA apalis CASCADE").await.unwrap();
        }
    }

    /// Locks the queue for so long; on PostgreSQL its connections break too.
    pub async fn lock_for(&self, time: Duration) {
        if self.is_sqlite() {
            let mut queue = self.sqlite().await.unwrap();
            queue.execute("PRAGMA busy_timeout = 10000").await.unwrap();
            queue.execute("BEGIN IMMEDIATE").await.unwrap();
            tokio::time::sleep(time).await;
            queue.execute("ROLLBACK").await.unwrap();
        } else {
            let mut queue = self.postgres().await;
            queue.execute("BEGIN").await.unwrap();
            queue.execute("LOCK TABLE apalis.jobs IN ACCESS EXCLUSIVE MODE").await.unwrap();
            tokio::time::sleep(time).await;
            queue
                .execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .await
                .unwrap();
            queue.execute("ROLLBACK").await.unwrap();
        }
    }

    /// Waits until so many jobs were ever queued, and all but so many are done.
    pub async fn until_jobs(&self, all: i64, open: i64) {
        let begun = tokio::time::Instant::now();
        loop {
            let counts = (self.count("jobs", "true").await, self.open_jobs().await);
            if counts == (Some(all), Some(open)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "not {all} jobs with {open} open: {counts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn open_jobs(&self) -> Option<i64> {
        self.count("jobs", "status <> 'Done'").await
    }
}

/// Waits until something is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = tokio::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn hash(name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
