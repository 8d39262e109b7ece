//! What was asked over a line, until somebody writes it down.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What an answer says of the credits that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// So many.
    Told(u64),
    /// Enough that it does not tell how many.
    Enough,
}

/// What was asked, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Requests that were sent.
    pub calls: u64,
    /// Answers that asked for a pause.
    pub pauses: u64,
    /// How long answers were waited for that came.
    pub took: Duration,
    /// What the requests cost, where the server counts credits.
    pub credits: u64,
    /// What was said last of the credits that are left, if anything was.
    pub left: Option<Left>,
}

/// Counts what is asked.
#[derive(Default)]
pub struct Meter {
    metered: Mutex<Metered>,
    /// How many wait for an answer, or for their turn.
    open: AtomicU64,
}

/// Somebody waits for an answer, or for the turn to ask.
pub struct Open<'a>(&'a Meter);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Meter {
    /// Something is about to be asked: until what is given is dropped, more may be counted.
    #[must_use]
    pub fn open(&self) -> Open<'_> {
        self.open.fetch_add(1, Ordering::SeqCst);
        Open(self)
    }

    /// Whether anything is being asked.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
    }

    /// A request was sent; its answer was waited for so long, if one came.
    pub fn sent(&self, took: Option<Duration>) {
        let mut metered = self.lock();
        metered.calls += 1;
        metered.took += took.unwrap_or_default();
    }

    /// An answer asked for a pause.
    pub fn paused(&self) {
        self.lock().pauses += 1;
    }

    /// A request cost this much.
    pub fn spent(&self, credits: u64) {
        self.lock().credits += credits;
    }

    /// An answer has said what is left.
    pub fn told(&self, left: Left) {
        self.lock().left = Some(left);
    }

    /// What was counted since it was taken last, if anything was.
    pub fn take(&self) -> Option<Metered> {
        let taken = std::mem::take(&mut *self.lock());
        (taken != Metered::default()).then_some(taken)
    }

    /// Counts again what was taken and could not be written down.
    pub fn give_back(&self, taken: &Metered) {
        let mut metered = self.lock();
        metered.calls += taken.calls;
        metered.pauses += taken.pauses;
        metered.took += taken.took;
        metered.credits += taken.credits;
        // What was said since is newer.
        metered.left = metered.left.or(taken.left);
    }

    /// What a panicking thread left behind are numbers as good as before.
    fn lock(&self) -> MutexGuard<'_, Metered> {
        self.metered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_counted_twice_or_lost() {
        let meter = Meter::default();
        assert_eq!(meter.take(), None);
        let second = Duration::from_secs(1);
        meter.sent(Some(second));
        meter.spent(5);
        meter.told(Left::Told(7));
        let taken = meter.take().unwrap();
        let one =
            Metered { calls: 1, pauses: 0, took: second, credits: 5, left: Some(Left::Told(7)) };
        assert_eq!(taken, one);
        assert_eq!(meter.take(), None, "it was taken");
        meter.sent(None);
        meter.paused();
        meter.give_back(&taken);
        let both = Metered { calls: 2, pauses: 1, ..one };
        assert_eq!(meter.take(), Some(both));
        meter.sent(Some(second));
        assert_eq!(meter.take().unwrap().left, None, "nothing was said since");
        meter.told(Left::Enough);
        meter.give_back(&taken);
        assert_eq!(meter.take().unwrap().left, Some(Left::Enough), "what was said last");
        meter.spent(1);
        assert_eq!(meter.take().unwrap().credits, 1, "between a request and what it cost");
    }

    #[test]
    fn it_is_open_as_long_as_anything_is_being_asked() {
        let meter = Meter::default();
        let (one, other) = (meter.open(), meter.open());
        drop(one);
        assert!(meter.is_open());
        drop(other);
        assert!(!meter.is_open());
    }
}
