//! What goes on when nobody waits for it any more.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Result;
use crate::connectors::{Error, ErrorKind};

/// Tasks that outlive those who began them; a clone is the same.
#[derive(Clone, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    ending: CancellationToken,
}

impl Tasks {
    /// Does it to its end, though nobody wait for it any more.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let cut_off = |_| Error::new(ErrorKind::Unavailable, "authorize", "cut_off").into();
        self.tracker.spawn(work).await.unwrap_or_else(|error| Err(cut_off(error)))
    }

    /// Does it by itself.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// The process is to end: there is nothing to wait for any more.
    pub(super) async fn ending(&self) {
        self.ending.cancelled().await;
    }

    /// Waits until all are at their end.
    pub(super) async fn ended(&self) {
        self.ending.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
