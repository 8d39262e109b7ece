//! What calls cost.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// The credits spent in the last 24 hours.
#[derive(Default)]
pub(super) struct Credits {
    spent: VecDeque<(Timestamp, u64)>,
}

impl Credits {
    pub(super) fn used(&self, now: Timestamp) -> u64 {
        self.spent.iter().filter(|(at, _)| *at + WINDOW > now).map(|(_, cost)| cost).sum()
    }

    pub(super) fn spend(&mut self, cost: u64, now: Timestamp) {
        self.spent.retain(|(at, _)| *at + WINDOW > now);
        self.spent.push_back((now, cost));
    }
}

/// One credit for each so many.
pub(super) fn per(step: u64, count: u64) -> u64 {
    count.div_ceil(step).max(1)
}
