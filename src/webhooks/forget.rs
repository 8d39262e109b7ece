//! Forgetting what came: it holds people's data.

use std::time::Duration;

use super::{Error, Webhooks};

/// How long what was looked into is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many are forgotten at once.
const AT_ONCE: u64 = 1000;

impl Webhooks {
    /// Forgets the notifications that were looked into and came last 30 days ago or earlier. What waits
    /// for a person stays.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn forget_old(&self) -> Result<(), Error> {
        let Ok(before) = self.clock.now().checked_sub(KEPT) else { return Ok(()) };
        while self.store.forget_deliveries(before, AT_ONCE).await? >= AT_ONCE {}
        Ok(())
    }
}
