//! The program: parses its arguments and calls the library.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use concord::accounts::Accounts;
use concord::app::{self, HOME};
use concord::auth::{Principal, Role};
use concord::config::{Config, Given, Part};
use concord::connections::Asking;
use concord::graphql;
use concord::jobs::Dispatcher;
use concord::lab::demo::{self, Options, Server};
use concord::lab::emulate::{self, Emulated};
use concord::lab::simulate::{Profile, Summary, simulate};
use concord::store::{self, Served, SqlStore};
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// How long it may take to end, with what apps give only once.
const ENDING: Duration = Duration::from_secs(25);

#[derive(Parser)]
#[command(name = "concord", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where the server is and what it keeps.
#[derive(Args)]
struct Place {
    /// The port of the server.
    #[arg(long)]
    port: Option<u16>,
    /// The folder of the embedded database and the secret key.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The database: sqlite://FILE or postgres://USER@HOST/NAME; also as DATABASE_URL.
    #[arg(long)]
    database_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows everything: two emulated CRMs full of people, the server, and a connection between them.
    Demo {
        #[command(flatten)]
        place: Place,
        /// The address of a server that is played against in place of the demo's own; it must have been
        /// started with the settings that are printed.
        #[arg(long, requires = "token", conflicts_with_all = ["port", "data", "database_url"])]
        server: Option<String>,
        /// A token of that server: that of an owner or an operator.
        #[arg(long, requires = "server")]
        token: Option<String>,
        /// The port of the emulated Kommo; without, 8091 beside another server, and any that is free.
        #[arg(long)]
        kommo_port: Option<u16>,
        /// The port of the emulated Zoho CRM; without, 8092 beside another server, and any that is free.
        #[arg(long)]
        zoho_port: Option<u16>,
        /// How many people.
        #[arg(long, default_value_t = 300)]
        contacts: u32,
        /// From which seed they are made.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Ends after the last check.
        #[arg(long)]
        once: bool,
        /// Prints one JSON object on standard output, and nothing else there.
        #[arg(long)]
        json: bool,
    },
    /// Serves the API and runs connections.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Serves GraphiQL at /.
        #[arg(long)]
        graphiql: bool,
        /// Runs nothing itself: that is left to `concord work`. Needs PostgreSQL.
        #[arg(long)]
        no_runs: bool,
    },
    /// Runs connections beside a server, which serves the API. Needs PostgreSQL, and the server's
    /// secret key.
    ///
    /// Any number of workers may run. At its port a worker answers only whether it is alive and ready.
    Work {
        #[command(flatten)]
        place: Place,
    },
    /// Makes a token for the API.
    Token {
        #[command(flatten)]
        place: Place,
        /// The workspace; made if it is new.
        #[arg(long, default_value = HOME)]
        workspace: String,
        /// Whose token it is, for the record of what was done.
        #[arg(long, default_value = "operator")]
        subject: String,
        /// What it may do.
        #[arg(long, default_value = "owner")]
        role: TokenRole,
        /// For how many days.
        #[arg(long, default_value_t = 30)]
        days: u32,
    },
    /// Prints the GraphQL schema.
    Schema,
    /// Names everything that is wrong with the settings.
    Doctor {
        #[command(flatten)]
        place: Place,
        /// The database was put back from a backup: every connection looks at everything again, and writes
        /// nothing before somebody has agreed to its plan.
        #[arg(long)]
        after_restore: bool,
    },
    /// Asks the server or worker on this machine whether it can do its work; exit status 1 if it can't.
    Probe {
        #[command(flatten)]
        place: Place,
    },
    /// Makes or upgrades the tables of a database.
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Copies everything to another database that is empty: from SQLite to PostgreSQL, or back.
    ///
    /// Every server and worker has to be stopped first. The rows are read back from there and compared,
    /// and nothing is copied unless they are the same. What is copied from stays as it is.
    MigrateStore {
        #[command(flatten)]
        place: Place,
        /// The database to copy to: postgres://USER@HOST/NAME or sqlite://FILE.
        #[arg(long)]
        to: String,
    },
    /// Serves an emulator of an app on this machine.
    Emulate {
        /// Which app.
        app: EmulatedApp,
        /// On which port; 0 takes any that is free.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// How many sample people the two apps have between them.
        #[arg(long, default_value_t = 0)]
        contacts: u32,
        /// From which seed they are made.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Plays seeds of the simulation and tells which laws were broken, if any.
    ///
    /// Each seed is two apps with people in them, kept the same under time-outs, crashes and stalled
    /// workers, in virtual time. Exit status 1 if a law was broken.
    Simulate {
        /// How many seeds.
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// The first of them.
        #[arg(long, default_value_t = 0)]
        first: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum EmulatedApp {
    Kommo,
    Zoho,
}

#[derive(Clone, Copy, ValueEnum)]
enum TokenRole {
    Owner,
    Operator,
    Viewer,
}

impl Place {
    fn given(&self) -> Given {
        Given {
            port: self.port,
            data: self.data.clone(),
            database_url: self.database_url.clone(),
            ..Given::default()
        }
    }

    fn config(&self) -> Result<Config> {
        Ok(Config::read(&self.given(), environment)?)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment comes in")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Demo {
            place,
            server,
            token,
            kommo_port,
            zoho_port,
            contacts,
            seed,
            once,
            json,
        } => {
            let given = Given { graphiql: true, ..place.given() };
            let server = server
                .zip(token)
                .map(|(address, token)| Server { address, token: SecretString::from(token) });
            let [kommo, zoho] = if server.is_some() { demo::PORTS } else { [0, 0] };
            let ports = [kommo_port.unwrap_or(kommo), zoho_port.unwrap_or(zoho)];
            let options = Options { given, server, ports, contacts, seed, once, json };
            let converged = demo::run(&options).await?;
            return Ok(if converged { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Serve { place, graphiql, no_runs } => {
            let part = if no_runs { Part::Server } else { Part::Whole };
            let given = Given { graphiql, part, ..place.given() };
            serve(&Config::read(&given, environment)?).await?;
        }
        Command::Work { place } => {
            let given = Given { part: Part::Worker, ..place.given() };
            serve(&Config::read(&given, environment)?).await?;
        }
        Command::Token { place, workspace, subject, role, days } => {
            let app = app::build(&place.config()?).await?;
            let workspace = app.workspace(&workspace).await?;
            let role = match role {
                TokenRole::Owner => Role::Owner,
                TokenRole::Operator => Role::Operator,
                TokenRole::Viewer => Role::Viewer,
            };
            let life = Duration::from_secs(u64::from(days) * 24 * 60 * 60);
            println!("{}", app.tokens.issue(&Principal { workspace, subject, role }, life)?);
        }
        Command::Schema => print!("{}", graphql::sdl()),
        Command::Doctor { place, after_restore } => {
            if after_restore {
                // First: a database that is missing is not to be made.
                ask_after_restore(&place.config()?).await?;
            }
            for note in app::doctor(&place.given(), environment).await? {
                println!("{note}");
            }
            println!("Everything is in order.");
        }
        Command::Probe { place } => {
            if !app::is_ready(&place.config()?).await {
                println!("Nothing answers there, or it can't do its work.");
                return Ok(ExitCode::FAILURE);
            }
            println!("It is ready.");
        }
        Command::Migrate { place } => {
            SqlStore::open(&place.config()?.database_url).await?;
            println!("The tables are up to date.");
        }
        Command::MigrateStore { place, to } => migrate_store(&place.given(), &to).await?,
        Command::Emulate { app, port, contacts, seed } => {
            let app = match app {
                EmulatedApp::Kommo => Emulated::Kommo,
                EmulatedApp::Zoho => Emulated::Zoho,
            };
            let in_use = || format!("port {port} can't be listened on: take another by --port");
            let listening = emulate::listen(app, port).await.with_context(in_use)?;
            listening.app.fill(contacts, seed);
            println!("address: {}", listening.address);
            for (name, value) in &listening.credentials {
                println!("{name}: {value}");
            }
            listening.serve().await?;
        }
        Command::Simulate { seeds, first } => {
            let mut summary = Summary::default();
            for seed in first..first.saturating_add(seeds) {
                summary.add(&simulate(seed, &Profile::default()));
            }
            println!("{summary}");
            return Ok(if summary.is_lawful() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Has every connection ask before it writes what it would, knowing only what a backup knew.
async fn ask_after_restore(config: &Config) -> Result<()> {
    let asking = app::after_restore(config).await?;
    if asking.is_empty() {
        bail!(
            "no connection of this database was ever started: is it the one that was put back? Name that by \
             --data, --database-url or DATABASE_URL"
        );
    }
    for Asking { workspace, title, records } in &asking {
        println!(
            "{workspace}: {title} will look at {records} records again, and show a plan first"
        );
    }
    println!(
        "Connections that write nothing until their plans are approved: {}. Accounts whose apps have given \
         new tokens since the backup will ask to be reconnected.",
        asking.len()
    );
    Ok(())
}

/// Copies everything to another database.
async fn migrate_store(given: &Given, to: &str) -> Result<()> {
    let from = Config::read(given, environment)?.database_url;
    let elsewhere = Given { database_url: Some(to.to_owned()), ..given.clone() };
    let to = Config::read(&elsewhere, environment).context("--to")?.database_url;
    if from == to {
        bail!("both databases are the same: name the one to copy from by --data or --database-url");
    }
    let tables = store::copy(&from, &to).await.context("nothing was copied")?;
    for table in &tables {
        println!("{table}");
    }
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    println!("{rows} rows were copied, read back, and are the same.");
    println!(
        "Start the server with the new database and the same secret key, and never again with the old \
         one: two servers with the same accounts would work against each other."
    );
    Ok(())
}

/// Takes on its part of the work until it is told to end.
async fn serve(config: &Config) -> Result<()> {
    let in_use = || format!("{} can't be listened on: take another port by --port", config.listen);
    let listener = tokio::net::TcpListener::bind(config.listen).await.with_context(in_use)?;
    let _alone = Served::claim(&config.database_url).context("the database can't be used")?;
    let app = app::build(config).await?;
    match config.part {
        Part::Whole | Part::Server => println!("http://{}/graphql", config.listen),
        Part::Worker => println!("worker {} at http://{}/readyz", app.name, config.listen),
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let signals = async {
        end_signal().await?;
        eprintln!("ending when the runs can be cut off; once more ends at once");
        drop(stop);
        end_signal().await
    };
    tokio::select! {
        served = axum::serve(listener, app.router) => served?,
        ran = work(app.dispatcher, &app.accounts, stopped) => ran?,
        ended = signals => ended?,
    }
    Ok(())
}

/// Does its part of the work until it is told to end; what an app gives only once is written down first.
async fn work(
    dispatcher: Dispatcher,
    accounts: &Accounts,
    stopped: oneshot::Receiver<()>,
) -> Result<()> {
    let mut since = Instant::now();
    let stopped = async {
        let _ = stopped.await;
        since = Instant::now();
    };
    let ran = dispatcher.run(stopped).await;
    if timeout_at(since + ENDING, accounts.settled()).await.is_err() {
        eprintln!("an app does not answer: what it was asked for may have to be authorized again");
    }
    Ok(ran?)
}

/// Waits for Ctrl-C, or what a service manager sends to end a process.
async fn end_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
