//! Whether what is due is still being looked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After how long without a beat something is wrong.
const MISSED: Duration = Duration::from_secs(90);

/// When it was last asked with success what is due; nothing until the first time.
#[derive(Clone, Default)]
pub(super) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    pub(super) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn is_felt(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < MISSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pulse_is_felt_as_long_as_it_beats() {
        let pulse = Pulse::default();
        assert!(!pulse.is_felt(), "nothing was looked for yet");
        pulse.beat();
        for _ in 0..3 {
            tokio::time::advance(MISSED - Duration::from_secs(1)).await;
            assert!(pulse.is_felt());
            pulse.beat();
        }
        tokio::time::advance(MISSED).await;
        assert!(!pulse.is_felt());
        pulse.beat();
        assert!(pulse.is_felt(), "it is well again");
    }
}
