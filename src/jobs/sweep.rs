//! Asks the store what is due, and nudges it: this makes every job dispensable. Tidies up, too.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Jobs;
use super::due::{due, until};
use super::queue::Queue;
use super::rests::Rests;
use crate::ports::Clock;
use crate::store::{self, Connection, Store, Trigger};

/// How often the store is asked.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// After how long what was nudged is nudged again, if it is still due.
const NUDGED: Duration = Duration::from_secs(30);
/// How often what is over is deleted.
const TIDY: Duration = Duration::from_secs(60);
/// How many requests are forgotten at once.
const AT_ONCE: u64 = 1000;

/// Asks the store what is due.
pub(super) struct Sweep {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) jobs: Jobs,
    pub(super) rests: Rests,
    pub(super) queue: Queue,
    /// For how long it is believed what the store said of a connection, and how soon what could not run
    /// is tried again.
    pub(super) again_after: Duration,
}

impl Sweep {
    /// Asks for as long as it is waited for.
    pub(super) async fn run(self) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_well = true;
        let mut tidied = Instant::now();
        self.forget().await;
        loop {
            tick.tick().await;
            let swept = self.sweep().await;
            if let Err(error) = &swept
                && is_well
            {
                eprintln!("what is due can't be read: {error}");
            }
            is_well = swept.is_ok();
            if is_well {
                self.jobs.pulse.beat();
            }
            if tidied.elapsed() >= TIDY {
                tidied = Instant::now();
                self.queue.tidy().await.unwrap_or_else(|error| {
                    eprintln!("jobs that are done are deleted later: {error}");
                });
                self.forget().await;
            }
        }
    }

    /// Forgets the answers to requests that can't be sent again any more.
    async fn forget(&self) {
        loop {
            match self.store.forget_requests(self.clock.now(), AT_ONCE).await {
                Ok(AT_ONCE) => {}
                Ok(_) => return,
                Err(error) => return eprintln!("old requests are forgotten later: {error}"),
            }
        }
    }

    async fn sweep(&self) -> store::Result<()> {
        for workspace in self.store.workspaces().await? {
            for connection in self.store.connections(workspace.id).await? {
                if self.rests.is_resting(connection.id) {
                    continue;
                }
                self.ask(&connection).await?;
            }
        }
        Ok(())
    }

    async fn ask(&self, connection: &Connection) -> store::Result<()> {
        let now = self.clock.now();
        let due = due(self.store.as_ref(), connection, now, self.again_after).await?;
        let wait = due.map_or(self.again_after, |at| until(at, now));
        if wait.is_zero() {
            self.rests.rest(connection.id, NUDGED);
            self.jobs.nudge(connection.workspace, connection.id, Trigger::Schedule);
        } else {
            self.rests.rest(connection.id, wait.min(self.again_after));
        }
        Ok(())
    }
}
