//! The store in memory: for the planner's simulation and for tests. What it does is what the SQL
//! stores do; one suite tries them all.

mod account;
mod authorization;
mod draft;
mod history;
mod idempotency;
mod issue;
mod journal;
mod outcome;
mod plan;
mod removal;
mod seen;
mod state;
mod store;
mod usage;
mod webhook;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::Result;
use crate::ports::Clock;
use state::State;

/// A store that forgets with the process. A method that returns has committed; one that was dropped
/// before has not, or has, as with a real database.
pub struct MemoryStore {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store whose leases run by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::new(State::default()), clock }
    }

    /// A store with all that is in this one now: from here on each goes its own way.
    #[must_use]
    pub fn backup(&self) -> Self {
        let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self { state: Mutex::new(state.clone()), clock: self.clock.clone() }
    }

    /// One transaction, with a point to be cut off at before it and one after it.
    async fn transact<T>(
        &self,
        work: impl FnOnce(&mut State, Timestamp) -> Result<T>,
    ) -> Result<T> {
        tokio::task::yield_now().await;
        let result = {
            // A panic in a transaction leaves what it had changed: the tests that use this fail then.
            let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            work(&mut state, self.clock.now())
        };
        tokio::task::yield_now().await;
        result
    }
}
