//! What the dispatcher has to know.

use std::time::Duration;

/// How soon a connection that could not run is tried again.
pub const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How often a process gives the queue a sign of life.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// What the dispatcher has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the store is: the queue is beside it. In a file of its own for SQLite, in a schema of its
    /// own for PostgreSQL.
    pub database_url: String,
    /// The name of this start of this process; no other start may have had it.
    pub name: String,
    /// How many connections may run at once, at least one; and how many more may meanwhile read what
    /// an app told of.
    pub concurrency: usize,
    /// How soon a connection that could not run is tried again: [`AGAIN_AFTER`] but in tests.
    pub again_after: Duration,
    /// How often a process gives the queue a sign of life: [`HEARTBEAT`] but in tests. After six that it
    /// missed, its jobs are given away. At least a second.
    pub heartbeat: Duration,
}
