//! Where a server keeps what it knows, and the server and its workers: the program itself, started,
//! stopped and killed.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use concord::lab::demo;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio::time::{Instant, sleep};

use crate::backends::Backend;

/// What every wait is divided by: a lease holds 1.2 seconds, a lost create is given up after 12.
pub const DIVISOR: u32 = 50;
/// How long a process may take to say or to do something.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where a server keeps what it knows, and where it is reached. It goes with the trial.
pub struct Place {
    folder: PathBuf,
    /// None for the database in the folder.
    database_url: Option<String>,
    port: u16,
    /// Variables of the server's environment.
    settings: Vec<(String, String)>,
}

/// A server or a worker that runs.
pub struct Running {
    child: Child,
    log: PathBuf,
}

/// What a process may be sent.
#[derive(Clone, Copy)]
pub enum Signal {
    Stop,
    Continue,
    End,
}

/// A connection to what a server knows, past the server.
pub enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Keeps a database from being written.
pub struct Lock(Database);

impl Place {
    /// A place with an empty database, for a server with these settings, one a line.
    pub async fn new(backend: &Backend, number: usize, settings: &str) -> Self {
        let name = format!("{}_{number}", std::process::id());
        let folder = std::env::temp_dir().join(format!("concord-crash-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let database_url = match &backend.url {
            Some(url) if backend.name == "postgres" => {
                let mut admin = PgConnection::connect(url).await.unwrap();
                let create = format!("CREATE DATABASE crash_{name}");
                admin.execute(AssertSqlSafe(create)).await.unwrap();
                let (server, _) = url.rsplit_once('/').unwrap();
                Some(format!("{server}/crash_{name}"))
            }
            _ => None,
        };
        let port = free_port();
        let settings = settings.lines().filter_map(|line| line.split_once('='));
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { folder, database_url, port, settings }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg(name).arg("--data").arg(&self.folder);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        let settings = self.settings.iter().map(|(name, value)| (name, value));
        command.env_remove("DATABASE_URL").env("CONCORD_TIMES_DIVIDED_BY", DIVISOR.to_string());
        command.envs(settings);
        command
    }

    /// How the server is reached, with a token of an owner.
    pub fn api(&self) -> demo::Server {
        let output = self.command("token").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned().into();
        demo::Server { address: format!("http://127.0.0.1:{}", self.port), token }
    }

    /// Starts the server.
    pub fn start(&self) -> Running {
        self.spawn(self.command("serve"), self.port, "log")
    }

    /// Starts the server, which leaves the runs to workers.
    pub fn start_without_runs(&self) -> Running {
        let mut command = self.command("serve");
        command.arg("--no-runs");
        self.spawn(command, self.port, "log")
    }

    /// Starts a worker, and waits for it. Gives its name, too.
    pub async fn start_worker(&self) -> (String, Running) {
        let port = free_port();
        let worker = self.spawn(self.command("work"), port, &format!("log-{port}"));
        let line = worker.line("worker ").await;
        let begun = Instant::now();
        loop {
            let mut probe = self.command("probe");
            let probed = probe.arg("--port").arg(port.to_string()).output().unwrap();
            if probed.status.success() {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{probed:?}");
            sleep(Duration::from_millis(100)).await;
        }
        let name = line.split(' ').nth(1).unwrap().to_owned();
        (name, worker)
    }

    /// What a process with another secret key says of that.
    pub fn refusal_of_another_key(&self, name: &str) -> String {
        let mut command = self.command(name);
        command.arg("--port").arg(free_port().to_string());
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let output = command.env("CONCORD_SECRET_KEY", key).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn spawn(&self, mut command: Command, port: u16, log: &str) -> Running {
        let log = self.folder.join(log);
        let said = File::options().create(true).append(true).open(&log).unwrap();
        command.arg("--port").arg(port.to_string());
        command.stdout(said.try_clone().unwrap()).stderr(said);
        Running { child: command.spawn().unwrap(), log }
    }

    /// The name of the process that runs the only connection.
    pub async fn runner(&self) -> String {
        let Database::Postgres(mut database) = self.database().await else {
            panic!("workers share PostgreSQL");
        };
        let holder: String = sqlx::query_scalar(
            "SELECT holder FROM lease WHERE kind = 'connection' \
             AND expires_at > EXTRACT(EPOCH FROM clock_timestamp()) * 1000000",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        database.close().await.unwrap();
        holder.split('/').next().unwrap().to_owned()
    }

    /// Keeps the journal from being written until the lock is gone.
    pub async fn lock(&self) -> Lock {
        let mut database = self.database().await;
        let script = match &database {
            Database::Sqlite(_) => "BEGIN IMMEDIATE",
            Database::Postgres(_) => "BEGIN; LOCK TABLE op IN EXCLUSIVE MODE",
        };
        database.run(script).await.unwrap();
        Lock(database)
    }

    pub async fn database(&self) -> Database {
        match &self.database_url {
            None => {
                let url = format!("sqlite://{}", self.folder.join("concord.sqlite").display());
                Database::Sqlite(SqliteConnection::connect(&url).await.unwrap())
            }
            Some(url) => Database::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }
}

impl Database {
    /// Carries out these statements.
    pub async fn run(&mut self, script: &str) -> sqlx::Result<()> {
        let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
        match self {
            Self::Sqlite(database) => script.execute(database).await.map(|_| ()),
            Self::Postgres(database) => script.execute(database).await.map(|_| ()),
        }
    }

    pub async fn close(self) {
        match self {
            Self::Sqlite(database) => database.close().await.unwrap(),
            Self::Postgres(database) => database.close().await.unwrap(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        const SIGKILL: i32 = 9;
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(SIGKILL), "it had ended before: {status}");
    }

    pub fn send(&self, signal: Signal) {
        let signal = match signal {
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
            Signal::End => "-TERM",
        };
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until it has ended, as it should. Gives all that it said.
    pub async fn ended(mut self) -> String {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return self.said();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until it has said a line that begins like this.
    pub async fn line(&self, beginning: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.said();
            let mut whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some(line) = whole.find(|line| line.starts_with(beginning)) {
                return line.trim_end().to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not say {beginning:?}");
            sleep(LOOK_EVERY).await;
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.said());
        }
    }
}

impl Lock {
    pub async fn release(mut self) {
        self.0.run("ROLLBACK").await.unwrap();
        self.0.close().await;
    }
}
