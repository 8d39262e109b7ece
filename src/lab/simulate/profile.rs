//! How rough a seed is played.

use crate::connectors::memory::Faults;

/// What a seed is played with.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Steps before it becomes quiet.
    pub steps: u32,
    /// What happens to requests, in thousandths.
    pub faults: Faults,
    /// How many runs in a hundred are cut off at some point.
    pub crashes: u32,
    /// How many runs in a hundred stall until another worker takes over, and then go on.
    pub stalls: u32,
    /// How many runs in a hundred are woken by a notification, and read what was told.
    pub told: u32,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            steps: 60,
            faults: Faults { lost_before: 30, lost_after: 40, rate_limited: 20, unauthorised: 0 },
            crashes: 20,
            stalls: 10,
            told: 40,
        }
    }
}
