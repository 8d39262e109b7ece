//! The pace at which an account may be asked: so many requests a second, so many at once, and none at
//! all for as long as the app asked for a pause. Shared by all who speak to the account.
//!
//! Written here because the limiters that exist keep their own clocks: this one keeps tokio's, which
//! tests can hold and move.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// How fast an account may be asked.
pub struct Pace {
    distance: Duration,
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: Option<Instant>,
    resting: Option<Instant>,
}

/// For how long a pause still lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest(pub Duration);

/// A pause that is no longer than this is waited for; a longer one is said to the caller.
const PATIENCE: Duration = Duration::from_secs(30);

impl Pace {
    /// This many requests a second, evenly spaced, and this many at once.
    #[must_use]
    pub fn new(per_second: u32, at_once: usize) -> Self {
        Self {
            distance: Duration::from_secs(1) / per_second.max(1),
            slots: Semaphore::new(at_once.max(1)),
            state: Mutex::default(),
        }
    }

    /// Waits until a request may be sent, first come first served. The turn lasts as long as what is
    /// given back is kept.
    ///
    /// # Errors
    /// [`Rest`] if the app asked for a pause that is too long to be waited for.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, Rest> {
        let Ok(slot) = self.slots.acquire().await else { return Err(Rest(PATIENCE)) };
        loop {
            let mut state = self.state.lock().await;
            let now = Instant::now();
            let resting = state.resting.map(|until| until.saturating_duration_since(now));
            if let Some(rest) = resting.filter(|rest| !rest.is_zero()) {
                if rest > PATIENCE {
                    return Err(Rest(rest));
                }
                drop(state);
                tokio::time::sleep(rest).await;
                continue;
            }
            let at = state.next.unwrap_or(now).max(now);
            state.next = Some(at + self.distance);
            drop(state);
            tokio::time::sleep_until(at).await;
            return Ok(slot);
        }
    }

    /// Nobody asks before this much has passed: the app said so.
    pub async fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.state.lock().await;
        state.resting = Some(state.resting.map_or(until, |known| known.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_requests_than_allowed() {
        let pace = Pace::new(6, 1);
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..30 {
            let _turn = pace.turn().await.unwrap();
            times.push(start.elapsed());
        }
        for (at, time) in times.iter().enumerate() {
            let within = times.iter().skip(at).filter(|t| **t < *time + Duration::from_secs(1));
            assert!(within.count() <= 6);
        }
        assert!(times.last().unwrap() < &Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_asks_during_a_pause_and_a_long_one_is_said() {
        let pace = Pace::new(100, 1);
        pace.rest(Duration::from_secs(20)).await;
        let start = Instant::now();
        drop(pace.turn().await.unwrap());
        assert!(start.elapsed() >= Duration::from_secs(20));
        pace.rest(Duration::from_secs(300)).await;
        let Rest(left) = pace.turn().await.err().unwrap();
        assert!(left > Duration::from_secs(299));
    }
}
