//! Faults to order, from a seed.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// What can happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrived.
    LostBefore,
    /// It was carried out, and the answer never arrived.
    LostAfter,
    /// The app refused it for coming too soon.
    RateLimited,
    /// The app does not accept the credentials.
    Unauthorised,
}

/// How often what happens, in thousandths of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// [`Fault::LostBefore`].
    pub lost_before: u32,
    /// [`Fault::LostAfter`].
    pub lost_after: u32,
    /// [`Fault::RateLimited`].
    pub rate_limited: u32,
    /// [`Fault::Unauthorised`].
    pub unauthorised: u32,
}

/// Draws faults.
pub(super) struct Dice {
    rng: ChaCha12Rng,
    faults: Faults,
}

impl Dice {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        Self { rng: ChaCha12Rng::seed_from_u64(seed), faults }
    }

    pub(super) fn stop(&mut self) {
        self.faults = Faults::default();
    }

    pub(super) fn throw(&mut self) -> Option<Fault> {
        let throw = self.rng.next_u32() % 1000;
        let Faults { lost_before, lost_after, rate_limited, unauthorised } = self.faults;
        if throw < lost_before {
            Some(Fault::LostBefore)
        } else if throw < lost_before + lost_after {
            Some(Fault::LostAfter)
        } else if throw < lost_before + lost_after + rate_limited {
            Some(Fault::RateLimited)
        } else if throw < lost_before + lost_after + rate_limited + unauthorised {
            Some(Fault::Unauthorised)
        } else {
            None
        }
    }
}
