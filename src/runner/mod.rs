//! The shell of one run: it reads both sides, streams pairs into the planner, writes what the planner
//! says, and settles what became of it. It decides nothing itself.
//!
//! Everything can be cut off at any point: what was sent is in the journal, what was planned is
//! planned again, and what was settled needs nothing more.

mod approval;
mod error;
mod execute;
mod hold;
mod observe;
mod plan;
mod resume;
mod session;
mod settle;
mod standing;
mod timings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::connectors::Connector;
use crate::planner::Report;
use crate::ports::{Clock, Ids};
use crate::record::PerSide;
use crate::store::{
    self, ConnectionId, Held, LeaseKey, LeaseKind, RunEnd, RunId, RunKind, RunRow, RunState, Store,
    Trigger, WorkspaceId,
};
use session::Session;

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

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its id.
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

    /// Runs a connection once, or resumes the run that was cut off.
    ///
    /// # Errors
    /// [`RunError`]: what was done until then is settled; the rest is done by the next run.
    pub async fn run(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        connectors: &PerSide<Arc<dyn Connector>>,
        trigger: Trigger,
    ) -> Result<Ran, RunError> {
        self.check_stopping()?;
        let key = LeaseKey { workspace, kind: LeaseKind::Connection, subject: connection.0 };
        // Each run is a holder of its own: two of one process must not take each other for one.
        let holder = format!("{}/{}", self.holder, self.ids.next(self.clock.now()));
        let held = self.take(&key, &holder).await?;
        let known = self.store.connection(workspace, connection).await?;
        let now = self.clock.now();
        // Whoever has to be asked first gets a plan, until there is an answer.
        let version = known.settings.version;
        let kind = if approval::is_needed(&known.settings, &known.progress)
            && self.store.approved_plan(workspace, connection, version).await?.is_none()
        {
            RunKind::Preview
        } else {
            RunKind::Sync
        };
        let run = RunRow {
            id: RunId(self.ids.next(now)),
            connection,
            kind,
            trigger,
            state: RunState::Running,
            version: known.settings.version,
            started_at: now,
            ended_at: None,
            report: Report::default(),
            error: None,
        };
        let run = self.store.begin_run(&held, &run).await?;
        let mut session = Session::open(self, held, &run, known, connectors).await?;
        let outcome = tokio::select! {
            outcome = session.run() => outcome,
            () = self.hold_on(&held) => Err(store::Error::Fenced.into()),
        };
        self.finish(&session, &outcome).await?;
        self.store.release(&held).await?;
        outcome?;
        // Read after the release: who asked before it found the lease taken; who asks after it does
        // not.
        let again = self.store.connection(workspace, connection).await?.again;
        let next_due = self.store.next_due(workspace, connection).await?;
        Ok(Ran { id: run.id, report: session.report, again, next_due })
    }

    fn check_stopping(&self) -> Result<(), RunError> {
        if self.is_stopping.load(Ordering::Relaxed) { Err(RunError::Stopped) } else { Ok(()) }
    }

    /// Takes the lease, or asks its holder to run once more.
    async fn take(&self, key: &LeaseKey, holder: &str) -> Result<Held, RunError> {
        let connection = ConnectionId(key.subject);
        if let Some(held) = self.store.acquire(key, holder, self.timings.lease).await? {
            return Ok(held);
        }
        self.store.ask_again(key.workspace, connection).await?;
        // It may have been released just before it was asked.
        self.store.acquire(key, holder, self.timings.lease).await?.ok_or(RunError::Busy)
    }

    async fn finish(
        &self,
        session: &Session<'_>,
        outcome: &Result<(), RunError>,
    ) -> Result<(), RunError> {
        let (state, error) = match outcome {
            Ok(()) => (RunState::Finished, None),
            // Whoever holds the lease now ends the run.
            Err(RunError::Store(store::Error::Fenced)) => return Ok(()),
            // It goes on with the next start.
            Err(RunError::Stopped) => return Ok(()),
            Err(error) => (RunState::Failed, Some(error.code())),
        };
        let end = RunEnd {
            id: session.run,
            connection: session.connection.id,
            state,
            at: self.clock.now(),
            report: session.report.clone(),
            error,
            planned_to: session.planned_to.clone(),
            progress: session.connection.progress.clone(),
        };
        self.store.finish_run(&session.held, &end).await?;
        Ok(())
    }
}
