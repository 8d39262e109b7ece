//! What runs, and when: nudges wake connections, and a sweep wakes whatever is due.
//!
//! The truth is in the store. A job in the queue says only "look at this connection, because of that";
//! one that is lost or comes twice is harmless: the sweep asks the store each second what is due, at
//! the start everything that runs is looked at, and whoever runs a connection holds its lease.
//!
//! A nudge goes to the clerk, who puts it into the queue; a worker takes it from there and rings at
//! the desk, where each connection runs once at a time; the look is the run. There are two lanes all
//! the way, so that what an app has just told of never waits for long runs of other connections.
//!
//! Several processes may share a queue and a store on PostgreSQL. Each sweeps, and takes what it has seats
//! for; a run that was cut off is due for all as soon as its lease is over. One that serves the API may
//! leave the runs to the others.

mod clerk;
mod cron;
mod cut_off;
mod desk;
mod dispatcher;
mod due;
mod faults;
mod follow;
mod hooks;
mod lane;
mod look;
mod nudge;
mod others;
mod pulse;
mod queue;
mod rests;
mod seats;
mod settings;
mod sweep;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::ports::Clock;
use crate::store::{ConnectionId, Store, Trigger, WorkspaceId};
use clerk::Order;
use pulse::Pulse;

pub use cron::{CronFault, check_cron};
pub use dispatcher::Dispatcher;
pub use follow::follow;
pub use look::{Look, Looker};
pub use nudge::Nudge;
pub use queue::Error;
pub use settings::{AGAIN_AFTER, HEARTBEAT, Settings};

/// The way to wake connections.
#[derive(Clone)]
pub struct Jobs {
    orders: mpsc::UnboundedSender<Order>,
    pulse: Pulse,
}

impl Jobs {
    /// The way to wake connections, and who runs them.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        look: Arc<dyn Look>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> (Self, Dispatcher) {
        let (sender, orders) = mpsc::unbounded_channel();
        let jobs = Self { orders: sender, pulse: Pulse::default() };
        let dispatcher = Dispatcher {
            jobs: jobs.clone(),
            orders,
            store,
            look,
            webhooks: None,
            clock,
            settings,
            are_run_elsewhere: false,
        };
        (jobs, dispatcher)
    }

    /// Whether it was asked in the last 90 seconds what is due, or, where other processes run
    /// connections, whether they are there.
    #[must_use]
    pub fn are_looked_for(&self) -> bool {
        self.pulse.is_felt()
    }

    /// Wakes a connection. It runs at once, or once more after the run that goes on.
    pub fn nudge(&self, workspace: WorkspaceId, connection: ConnectionId, trigger: Trigger) {
        self.nudge_after(workspace, connection, trigger, Duration::ZERO);
    }

    /// Wakes a connection after a while. What else wakes it until then is the same run: the first of
    /// many says when. Only what an app tells of clearly later gets a later run: it is not due before.
    pub fn nudge_after(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        trigger: Trigger,
        after: Duration,
    ) {
        let nudge = Nudge { workspace, connection, trigger };
        // Without a dispatcher the process is ending; the next one looks at what is due.
        let _ = self.orders.send(Order { nudge, at: Instant::now() + after });
    }
}
