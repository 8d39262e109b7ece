//! The store in SQLite and PostgreSQL. What it does is what the store in memory does; one suite
//! tries them all.
//!
//! Writes are made one after the other where they could meet. SQLite has one writer at a time. On
//! PostgreSQL a transaction locks rows, always in this order: its lease, so that a takeover waits
//! until it is done; then its connection; then an account, and after it its credentials; then the
//! feeds that it changes, by id, because connections may share them; then what people change too. An
//! endpoint is locked before its deliveries.

mod account;
mod alone;
mod authorization;
mod batch;
mod codec;
mod connection;
mod copy;
mod delivery;
mod draft;
mod endpoint;
mod error;
mod feed;
mod history;
mod idempotency;
mod intent;
mod issue;
mod journal;
mod lease;
mod link;
mod open;
mod outcome;
mod pending;
mod plan;
mod removal;
mod run;
mod secret;
mod seen;
mod settle;
mod store;
mod transaction;
mod usage;
mod webhook;
mod workspace;

use sea_orm::DatabaseConnection;

pub use alone::Served;
pub use copy::{CopiedTable, CopyError, copy};
pub use open::Found;
use transaction::commit;

/// The lock under which PostgreSQL is migrated: any number that nobody else uses.
const MIGRATION_LOCK: u64 = 20_261_121_000_000;

/// What this program is called at PostgreSQL.
const NAME: &str = "concord";

/// A store that outlives the process.
#[derive(Clone, Debug)]
pub struct SqlStore {
    db: DatabaseConnection,
}
