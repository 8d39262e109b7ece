//! Where jobs are rung in: each connection is looked at once at a time in this process, and what asks
//! for it meanwhile makes exactly one further look. The looks outlive the worker that rang them in, so
//! that a queue in trouble cuts nothing off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};

use super::lane::PerLane;
use super::rests::Rests;
use super::seats::Seats;
use super::sweep::EVERY;
use super::{Jobs, Look, Nudge, Settings};
use crate::store::{ConnectionId, Trigger};

/// A job that was taken from the queue.
pub(super) struct Call {
    pub(super) nudge: Nudge,
    /// Dropped when the worker may take another: the job is done, or whoever does it only waits.
    pub(super) done: oneshot::Sender<()>,
}

/// Where jobs are rung in.
pub(super) struct Desk {
    inbox: mpsc::UnboundedReceiver<Call>,
    look: Arc<dyn Look>,
    jobs: Jobs,
    rests: Rests,
    seats: PerLane<Seats>,
    running: BTreeMap<ConnectionId, Running>,
    looks: JoinSet<Duration>,
    again_after: Duration,
}

struct Running {
    nudge: Nudge,
    task: Id,
    again: Again,
}

/// What asked for a connection while it was looked at.
type Again = PerLane<Option<Nudge>>;

impl Desk {
    pub(super) fn new(
        inbox: mpsc::UnboundedReceiver<Call>,
        look: Arc<dyn Look>,
        jobs: Jobs,
        rests: Rests,
        settings: &Settings,
    ) -> Self {
        let seats = PerLane::from_fn(|_| Seats::new(settings.concurrency));
        let (running, looks) = (BTreeMap::new(), JoinSet::new());
        let again_after = settings.again_after;
        Self { inbox, look, jobs, rests, seats, running, looks, again_after }
    }

    /// Looks at what is rung in. May be cut off, and begun again.
    pub(super) async fn run(&mut self) {
        loop {
            tokio::select! {
                call = self.inbox.recv() => match call {
                    Some(call) => self.ring(call),
                    None => return,
                },
                Some(ended) = self.looks.join_next_with_id(), if !self.looks.is_empty() => {
                    self.end(ended);
                }
            }
        }
    }

    /// Waits for the looks that go on.
    pub(super) async fn finish(&mut self) {
        while self.looks.join_next().await.is_some() {}
    }

    fn ring(&mut self, Call { nudge, done }: Call) {
        match self.running.get_mut(&nudge.connection) {
            Some(running) => {
                let again = running.again.of_mut(nudge.lane());
                *again = Some(again.map_or(nudge, |again| again.or(nudge)));
            }
            None => self.begin(nudge, Some(done), Again::default()),
        }
    }

    fn begin(&mut self, nudge: Nudge, done: Option<oneshot::Sender<()>>, again: Again) {
        self.rests.begin(nudge.connection);
        let (look, seats) = (self.look.clone(), self.seats.of(nudge.lane()).clone());
        let task = self.looks.spawn(async move { seats.sit(done, look.look(nudge)).await });
        self.running.insert(nudge.connection, Running { nudge, task: task.id(), again });
    }

    fn end(&mut self, ended: Result<(Id, Duration), JoinError>) {
        let (task, rest) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                eprintln!("a look at a connection broke off: it is tried again");
                (error.id(), self.again_after)
            }
        };
        let of_task =
            |(id, running): (&ConnectionId, &Running)| (running.task == task).then_some(*id);
        let Some(connection) = self.running.iter().find_map(of_task) else { return };
        let Some(Running { nudge, mut again, .. }) = self.running.remove(&connection) else {
            return;
        };
        // In turn, so that neither lane keeps the other waiting.
        for lane in [nudge.lane().other(), nudge.lane()] {
            if let Some(nudge) = again.of_mut(lane).take() {
                return self.begin(nudge, None, again);
            }
        }
        self.rests.end(connection, rest.max(EVERY));
        // For the sweep it would be too short.
        if rest < EVERY {
            self.jobs.nudge_after(nudge.workspace, connection, Trigger::Again, rest);
        }
    }
}
