//! A dispatcher with a queue of its own, a store in memory, and looks that are only counted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use concord::jobs::{AGAIN_AFTER, Dispatcher, Error, HEARTBEAT, Jobs, Look, Nudge, Settings};
use concord::planner::{ConsentPolicy, DeletionPolicy, FirstRun, Sync, SyncState, WritePolicy};
use concord::ports::SystemClock;
use concord::store::{ConnectionId, MemoryStore, Store, Trigger};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::build::Bench;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct House {
    pub bench: Bench,
    pub looks: Arc<Looks>,
    url: String,
    starts: AtomicUsize,
}

/// Counts looks. They work while its gate is closed.
pub struct Looks {
    seen: Mutex<Vec<(Nudge, Instant)>>,
    /// Those that only wait while the gate is closed; the others go through.
    waiting: Mutex<BTreeSet<ConnectionId>>,
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
        self.seen.lock().unwrap().push((nudge, Instant::now()));
        let one_less = |left: usize| left.checked_sub(1);
        if self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            panic!("as it was told to");
        }
        let mut is_open = self.is_open.subscribe();
        let waits = {
            let waiting = self.waiting.lock().unwrap();
            (!waiting.is_empty()).then(|| waiting.contains(&nudge.connection))
        };
        match waits {
            Some(false) => {}
            Some(true) => _ = is_open.wait_for(|is_open| *is_open).await.unwrap(),
            None => {
                while !*is_open.borrow() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
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

    /// The gate is closed for these only, and they do nothing before it.
    pub fn close_for(&self, waiting: impl IntoIterator<Item = ConnectionId>) {
        *self.waiting.lock().unwrap() = waiting.into_iter().collect();
        self.close();
    }

    /// Whether its looks wait while the gate is closed.
    pub fn waits(&self, connection: ConnectionId) -> bool {
        self.waiting.lock().unwrap().contains(&connection)
    }

    /// How long after a moment those began that were looked at, but for those that wait; in order.
    pub fn delays(&self, since: Instant) -> Vec<Duration> {
        let (seen, waiting) = (self.seen.lock().unwrap(), self.waiting.lock().unwrap());
        let others = seen.iter().filter(|(nudge, _)| !waiting.contains(&nudge.connection));
        let mut delays: Vec<Duration> = others.map(|(_, at)| *at - since).collect();
        delays.sort();
        delays
    }

    /// So many looks break off.
    pub fn panic_times(&self, times: usize) {
        self.panics.store(times, Ordering::SeqCst);
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
        self.place(connection, trigger).is_some()
    }

    /// How many looks there were before this one.
    pub fn place(&self, connection: ConnectionId, trigger: Trigger) -> Option<usize> {
        let seen = self.seen.lock().unwrap();
        let is_it = |nudge: &Nudge| nudge.connection == connection && nudge.trigger == trigger;
        seen.iter().position(|(nudge, _)| is_it(nudge))
    }

    /// The shortest time from one look to the next.
    pub fn shortest_rest(&self) -> Duration {
        let seen = self.seen.lock().unwrap();
        seen.windows(2).map(|two| two[1].1 - two[0].1).min().unwrap()
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
            waiting: Mutex::default(),
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
        self.start_as(self.settings(concurrency), |dispatcher| dispatcher)
    }

    /// One that leaves the runs to others.
    pub fn start_without_runs(&self) -> Server {
        self.start_as(self.settings(4), Dispatcher::without_runs)
    }

    /// One that gives signs of life so often that it counts as dead after six seconds without.
    pub fn start_lively(&self) -> Server {
        let settings = Settings { heartbeat: Duration::from_secs(1), ..self.settings(4) };
        self.start_as(settings, |dispatcher| dispatcher)
    }

    /// One that tries again after this time what could not run.
    pub fn start_again_after(&self, again_after: Duration) -> Server {
        let settings = Settings { again_after, ..self.settings(4) };
        self.start_as(settings, |dispatcher| dispatcher)
    }

    /// One that looks in another way.
    pub fn start_with(
        &self,
        look: Arc<dyn Look>,
        concurrency: usize,
        again_after: Duration,
    ) -> Server {
        let settings = Settings { again_after, ..self.settings(concurrency) };
        self.spawn(settings, look, |dispatcher| dispatcher)
    }

    fn settings(&self, concurrency: usize) -> Settings {
        Settings {
            database_url: self.url.clone(),
            name: format!("start-{}", self.starts.fetch_add(1, Ordering::SeqCst)),
            concurrency,
            again_after: AGAIN_AFTER,
            heartbeat: HEARTBEAT,
        }
    }

    fn start_as(&self, settings: Settings, part: fn(Dispatcher) -> Dispatcher) -> Server {
        self.spawn(settings, self.looks.clone(), part)
    }

    fn spawn(
        &self,
        settings: Settings,
        look: Arc<dyn Look>,
        part: fn(Dispatcher) -> Dispatcher,
    ) -> Server {
        let store = self.bench.store.clone();
        let (jobs, dispatcher) = Jobs::new(store, look, Arc::new(SystemClock), settings);
        let dispatcher = part(dispatcher);
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

    /// Queues so many jobs behind the queue's back, each of a connection that nobody has heard of.
    pub async fn queue_backlog(&self, jobs: u32) {
        let (workspace, connection) = (self.bench.workspace, self.bench.connection);
        let nudge = Nudge { workspace, connection, trigger: Trigger::Again };
        let job = serde_json::to_string(&nudge).unwrap();
        // The last digits of an id are the number of the job.
        let (before, after) = job.split_once(&connection.0.to_string()).unwrap();
        let (before, after) = (format!("{before}00000000-0000-7000-8000-0000"), after);
        let script = if self.is_sqlite() {
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {jobs}) \
                 INSERT INTO Jobs (job, id, job_type, max_attempts, run_at) \
                 SELECT CAST('{before}' || printf('%08d', i) || '{after}' AS BLOB), \
                 '01ARZ3NDEKTSV4RRFF' || printf('%08d', i), 'concord.look', 1, 0 FROM n"
            )
        } else {
            format!(
                "INSERT INTO apalis.jobs (job, id, job_type, max_attempts, run_at) \
                 SELECT convert_to('{before}' || lpad(i::text, 8, '0') || '{after}', 'UTF8'), \
                 '01ARZ3NDEKTSV4RRFF' || lpad(i::text, 8, '0'), 'concord.look', 1, to_timestamp(0) \
                 FROM generate_series(1, {jobs}) AS i"
            )
        };
        if self.is_sqlite() {
            self.sqlite().await.unwrap().execute(AssertSqlSafe(script)).await.unwrap();
        } else {
            self.postgres().await.execute(AssertSqlSafe(script)).await.unwrap();
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

    /// Locks the queue for so long; on PostgreSQL its connections break after that, and for as long again
    /// nobody can connect.
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
            queue.execute("ROLLBACK").await.unwrap();
            let (server, database) = self.url.rsplit_once('/').unwrap();
            let url = format!("{server}/postgres");
            let mut admin = sqlx::PgConnection::connect(&url).await.unwrap();
            let shut = format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS");
            admin.execute(AssertSqlSafe(format!("{shut} false"))).await.unwrap();
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = '{database}' AND backend_type = 'client backend'"
            );
            admin.execute(AssertSqlSafe(end)).await.unwrap();
            tokio::time::sleep(time).await;
            admin.execute(AssertSqlSafe(format!("{shut} true"))).await.unwrap();
        }
    }

    /// Waits until so many jobs were ever queued, and all but so many are done.
    pub async fn until_jobs(&self, all: i64, open: i64) {
        let begun = Instant::now();
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
    let begun = Instant::now();
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
