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
/// One that is removed meanwhile is told of no more.
///
/// # Errors
/// Of the store; nothing comes after one.
pub fn follow(
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    id: RunId,
) -> impl Stream<Item = store::Result<RunRow>> {
    unfold(Follower { store, workspace, id, is_over: false, told: None }, Follower::next)
}

/// Somebody who follows a run.
struct Follower {
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    id: RunId,
    /// Whether there is nothing more to tell.
    is_over: bool,
    /// The run as they were told of it last.
    told: Option<RunRow>,
}

impl Follower {
    /// Waits until there is something new to tell; nothing is, once it has ended.
    async fn next(mut self) -> Option<(store::Result<RunRow>, Self)> {
        while !self.is_over {
            if self.told.is_some() {
                tokio::time::sleep(LOOK).await;
            }
            let run = match self.store.run(self.workspace, self.id).await {
                Ok(run) => run,
                Err(store::Error::NotFound(_)) => return None,
                Err(error) => return Some((Err(error), Self { is_over: true, ..self })),
            };
            self.is_over = run.state != RunState::Running;
            if self.told.as_ref() != Some(&run) {
                self.told = Some(run.clone());
                return Some((Ok(run), self));
            }
        }
        None
    }
}
