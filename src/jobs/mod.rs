//! What runs, and when: nudges wake connections, and a sweep wakes whatever is due.
//!
//! The truth is in the store. A job in the queue says only "look at this connection, because of that";
//! one that is lost or comes twice is harmless: the sweep asks the store each second what is due, at
//! the start everything that runs is looked at, and whoever runs a connection holds its lease.
//!
//! A nudge goes to the clerk, who puts it into the queue; the worker takes it from there and rings at
//! the desk, where each connection runs once at a time; the look is the run.

mod clerk;
mod desk;
mod due;
mod hooks;
mod look;
mod nudge;
mod queue;
mod rests;
mod sweep;
mod worker;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::ports::Clock;
use crate::store::{ConnectionId, Store, Trigger, WorkspaceId};
use crate::webhooks::Webhooks;
use clerk::Order;
use desk::Desk;
use queue::Queue;
use rests::Rests;
use sweep::Sweep;

pub use look::{Look, Looker};
pub use nudge::Nudge;
pub use queue::{Error, QUEUE};

/// How long runs may take to come to a place where they can be cut off, once the process is to end.
const GRACE: Duration = Duration::from_secs(20);

/// What the dispatcher has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the store is: the queue is beside it. In a file of its own for SQLite, in a schema of its
    /// own for PostgreSQL.
    pub database_url: String,
    /// The name of this start of this process; no other start may have had it.
    pub name: String,
    /// How many connections may run at once, at least one.
    pub concurrency: usize,
}

/// The way to wake connections.
#[derive(Clone)]
pub struct Jobs {
    orders: mpsc::UnboundedSender<Order>,
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
        let jobs = Self { orders: sender };
        let dispatcher =
            Dispatcher { jobs: jobs.clone(), orders, store, look, webhooks: None, clock, settings };
        (jobs, dispatcher)
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

/// Who runs connections.
pub struct Dispatcher {
    jobs: Jobs,
    orders: mpsc::UnboundedReceiver<Order>,
    store: Arc<dyn Store>,
    look: Arc<dyn Look>,
    webhooks: Option<Arc<Webhooks>>,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl Dispatcher {
    /// Has it look into what the apps post, too. Gives it back, to be chained.
    #[must_use]
    pub fn with_webhooks(mut self, webhooks: Arc<Webhooks>) -> Self {
        self.webhooks = Some(webhooks);
        self
    }

    /// Runs connections until `stop` is there. Then no more are begun, and those that run have 20
    /// seconds to come to a place where they can be cut off.
    ///
    /// # Errors
    /// [`Error`]: the queue can't be used at the start.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let Self { jobs, orders, store, look, webhooks, clock, settings } = self;
        let queue = Queue::open(&settings.database_url).await?;
        queue.tidy().await?;
        let rests = Rests::default();
        let (calls, inbox) = mpsc::unbounded_channel();
        let (stopping, stopped) = watch::channel(false);
        let mut desk =
            Desk::new(inbox, look.clone(), jobs.clone(), rests.clone(), settings.concurrency);
        let mut asking = JoinSet::new();
        asking.spawn(clerk::run(orders, queue.clone()));
        if let Some(webhooks) = webhooks {
            asking.spawn(hooks::run(webhooks, jobs.clone()));
        }
        asking.spawn(Sweep { store, clock, jobs, rests, queue: queue.clone() }.run());
        let mut working = JoinSet::new();
        working.spawn(worker::run(queue, settings, calls, stopped));
        tokio::select! {
            () = stop => {}
            () = desk.run() => return Err(Error::Ended),
            _ = asking.join_next() => return Err(Error::Ended),
            _ = working.join_next() => return Err(Error::Ended),
        }
        asking.abort_all();
        look.stop();
        stopping.send_replace(true);
        let ending = async {
            tokio::select! {
                () = desk.run() => {}
                _ = working.join_next() => {}
            }
            desk.finish().await;
        };
        if timeout(GRACE, ending).await.is_err() {
            eprintln!(
                "runs that did not end in time are cut off; they are resumed at the next start"
            );
        }
        Ok(())
    }
}
