//! What calls to an app cost.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// So many requests, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toll {
    /// Requests.
    pub calls: u64,
    /// What they cost, where the app counts credits; else none.
    pub credits: u64,
}

impl Toll {
    /// Calls to an app that counts no credits.
    #[must_use]
    pub fn of_calls(calls: u64) -> Self {
        Self { calls, credits: 0 }
    }

    /// One call that costs so many credits.
    #[must_use]
    pub fn of_call(credits: u64) -> Self {
        Self { calls: 1, credits }
    }
}

impl Add for Toll {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { calls: self.calls + other.calls, credits: self.credits + other.credits }
    }
}

impl AddAssign for Toll {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Toll {
    fn sum<I: Iterator<Item = Self>>(tolls: I) -> Self {
        tolls.fold(Self::default(), Add::add)
    }
}
