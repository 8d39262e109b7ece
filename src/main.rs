//! The program: parses its arguments and calls the library.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
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
    /// Makes or upgrades the tables of a database.
    Migrate {
        /// Where it is: sqlite://FILE or postgres://USER@HOST/NAME.
        #[arg(long, default_value = "sqlite://concord.sqlite")]
        database_url: String,
    },
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
        Command::Migrate { database_url } => {
            SqlStore::open(&database_url).await?;
            println!("The tables are up to date.");
            Ok(ExitCode::SUCCESS)
        }
    }
}
