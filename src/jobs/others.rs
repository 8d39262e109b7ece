//! Whether anybody runs connections, where this process does not: what is asked for would wait, and
//! nobody would know why.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use super::faults::Faults;
use super::pulse::Pulse;
use super::queue::Queue;

/// What is told while nobody does.
const NOBODY: &str = "no worker gives a sign of life: until one is started, with `concord work` and the same database, \
                      nothing runs";

/// Looks for the others for as long as it is waited for. Each look at the queue that succeeds is a beat,
/// whether somebody is there or not: this process does what it has to.
pub(super) async fn run(queue: Queue, pulse: Pulse, every: Duration) {
    let mut faults = Faults::default();
    let mut is_first = true;
    loop {
        let looked = queue.is_worked_at().await;
        if looked.is_ok() {
            pulse.beat();
        }
        faults.tell(match looked {
            // The others may be starting, too.
            Ok(is_there) if is_there || is_first => BTreeSet::new(),
            Ok(_) => [NOBODY.to_owned()].into(),
            Err(error) => [format!("whether a worker is there can't be read: {error}")].into(),
        });
        is_first = false;
        sleep(every).await;
    }
}
