//! The program: parses its arguments and calls the library.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum};
use concord::lab::emulate::{self, Emulated};
use concord::lab::simulate::{Profile, Summary, simulate};
use concord::store::SqlStore;

#[derive(Parser)]
#[command(name = "concord", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
    /// Serves an emulator of an app on this machine.
    Emulate {
        /// Which app.
        app: EmulatedApp,
        /// On which port; 0 takes any that is free.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Makes or upgrades the tables of a database.
    Migrate {
        /// Where it is: sqlite://FILE or postgres://USER@HOST/NAME.
        #[arg(long, default_value = "sqlite://concord.sqlite")]
        database_url: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum EmulatedApp {
    Kommo,
    Zoho,
}

impl From<EmulatedApp> for Emulated {
    fn from(app: EmulatedApp) -> Self {
        match app {
            EmulatedApp::Kommo => Self::Kommo,
            EmulatedApp::Zoho => Self::Zoho,
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Simulate { seeds, first } => {
            let mut summary = Summary::default();
            for seed in first..first.saturating_add(seeds) {
                summary.add(&simulate(seed, &Profile::default()));
            }
            println!("{summary}");
            Ok(if summary.is_lawful() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Emulate { app, port } => {
            let listening = emulate::listen(app.into(), port).await.with_context(|| {
                format!("port {port} can't be listened on: take another by --port")
            })?;
            println!("address: {}", listening.address);
            for (name, value) in &listening.credentials {
                println!("{name}: {value}");
            }
            listening.serve().await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate { database_url } => {
            SqlStore::open(&database_url).await?;
            println!("The tables are up to date.");
            Ok(ExitCode::SUCCESS)
        }
    }
}
