//! Puts nudges into the queue, when their time is there. Until the queue has taken one it is kept: a
//! database that is locked for a while loses nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Nudge;
use super::hooks::GATHER;
use super::queue::Queue;
use crate::store::{ConnectionId, Trigger};

/// How soon a push that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A nudge, and when it is to be queued.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) nudge: Nudge,
    pub(super) at: Instant,
}

/// What waits, by connection.
type Waiting = BTreeMap<ConnectionId, Vec<Order>>;

/// Queues orders for as long as anybody can give one.
pub(super) async fn run(mut orders: mpsc::UnboundedReceiver<Order>, queue: Queue) {
    let mut waiting = Waiting::new();
    loop {
        let next = waiting.values().flatten().map(|order| order.at).min();
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

/// Two of one connection are one, at the earlier time, if what the later one is for can be done then.
fn note(waiting: &mut Waiting, order: Order) {
    let known = waiting.entry(order.nudge.connection).or_default();
    match known.iter_mut().find(|known| known.serves(order) || order.serves(**known)) {
        Some(known) => {
            *known = Order { nudge: known.nudge.or(order.nudge), at: known.at.min(order.at) };
        }
        None => known.push(order),
    }
}

impl Order {
    /// Whether a later order is done with this one. What an app told of is not yet due long before.
    fn serves(self, later: Self) -> bool {
        let is_due = later.nudge.trigger != Trigger::Webhook || later.at <= self.at + GATHER;
        self.at <= later.at && is_due
    }
}

async fn push_due(waiting: &mut Waiting, queue: &Queue) {
    let now = Instant::now();
    let is_due = |order: &Order| order.at <= now;
    let due: Vec<Nudge> =
        waiting.values().flatten().filter(|order| is_due(order)).map(|order| order.nudge).collect();
    for nudge in due {
        if let Err(error) = queue.push(nudge).await {
            eprintln!("a job is queued later: {error}");
            // Whatever keeps one from the queue keeps them all.
            for order in waiting.values_mut().flatten() {
                order.at = order.at.max(Instant::now() + AGAIN);
            }
            return;
        }
        if let Some(orders) = waiting.get_mut(&nudge.connection) {
            orders.retain(|order| order.nudge != nudge || !is_due(order));
        }
    }
    waiting.retain(|_, orders| !orders.is_empty());
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ports::{Ids as _, SeededIds};
    use crate::store::WorkspaceId;

    fn order(trigger: Trigger, at: Instant) -> Order {
        let id = SeededIds::new(1).next(Timestamp::UNIX_EPOCH);
        let nudge = Nudge { workspace: WorkspaceId(id), connection: ConnectionId(id), trigger };
        Order { nudge, at }
    }

    fn kept(orders: impl IntoIterator<Item = Order>) -> Vec<(Trigger, Instant)> {
        let mut waiting = Waiting::new();
        for order in orders {
            note(&mut waiting, order);
        }
        waiting.values().flatten().map(|order| (order.nudge.trigger, order.at)).collect()
    }

    #[test]
    fn two_of_one_connection_are_one_at_the_earlier_time_for_the_weightier_reason() {
        let now = Instant::now();
        let orders = [
            order(Trigger::Person, now + AGAIN),
            order(Trigger::Schedule, now),
            order(Trigger::Webhook, now + GATHER),
            order(Trigger::Again, now + 2 * AGAIN),
        ];
        assert_eq!(kept(orders), [(Trigger::Person, now)]);
    }

    #[test]
    fn what_an_app_told_of_later_is_looked_at_later_too() {
        let now = Instant::now();
        let (soon, late) = (now + GATHER / 2, now + 3 * GATHER);
        let told = [now, soon, late, late + GATHER].map(|at| order(Trigger::Webhook, at));
        let both = [(Trigger::Webhook, now), (Trigger::Webhook, late)];
        assert_eq!(kept(told), both);
        let asked = [order(Trigger::Webhook, late), order(Trigger::Person, now)];
        assert_eq!(kept(asked), [(Trigger::Webhook, late), (Trigger::Person, now)]);
    }
}
