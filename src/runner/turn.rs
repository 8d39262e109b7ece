//! One turn of a connection: which runs it is made of, and how each begins and ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::approval;
use super::session::Session;
use super::{Ran, RunError, Runner};
use crate::connectors::Connector;
use crate::planner::Report;
use crate::record::PerSide;
use crate::store::{
    self, Connection, ConnectionId, CutOff, Held, LeaseKey, LeaseKind, RunEnd, RunId, RunKind,
    RunRow, RunState, Trigger, WorkspaceId,
};

/// What a run is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Write.
    Sync,
    /// Plan what a person has to agree to first.
    Plan,
    /// Tell what a draft would do.
    Preview,
}

impl Task {
    fn kind(self) -> RunKind {
        match self {
            Self::Sync => RunKind::Sync,
            Self::Plan | Self::Preview => RunKind::Preview,
        }
    }
}

/// A run that has ended.
pub(super) struct Ended {
    pub(super) id: RunId,
    report: Report,
    /// Whether another was asked for meanwhile.
    again: bool,
    /// Whether it was resumed, and has read only what was told, where more was wanted.
    is_told_instead: bool,
}

impl Runner {
    /// Runs a connection once, or resumes the run that was cut off. While somebody thinks about the
    /// plan of a sync that was just started, the other sync goes on: then it is a run that writes, and
    /// one that plans.
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
        let held = self.take(&key, &holder, trigger).await?;
        let turn = self.turn(&held, connectors, trigger).await;
        self.store.release(&held).await?;
        let ended = turn?;
        // Read after the release: who asked before it found the lease taken; who asks after it does
        // not.
        let again = self.store.connection(workspace, connection).await?.again;
        let next_due = self.store.next_due(workspace, connection).await?;
        Ok(Ran { id: ended.id, report: ended.report, again: again || ended.again, next_due })
    }

    /// The preview that was asked for, if one was; then, where a sync runs, what is to be done anyway.
    async fn turn(
        &self,
        held: &Held,
        connectors: &PerSide<Arc<dyn Connector>>,
        trigger: Trigger,
    ) -> Result<Ended, RunError> {
        let Some(draft) = self.draft_to_preview(held).await? else {
            return self.sync(held, connectors, trigger).await;
        };
        let previewed = self.preview(held, connectors, &draft).await;
        let is_over = matches!(previewed, Err(RunError::Stopped | RunError::Store(_)));
        let known = self.known(held).await?;
        if is_over || !known.is_running() {
            return previewed;
        }
        // Nor does it make a plan anew that somebody is thinking about.
        let (store, now) = (self.store.as_ref(), self.clock.now());
        if approval::awaits_answer_until(store, &known, now).await?.is_some() {
            return previewed;
        }
        // A draft with which nothing can be read does not stop the live configuration.
        let ended = self.sync(held, connectors, trigger).await?;
        let is_asked = previewed.is_ok_and(|previewed| previewed.again);
        Ok(Ended { again: ended.again || is_asked, ..ended })
    }

    async fn sync(
        &self,
        held: &Held,
        connectors: &PerSide<Arc<dyn Connector>>,
        trigger: Trigger,
    ) -> Result<Ended, RunError> {
        let known = self.known(held).await?;
        let version = known.settings.version;
        let awaiting = approval::awaiting(&known.settings, &known.progress);
        let is_asked = !awaiting.is_empty()
            && self.store.approved_plan(known.workspace, known.id, version).await?.is_none();
        if !is_asked {
            return self.run_once(held, connectors, Task::Sync, trigger).await;
        }
        // Whoever has to be asked first gets a plan, until there is an answer.
        if approval::awaits_for_all(&known, &awaiting) {
            return self.run_once(held, connectors, Task::Plan, trigger).await;
        }
        let ended = self.run_once(held, connectors, Task::Sync, trigger).await?;
        let (store, now) = (self.store.as_ref(), self.clock.now());
        let is_kept = approval::kept_until(store, &known, now).await?.is_some();
        if is_kept && trigger != Trigger::Person {
            return Ok(ended);
        }
        let planned = self.run_once(held, connectors, Task::Plan, trigger).await?;
        Ok(Ended { again: ended.again || planned.again, ..ended })
    }

    async fn run_once(
        &self,
        held: &Held,
        connectors: &PerSide<Arc<dyn Connector>>,
        task: Task,
        trigger: Trigger,
    ) -> Result<Ended, RunError> {
        let known = self.known(held).await?;
        let ended = self.run_as(held, connectors, task, trigger, known).await?;
        if !ended.is_told_instead {
            return Ok(ended);
        }
        let known = self.known(held).await?;
        self.run_as(held, connectors, task, trigger, known).await
    }

    /// One run of a connection, taken as it is given.
    pub(super) async fn run_as(
        &self,
        held: &Held,
        connectors: &PerSide<Arc<dyn Connector>>,
        task: Task,
        trigger: Trigger,
        known: Connection,
    ) -> Result<Ended, RunError> {
        let mut run = self.begin(held, task.kind(), trigger, &known).await?;
        // One that is resumed reads as much as it did when it began: it counts as that.
        let is_told = |trigger: Trigger| trigger == Trigger::Webhook;
        let is_told_instead = is_told(run.trigger) && !is_told(trigger);
        if !is_told(run.trigger) && !is_told(trigger) {
            run.trigger = trigger;
        }
        let mut session = Session::open(self, *held, &run, task, known, connectors).await?;
        session.tell_cut_off(&run).await?;
        let outcome = tokio::select! {
            outcome = session.run() => outcome,
            () = self.hold_on(held) => Err(store::Error::Fenced.into()),
        };
        let again = self.finish(&session, &outcome).await?;
        outcome?;
        Ok(Ended { id: run.id, report: session.report, again, is_told_instead })
    }

    /// The connection as it is now.
    async fn known(&self, held: &Held) -> Result<Connection, RunError> {
        let mut known = self.store.connection(held.key.workspace, held.connection()).await?;
        known.forget_what_was_taken_back();
        Ok(known)
    }

    /// Takes the lease, or asks its holder to run once more: but not for what is due anyway, and still is
    /// when that run has ended.
    async fn take(&self, key: &LeaseKey, holder: &str, trigger: Trigger) -> Result<Held, RunError> {
        let connection = ConnectionId(key.subject);
        if let Some(held) = self.store.acquire(key, holder, self.timings.lease).await? {
            return Ok(held);
        }
        if matches!(trigger, Trigger::Schedule | Trigger::Webhook) {
            return Err(RunError::Busy);
        }
        self.store.ask_again(key.workspace, connection).await?;
        // It may have been released just before it was asked.
        self.store.acquire(key, holder, self.timings.lease).await?.ok_or(RunError::Busy)
    }

    /// Begins a run. One that was cut off while it wrote is resumed; a plan that was cut off is made
    /// anew as another one, because what it has so far may not be so any more.
    async fn begin(
        &self,
        held: &Held,
        kind: RunKind,
        trigger: Trigger,
        known: &Connection,
    ) -> Result<RunRow, RunError> {
        let now = self.clock.now();
        let run = RunRow {
            id: RunId(self.ids.next(now)),
            connection: known.id,
            kind,
            trigger,
            state: RunState::Running,
            version: known.settings.version,
            started_at: now,
            ended_at: None,
            report: Report::default(),
            error: None,
            cut_off: CutOff::default(),
        };
        let begun = self.store.begin_run(held, &run).await?;
        if begun.id == run.id || (begun.kind, kind) == (RunKind::Sync, RunKind::Sync) {
            return Ok(begun);
        }
        let end = RunEnd {
            id: begun.id,
            connection: known.id,
            state: RunState::Failed,
            at: now,
            report: begun.report,
            error: Some("cut_off".to_owned()),
            planned_to: BTreeMap::new(),
            progress: self.known(held).await?.progress,
        };
        self.store.finish_run(held, &end).await?;
        let again = RunRow { cut_off: begun.cut_off, ..run };
        Ok(self.store.begin_run(held, &again).await?)
    }

    /// Ends a run. True if another was asked for meanwhile.
    async fn finish(
        &self,
        session: &Session<'_>,
        outcome: &Result<(), RunError>,
    ) -> Result<bool, RunError> {
        let (state, error) = match outcome {
            Ok(()) => (RunState::Finished, None),
            // Whoever holds the lease now ends the run.
            Err(RunError::Store(store::Error::Fenced)) => return Ok(false),
            // It goes on with the next start.
            Err(RunError::Stopped) => {
                self.store.put_down(&session.held, session.run).await?;
                return Ok(false);
            }
            Err(error) => (RunState::Failed, Some(error.code())),
        };
        // A preview leaves everything as it is: what stopped it stands in its own run.
        let progress = if session.is_preview() {
            let (workspace, id) = (session.connection.workspace, session.connection.id);
            self.store.connection(workspace, id).await?.progress
        } else {
            session.tell_causes(outcome).await?;
            session.connection.progress.clone()
        };
        let end = RunEnd {
            id: session.run,
            connection: session.connection.id,
            state,
            at: self.clock.now(),
            report: session.report.clone(),
            error,
            planned_to: session.planned_to.clone(),
            progress,
        };
        Ok(self.store.finish_run(&session.held, &end).await?)
    }
}
