//! What was asked over a line, until somebody writes it down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What was asked, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Requests that were sent.
    pub calls: u64,
    /// Answers that asked for a pause.
    pub pauses: u64,
    /// How long answers were waited for.
    pub took: Duration,
    /// What the requests cost, where the server counts credits.
    pub credits: u64,
    /// The credits that were left at the last answer, if it told.
    pub left: Option<u64>,
}

/// Counts what is asked.
#[derive(Default)]
pub struct Meter(Mutex<Metered>);

impl Meter {
    /// A request was sent, and its answer, or that there is none, was waited for so long.
    pub fn sent(&self, took: Duration) {
        let mut metered = self.lock();
        metered.calls += 1;
        metered.took += took;
    }

    /// An answer asked for a pause.
    pub fn paused(&self) {
        self.lock().pauses += 1;
    }

    /// A request cost this much.
    pub fn spent(&self, credits: u64) {
        self.lock().credits += credits;
    }

    /// So much was left at an answer; none if it did not tell.
    pub fn told(&self, left: Option<u64>) {
        self.lock().left = left;
    }

    /// What was counted since it was taken last, if anything was. What was told last stays told.
    pub fn take(&self) -> Option<Metered> {
        let mut metered = self.lock();
        let left = metered.left;
        let taken = std::mem::replace(&mut *metered, Metered { left, ..Metered::default() });
        (taken.calls > 0).then_some(taken)
    }

    /// Counts again what was taken and could not be written down.
    pub fn give_back(&self, taken: &Metered) {
        let mut metered = self.lock();
        metered.calls += taken.calls;
        metered.pauses += taken.pauses;
        metered.took += taken.took;
        metered.credits += taken.credits;
    }

    /// What a panicking thread left behind are numbers as good as before.
    fn lock(&self) -> MutexGuard<'_, Metered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        meter.sent(second);
        meter.spent(5);
        meter.told(Some(7));
        let taken = meter.take().unwrap();
        let one = Metered { calls: 1, pauses: 0, took: second, credits: 5, left: Some(7) };
        assert_eq!(taken, one);
        assert_eq!(meter.take(), None, "it was taken");
        meter.sent(second);
        meter.paused();
        meter.give_back(&taken);
        let both = Metered { calls: 2, pauses: 1, took: 2 * second, credits: 5, left: Some(7) };
        assert_eq!(meter.take(), Some(both));
        meter.told(None);
        meter.sent(second);
        assert_eq!(meter.take().unwrap().left, None, "the last answer did not tell");
    }
}
