//! The shell of one run: it reads both sides, streams pairs into the planner, writes what the planner
//! says, and settles what became of it. It decides nothing itself.
//!
//! Everything can be cut off at any point: what was sent is in the journal, what was planned is
//! planned again, and what was settled needs nothing more.

mod approval;
mod ask;
mod beside;
mod causes;
mod error;
mod execute;
mod follow;
mod hold;
mod look;
mod observe;
mod plan;
mod preview;
mod reading;
mod resume;
mod session;
mod settle;
mod standing;
mod timings;
mod turn;
mod unlinked;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::planner::Report;
use crate::ports::{Clock, Ids};
use crate::store::{RunId, Store};

pub use approval::awaits_answer_until;
pub use causes::{CUT_OFF_MAX, NEEDS_RECONNECTING};
pub use error::RunError;
pub use timings::Timings;

/// Runs connections.
pub struct Runner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    holder: String,
    timings: Timings,
    is_stopping: AtomicBool,
}

/// What a turn of a connection came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its run; of two, the one that writes.
    pub id: RunId,
    /// Its numbers.
    pub report: Report,
    /// Whether another was asked for meanwhile.
    pub again: bool,
    /// When something of this connection is due next, beside its schedule.
    pub next_due: Option<Timestamp>,
}

impl Runner {
    /// A runner that holds its leases under the name `holder`, unique to this start of this process.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        holder: impl Into<String>,
        timings: Timings,
    ) -> Self {
        let is_stopping = AtomicBool::new(false);
        Self { store, clock, ids, holder: holder.into(), timings, is_stopping }
    }

    /// The process is to end: runs end with [`RunError::Stopped`] before their next call to an app, and
    /// no more begin.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    fn check_stopping(&self) -> Result<(), RunError> {
        if self.is_stopping.load(Ordering::Relaxed) { Err(RunError::Stopped) } else { Ok(()) }
    }
}
