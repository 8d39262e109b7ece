//! Which connections the sweep leaves alone, and for how long. It is only in memory: whoever starts
//! anew knows of no rest, and looks at everything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::ConnectionId;

/// Which connections the sweep leaves alone, and for how long.
#[derive(Clone, Default)]
pub(super) struct Rests(Arc<Mutex<BTreeMap<ConnectionId, Rest>>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// It runs in this process.
    Runs,
    Until(Instant),
}

impl Rests {
    /// Whether it runs here or need not be looked at yet.
    pub(super) fn is_resting(&self, connection: ConnectionId) -> bool {
        match self.all().get(&connection) {
            Some(Rest::Runs) => true,
            Some(Rest::Until(at)) => Instant::now() < *at,
            None => false,
        }
    }

    /// It runs from now on.
    pub(super) fn begin(&self, connection: ConnectionId) {
        self.all().insert(connection, Rest::Runs);
    }

    /// It runs no more, and rests for a while.
    pub(super) fn end(&self, connection: ConnectionId, rest: Duration) {
        self.all().insert(connection, Rest::Until(Instant::now() + rest));
    }

    /// It rests for a while, unless it runs.
    pub(super) fn rest(&self, connection: ConnectionId, rest: Duration) {
        let mut all = self.all();
        if all.get(&connection) != Some(&Rest::Runs) {
            all.insert(connection, Rest::Until(Instant::now() + rest));
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Rest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
