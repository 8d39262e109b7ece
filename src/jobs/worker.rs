//! Takes the jobs of a lane from the queue and rings them in at the desk.
//!
//! The worker of apalis ends at any error of the database, so it is started anew, under a new name:
//! under the old one it would be refused for a while. It takes one job at a time: with more, it sends
//! no sign of life while they wait. A job never fails, whatever becomes of it: a failed one would be
//! taken again at once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use apalis::prelude::{
    BackendExt as _, Data, Strategy, WorkerBuilder, WorkerBuilderExt as _, WorkerContext,
    WorkerError,
};
use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::desk::Call;
use super::lane::Lane;
use super::queue::{Queue, Storage};
use super::{Nudge, Settings};

/// How often the queue is asked, if the bell does not ring: another process may have put something in.
const POLL: Duration = Duration::from_secs(1);
/// How soon a worker that ended is started anew.
const AGAIN: Duration = Duration::from_secs(1);

type Calls = mpsc::UnboundedSender<Call>;
type Working = Pin<Box<dyn Future<Output = Result<(), WorkerError>> + Send>>;

/// Takes the jobs of a lane until it is stopped; then waits for those that it took.
pub(super) async fn run(
    queue: Queue,
    lane: Lane,
    settings: Settings,
    calls: Calls,
    mut stop: watch::Receiver<bool>,
) {
    for start in 0_u64.. {
        let context = WorkerContext::new(&format!("{}-{lane:?}-{start}", settings.name));
        let mut working = work(&queue, lane, context.clone(), settings.concurrency, calls.clone());
        let ended = tokio::select! {
            // First, so that it is there when it is stopped.
            biased;
            ended = &mut working => ended,
            () = stopped(&mut stop) => {
                if context.stop().is_ok() {
                    let _ = working.await;
                }
                return;
            }
        };
        if let Err(error) = ended {
            eprintln!("the queue's worker ended and is started anew: {error}");
        }
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

/// Waits for the end. If whoever would tell of it is gone, that is the end too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

fn work(
    queue: &Queue,
    lane: Lane,
    context: WorkerContext,
    concurrency: usize,
    calls: Calls,
) -> Working {
    let strategy = Strategy::new().apply(queue.bell(lane)).interval(POLL);
    let builder = WorkerBuilder::new(context);
    match queue.storage(lane) {
        Storage::Sqlite(storage) => {
            let builder = builder.backend(storage.poll_with_strategy(strategy));
            Box::pin(builder.concurrency(concurrency).data(calls).build(ring).run())
        }
        Storage::Postgres(storage) => {
            let builder = builder.backend(storage.poll_with_strategy(strategy));
            Box::pin(builder.concurrency(concurrency).data(calls).build(ring).run())
        }
    }
}

/// Rings a job in, and waits until it is done.
async fn ring(job: Json, calls: Data<Calls>) {
    // A job that can't be decoded ends a worker; so it is only looked into here.
    let Ok(nudge) = serde_json::from_value::<Nudge>(job) else {
        eprintln!("a job of another version was dropped");
        return;
    };
    let (done, is_done) = oneshot::channel();
    if calls.send(Call { nudge, done }).is_ok() {
        let _ = is_done.await;
    }
}
