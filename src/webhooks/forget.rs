//! Forgetting what came: it holds people's data.

use std::time::Duration;

use super::{Error, Webhooks};
use crate::store::DeliveryState;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long what was looked into is kept, and what waits for a person in vain.
const KEPT: [(DeliveryState, u32); 2] =
    [(DeliveryState::Expanded, 30), (DeliveryState::Parked, 90)];
/// How many are forgotten at once.
const AT_ONCE: u64 = 1000;

impl Webhooks {
    /// Forgets the notifications that were looked into and came last 30 days ago or earlier, and those
    /// that wait for a person and came last 90 days ago or earlier.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn forget_old(&self) -> Result<(), Error> {
        for (state, days) in KEPT {
            let Ok(before) = self.clock.now().checked_sub(days * DAY) else { return Ok(()) };
            while self.store.forget_deliveries(state, before, AT_ONCE).await? >= AT_ONCE {}
        }
        Ok(())
    }
}
