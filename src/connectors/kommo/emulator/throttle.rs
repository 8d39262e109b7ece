//! How many requests are answered.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

#[derive(Default)]
pub(super) struct Throttle {
    passed: VecDeque<Timestamp>,
    refused_in_a_row: u32,
    blocked_until: Option<Timestamp>,
}

pub(super) enum Verdict {
    Pass,
    TooMany,
    Blocked,
}

const WINDOW: Duration = Duration::from_secs(1);
/// Who is refused this often in a row, and comes again, is blocked.
const PATIENCE: u32 = 50;
const BLOCK: Duration = Duration::from_secs(10);

impl Throttle {
    pub(super) fn judge(&mut self, now: Timestamp, per_second: Option<u32>) -> Verdict {
        let Some(limit) = per_second else { return Verdict::Pass };
        if self.blocked_until.is_some_and(|until| now < until) {
            return Verdict::Blocked;
        }
        self.blocked_until = None;
        while self.passed.front().is_some_and(|first| *first + WINDOW <= now) {
            self.passed.pop_front();
        }
        if self.passed.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            self.passed.push_back(now);
            self.refused_in_a_row = 0;
            return Verdict::Pass;
        }
        self.refused_in_a_row += 1;
        if self.refused_in_a_row > PATIENCE {
            self.refused_in_a_row = 0;
            self.blocked_until = Some(now + BLOCK);
            return Verdict::Blocked;
        }
        Verdict::TooMany
    }
}
