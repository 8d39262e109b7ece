//! Holding on to the lease while a run goes on: a call to an app may be many requests, and longer than
//! the lease.

use super::Runner;
use crate::store::Held;

impl Runner {
    /// Renews the lease for as long as it is waited for. Ends when the lease is lost.
    pub(super) async fn hold_on(&self, held: &Held) {
        let Some(every) = self.timings.renew else { return std::future::pending().await };
        loop {
            tokio::time::sleep(every).await;
            if matches!(self.store.renew(held, self.timings.lease).await, Ok(false)) {
                return;
            }
        }
    }
}
