//! Seats for looks: so many may be at work at once. One that does nothing but wait, because its app is slow,
//! is away or has asked for a pause, leaves its seat to another and goes on without one: it needs no more
//! than the memory that it holds.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

/// How long a look may do nothing before another gets its seat. Longer than an app takes to answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many looks may wait without a seat, for each seat.
const WAITING: usize = 16;

/// The seats of a lane.
#[derive(Clone)]
pub(super) struct Seats {
    seats: Arc<Semaphore>,
    benches: Arc<Semaphore>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        let of = |places| Arc::new(Semaphore::new(places));
        Self { seats: of(count), benches: of(count.saturating_mul(WAITING)) }
    }

    /// Looks, once there is a seat. What comes with the look is dropped as soon as it leaves its seat.
    pub(super) async fn sit<T>(&self, with: impl Send, look: impl Future<Output = T> + Send) -> T {
        let seat = self.seats.acquire().await;
        let mut held = Some((seat, with));
        let mut bench = None;
        let polls = AtomicU64::new(0);
        let mut look = pin!(look);
        let mut look = pin!(poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            look.as_mut().poll(cx)
        }));
        while held.is_some() {
            let before = polls.load(Ordering::Relaxed);
            tokio::select! {
                biased;
                done = &mut look => return done,
                () = sleep(PATIENCE) => {}
            }
            // It was asked twice how far it is, now and before it slept: nothing else has woken it.
            if polls.load(Ordering::Relaxed) - before <= 2 {
                bench = bench.or_else(|| self.benches.try_acquire().ok());
                held = held.filter(|_| bench.is_none());
            }
        }
        look.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::sync::Notify;
    use tokio::time::{Instant, advance};

    use super::*;

    /// Works for so long.
    async fn work(time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_works_keeps_the_seat_and_who_waits_leaves_it() {
        let seats = Seats::new(1);
        let long = Duration::from_secs(20);
        let begun = Instant::now();
        let working = seats.sit((), work(long));
        let next = async { seats.sit((), async { begun.elapsed() }).await };
        let ((), began) = tokio::join!(working, next);
        assert!(began >= long, "{began:?}");
        let begun = Instant::now();
        let waiting = seats.sit((), sleep(long));
        let next = async { seats.sit((), async { begun.elapsed() }).await };
        let ((), began) = tokio::join!(waiting, next);
        assert!(began < 3 * PATIENCE, "{began:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_with_a_look_goes_with_its_seat() {
        struct Told<'a>(&'a AtomicBool);
        impl Drop for Told<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let (seats, is_gone, go_on) = (Seats::new(1), AtomicBool::new(false), Notify::new());
        let look = seats.sit(Told(&is_gone), async {
            work(3 * PATIENCE).await;
            assert!(!is_gone.load(Ordering::SeqCst), "it works");
            go_on.notified().await;
            7
        });
        let other = async {
            advance(7 * PATIENCE).await;
            seats.sit((), async {}).await;
            assert!(is_gone.load(Ordering::SeqCst), "it has waited");
            go_on.notify_one();
        };
        assert_eq!(tokio::join!(look, other).0, 7);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_wait_than_may() {
        let (seats, go_on) = (Seats::new(1), Notify::new());
        let waiting = (0..=WAITING).map(|_| seats.sit((), go_on.notified()));
        let waiting = futures_util::future::join_all(waiting);
        let one_more = async {
            sleep(100 * PATIENCE).await;
            let begun = Instant::now();
            let next = seats.sit((), async { begun.elapsed() });
            let after = 10 * PATIENCE;
            let (began, ()) = tokio::join!(next, async {
                sleep(after).await;
                go_on.notify_waiters();
            });
            assert!(began >= after, "{began:?}");
        };
        tokio::join!(waiting, one_more);
    }
}
