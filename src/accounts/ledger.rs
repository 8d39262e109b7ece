//! What an account is asked, written down hour by hour: soon after it is asked, and not each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::tasks::Tasks;
use super::vault::Of;
use crate::net::{Left, Line};
use crate::ports::Clock;
use crate::store::{self, Store, ToldLeft, UsageHour};

/// How soon it is written down.
const AFTER: Duration = Duration::from_secs(5);
/// How long it is kept.
const KEPT: Duration = Duration::from_secs(35 * 24 * 60 * 60);
const HOUR_SECONDS: i64 = 60 * 60;

/// Writes down what is asked of an account over a line.
pub(super) struct Ledger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    of: Of,
    line: Line,
    tasks: Tasks,
    /// Whether somebody waits to write.
    is_awaited: AtomicBool,
}

impl Ledger {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        of: Of,
        line: Line,
        tasks: Tasks,
    ) -> Self {
        Self { store, clock, of, line, tasks, is_awaited: AtomicBool::new(false) }
    }

    /// Something is about to be asked: it will be written down.
    pub(super) fn note_soon(self: &Arc<Self>) {
        if self.is_awaited.swap(true, Ordering::SeqCst) {
            return;
        }
        let ledger = self.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(AFTER) => {}
                    () = ledger.tasks.ending() => return,
                }
                // First: what is asked after the count is written down by another.
                ledger.is_awaited.store(false, Ordering::SeqCst);
                let is_asked = ledger.note().await || ledger.line.meter().is_open();
                if !is_asked || ledger.is_awaited.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
        });
    }

    /// Writes down what was asked since this was done last. Tells whether anything was. What can't be
    /// written now is written with what is asked next.
    pub(super) async fn note(&self) -> bool {
        let Some(asked) = self.line.meter().take() else { return false };
        let now = self.clock.now();
        let more = UsageHour {
            began_at: hour_of(now),
            calls: asked.calls,
            pauses: asked.pauses,
            took: asked.took,
            credits: asked.credits,
            told: asked.left.map(|left| ToldLeft {
                at: now,
                left: match left {
                    Left::Told(left) => Some(left),
                    Left::Enough => None,
                },
            }),
        };
        let (workspace, account) = self.of;
        let forget = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        match self.store.add_usage(workspace, account, &more, forget).await {
            // The account is gone: nobody asks how much it was asked.
            Ok(()) | Err(store::Error::NotFound(_)) => {}
            Err(_) => self.line.meter().give_back(&asked),
        }
        true
    }
}

/// The hour of a time.
fn hour_of(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    let began_at = second - second.rem_euclid(HOUR_SECONDS);
    Timestamp::from_second(began_at).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_begin_when_they_begin() {
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        assert_eq!(hour_of(at("2026-11-23T08:59:59.9Z")), at("2026-11-23T08:00:00Z"));
        assert_eq!(hour_of(at("2026-11-23T08:00:00Z")), at("2026-11-23T08:00:00Z"));
        assert_eq!(hour_of(at("1969-12-31T23:59:59Z")), at("1969-12-31T23:00:00Z"));
    }
}
