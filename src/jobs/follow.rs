//! Following a run, in whatever process it goes on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;

use crate::store::{self, RunId, RunRow, RunState, Store, WorkspaceId};

/// How often a run is looked at while somebody follows it.
const LOOK: Duration = Duration::from_secs(1);

/// A run: at once as it is, then whenever it has come further, looked at each second, and as it was when it
/// ended.
///
/// # Errors
/// Of the store; the run is looked at again after one, if anybody still wants to know.
pub fn follow(
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    id: RunId,
) -> impl Stream<Item = store::Result<RunRow>> {
    unfold(Follower { store, workspace, id, begun: false, told: None }, Follower::next)
}

/// Somebody who follows a run.
struct Follower {
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    id: RunId,
    /// Whether it was looked at before.
    begun: bool,
    /// The run as they were told of it last.
    told: Option<RunRow>,
}

impl Follower {
    /// Waits until there is something new to tell; nothing is, once it has ended.
    async fn next(mut self) -> Option<(store::Result<RunRow>, Self)> {
        loop {
            if self.told.as_ref().is_some_and(|told| told.state != RunState::Running) {
                return None;
            }
            if std::mem::replace(&mut self.begun, true) {
                tokio::time::sleep(LOOK).await;
            }
            let run = match self.store.run(self.workspace, self.id).await {
                Ok(run) => run,
                Err(error) => return Some((Err(error), self)),
            };
            if self.told.as_ref() != Some(&run) {
                self.told = Some(run.clone());
                return Some((Ok(run), self));
            }
        }
    }
}
