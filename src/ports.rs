//! What the world gives us, as traits: time, ids and randomness. Nothing else here; who needs them is
//! given them, so that a test or the simulation can own them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC, in whole microseconds: no more than every database keeps, so that what was just
    /// written and what is read back are the same.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time comes in")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    microseconds: AtomicI64,
}

impl ManualClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self { microseconds: AtomicI64::new(time.as_microsecond()) }
    }

    /// Moves it on.
    pub fn advance(&self, by: std::time::Duration) {
        let microseconds = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst))
            .unwrap_or(Timestamp::MAX)
    }
}

/// Gives bytes that nobody can guess: for keys, nonces and tokens.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`NoEntropy`] if the machine has none to give; nothing secret may then be made.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The machine has no randomness to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the machine gives no random numbers")]
pub struct NoEntropy;

/// The randomness of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}

/// Makes ids: UUIDv7, so that they sort by age.
pub trait Ids: Send + Sync {
    /// The next one.
    fn next(&self, now: Timestamp) -> Uuid;
}

/// Ids from a seed: the same seed gives the same ids at the same times. Each is larger than the one
/// before it, also within a millisecond (RFC 9562, 6.2, method 1: a counter in the first random bits).
pub struct SeededIds(Mutex<State>);

struct State {
    rng: ChaCha12Rng,
    millis: u64,
    counter: u16,
}

/// The counter has 12 bits.
const COUNTER_MAX: u16 = 0x0fff;

impl SeededIds {
    /// Ids from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(State { rng: ChaCha12Rng::seed_from_u64(seed), millis: 0, counter: 0 }))
    }
}

impl Ids for SeededIds {
    #[expect(clippy::disallowed_methods, reason = "the one place where ids are made")]
    fn next(&self, now: Timestamp) -> Uuid {
        // A panic elsewhere does not make the numbers less random.
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        if millis > state.millis {
            (state.millis, state.counter) = (millis, 0);
        } else if state.counter == COUNTER_MAX {
            (state.millis, state.counter) = (state.millis + 1, 0);
        } else {
            state.counter += 1;
        }
        let mut random = [0; 10];
        state.rng.fill_bytes(&mut random);
        let [high, low] = state.counter.to_be_bytes();
        let [_, _, rest @ ..] = random;
        let mut bytes = [high, low, 0, 0, 0, 0, 0, 0, 0, 0];
        for (slot, byte) in bytes.iter_mut().skip(2).zip(rest) {
            *slot = byte;
        }
        uuid::Builder::from_unix_timestamp_millis(state.millis, &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_machine_shows_whole_microseconds() {
        assert!((0..100).all(|_| SystemClock.now().subsec_nanosecond() % 1_000 == 0));
    }

    #[test]
    fn ids_only_grow_even_within_a_millisecond_or_with_a_clock_set_back() {
        let ids = SeededIds::new(7);
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut all: Vec<Uuid> = (0..10_000).map(|_| ids.next(at(100))).collect();
        all.push(ids.next(at(50)));
        all.push(ids.next(at(200)));
        assert!(all.is_sorted_by(|a, b| a < b));
        assert!(all.iter().all(|id| id.get_version_num() == 7));
    }
}
