//! Who runs connections, or has other processes run them: the parts that have to be at work for it, from
//! the start of the process to its end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::clerk::{self, Order};
use super::desk::Desk;
use super::lane::Lane;
use super::queue::Queue;
use super::rests::Rests;
use super::sweep::Sweep;
use super::{Error, Jobs, Look, Settings, hooks, others, worker};
use crate::ports::Clock;
use crate::store::Store;
use crate::webhooks::Webhooks;

/// How long runs may take to come to a place where they can be cut off, once the process is to end.
const GRACE: Duration = Duration::from_secs(20);

/// Who runs connections.
pub struct Dispatcher {
    pub(super) jobs: Jobs,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) store: Arc<dyn Store>,
    pub(super) look: Arc<dyn Look>,
    pub(super) webhooks: Option<Arc<Webhooks>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    pub(super) are_run_elsewhere: bool,
}

impl Dispatcher {
    /// Has it run nothing itself: what wakes connections is put into the queue, from which other
    /// processes take it. Gives it back, to be chained.
    #[must_use]
    pub fn without_runs(mut self) -> Self {
        self.are_run_elsewhere = true;
        self
    }

    /// Has it look into what the apps post, too. Gives it back, to be chained.
    #[must_use]
    pub fn with_webhooks(mut self, webhooks: Arc<Webhooks>) -> Self {
        self.webhooks = Some(webhooks);
        self
    }

    /// Runs connections, or has others run them, until `stop` is there. Then no more are begun, and
    /// those that run have 20 seconds to come to a place where they can be cut off.
    ///
    /// # Errors
    /// [`Error`]: the queue can't be used at the start.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let Self { jobs, orders, store, look, webhooks, clock, settings, are_run_elsewhere } = self;
        let queue = Queue::open(&settings).await?;
        let mut asking = JoinSet::new();
        asking.spawn(clerk::run(orders, queue.clone()));
        if let Some(webhooks) = webhooks {
            asking.spawn(hooks::run(webhooks, jobs.clone()));
        }
        let again_after = settings.again_after;
        if are_run_elsewhere {
            asking.spawn(others::run(queue, jobs.pulse, again_after));
            return tokio::select! {
                () = stop => Ok(()),
                _ = asking.join_next() => Err(Error::Ended),
            };
        }
        queue.tidy().await?;
        let rests = Rests::default();
        let (calls, inbox) = mpsc::unbounded_channel();
        let (stopping, stopped) = watch::channel(false);
        let mut desk = Desk::new(inbox, look.clone(), jobs.clone(), rests.clone(), &settings);
        let sweep = Sweep { store, clock, jobs, rests, queue: queue.clone(), again_after };
        asking.spawn(sweep.run());
        let mut working = JoinSet::new();
        for lane in Lane::ALL {
            let (queue, settings) = (queue.clone(), settings.clone());
            working.spawn(worker::run(queue, lane, settings, calls.clone(), stopped.clone()));
        }
        drop(calls);
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
                () = async { while working.join_next().await.is_some() {} } => {}
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
