//! Executing in a task of its own: it is cut off with whoever waits for it, unless that is forbidden.

use tokio::task::{AbortHandle, JoinError};

use crate::idempotency::Cancellation;

/// Cuts a task off when it is dropped, if that may be.
struct Guard {
    task: AbortHandle,
    cancellation: Cancellation,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.cancellation.cut_off() {
            self.task.abort();
        }
    }
}

/// Does this work, and waits for it.
///
/// # Errors
/// [`JoinError`] if it panicked.
#[expect(
    clippy::disallowed_methods,
    reason = "what was claimed must go on to its end although nobody waits for it any more"
)]
pub(super) async fn run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    cancellation: Cancellation,
) -> Result<T, JoinError> {
    let task = tokio::spawn(work);
    let _guard = Guard { task: task.abort_handle(), cancellation };
    task.await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// Whether work that waits still goes on once nobody waits for it.
    async fn goes_on(is_forbidden: bool) -> bool {
        let (open, gate) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let cancellation = Cancellation::default();
        let own = cancellation.clone();
        let work = async move {
            let _ = !is_forbidden || own.forbid();
            let _ = gate.await;
            let _ = tell.send(());
        };
        assert!(timeout(Duration::from_millis(10), run(work, cancellation)).await.is_err());
        let _ = open.send(());
        told.await.is_ok()
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_cut_off_unless_it_must_go_on() {
        assert!(goes_on(true).await);
        assert!(!goes_on(false).await);
    }

    #[tokio::test]
    async fn what_is_waited_for_is_given() {
        assert_eq!(run(async { 7 }, Cancellation::default()).await.ok(), Some(7));
    }
}
