//! Puts nudges into the queue, when their time is there. Until the queue has taken one it is kept: a
//! database that is locked for a while loses nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Nudge;
use super::lane::Lane;
use super::queue::Queue;
use crate::store::ConnectionId;

/// How soon a push that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A nudge, and when it is to be queued.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) nudge: Nudge,
    pub(super) at: Instant,
}

/// What is not queued yet, one for each connection and lane.
type Waiting = BTreeMap<(ConnectionId, Lane), Order>;

/// Queues orders for as long as anybody can give one.
pub(super) async fn run(mut orders: mpsc::UnboundedReceiver<Order>, queue: Queue) {
    let mut waiting = Waiting::new();
    loop {
        let next = waiting.values().map(|order: &Order| order.at).min();
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => note(&mut waiting, order),
                None => return,
            },
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                push_due(&mut waiting, &queue).await;
            }
        }
    }
}

/// Two of one connection in one lane are one, at the earlier time.
fn note(waiting: &mut Waiting, order: Order) {
    let known = waiting.entry(order.nudge.place()).or_insert(order);
    *known = Order { nudge: known.nudge.or(order.nudge), at: known.at.min(order.at) };
}

async fn push_due(waiting: &mut Waiting, queue: &Queue) {
    let now = Instant::now();
    let due: Vec<Nudge> =
        waiting.values().filter(|order| order.at <= now).map(|order| order.nudge).collect();
    for nudge in due {
        if let Err(error) = queue.push(nudge).await {
            eprintln!("a job is queued later: {error}");
            // Whatever keeps one from the queue keeps them all.
            for order in waiting.values_mut() {
                order.at = order.at.max(Instant::now() + AGAIN);
            }
            return;
        }
        waiting.remove(&nudge.place());
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ports::{Ids as _, SeededIds};
    use crate::store::{Trigger, WorkspaceId};

    fn order(trigger: Trigger, at: Instant) -> Order {
        let id = SeededIds::new(1).next(Timestamp::UNIX_EPOCH);
        let nudge = Nudge { workspace: WorkspaceId(id), connection: ConnectionId(id), trigger };
        Order { nudge, at }
    }

    #[test]
    fn two_of_one_connection_and_lane_are_one_at_the_earlier_time_for_the_weightier_reason() {
        let now = Instant::now();
        let mut waiting = Waiting::new();
        note(&mut waiting, order(Trigger::Person, now + AGAIN));
        note(&mut waiting, order(Trigger::Schedule, now));
        note(&mut waiting, order(Trigger::Webhook, now + 2 * AGAIN));
        note(&mut waiting, order(Trigger::Webhook, now + AGAIN));
        let kept: Vec<(Trigger, Instant)> =
            waiting.values().map(|order| (order.nudge.trigger, order.at)).collect();
        assert_eq!(kept, [(Trigger::Person, now), (Trigger::Webhook, now + AGAIN)]);
    }
}
