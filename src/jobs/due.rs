//! When a connection is due, by what the store says.

use std::time::Duration;

use jiff::Timestamp;

use super::look::AGAIN;
use crate::store::{self, Connection, RunRow, RunState, Store};

/// How often a connection is looked at when nothing else wakes it.
pub(super) fn every(connection: &Connection) -> Duration {
    Duration::from_secs(u64::from(connection.settings.every_minutes.max(1)) * 60)
}

/// When a connection is due to be run; none if it is not running. A time that is past means now.
///
/// # Errors
/// The store can't be read.
pub(super) async fn due(
    store: &dyn Store,
    connection: &Connection,
    now: Timestamp,
) -> store::Result<Option<Timestamp>> {
    if !connection.is_running() {
        return Ok(None);
    }
    if connection.again {
        return Ok(Some(now));
    }
    let every = every(connection);
    let last = store.runs(connection.workspace, connection.id, 1).await?.pop();
    let scheduled = match last {
        None => now,
        Some(RunRow { state: RunState::Failed, ended_at: Some(at), .. }) => {
            return Ok(Some(after(at, AGAIN.min(every))));
        }
        Some(RunRow { ended_at: Some(at), .. }) => after(at, every),
        // It goes on elsewhere, or was cut off: whoever starts anew looks at it at once.
        Some(RunRow { started_at, .. }) => after(started_at, every),
    };
    let waiting = store.next_due(connection.workspace, connection.id).await?;
    Ok(Some(waiting.map_or(scheduled, |at| at.min(scheduled))))
}

fn after(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// How long it is until then.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}
