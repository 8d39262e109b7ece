//! Whether a request that nobody waits for any more may be cut off.

use std::sync::{Arc, OnceLock};

/// Whether a request may be cut off once nobody waits for its answer: until it is claimed. Whoever
/// decides first, has decided.
#[derive(Clone, Default)]
pub struct Cancellation(Arc<OnceLock<Fate>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It goes on to its end.
    GoesOn,
    /// It is cut off.
    CutOff,
}

impl Cancellation {
    /// From now on the request goes on to its end. False if it was cut off before.
    #[must_use]
    pub fn forbid(&self) -> bool {
        self.decide(Fate::GoesOn)
    }

    /// From now on the request is cut off. False if it must go on.
    #[must_use]
    pub fn cut_off(&self) -> bool {
        self.decide(Fate::CutOff)
    }

    /// Whether this is what becomes of it.
    fn decide(&self, wanted: Fate) -> bool {
        *self.0.get_or_init(|| wanted) == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_decides_first_has_decided() {
        let claimed = Cancellation::default();
        assert!(claimed.forbid());
        assert!(!claimed.clone().cut_off());
        assert!(claimed.forbid());
        let left = Cancellation::default();
        assert!(left.clone().cut_off());
        assert!(!left.forbid());
    }
}
