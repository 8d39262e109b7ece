//! What can be followed as it happens.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, Subscription as Root};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::error::{no_such, read_error};
use super::types::Run;
use super::{find, services};
use crate::store::{RunId, RunRow, RunState, Store, WorkspaceId};

/// How often a run is looked at while somebody follows it.
const LOOK: Duration = Duration::from_secs(1);

/// What can be followed.
pub struct Subscription;

#[Root]
impl Subscription {
    /// A run: at once as it is, then whenever it has come further, and as it was when it ended. Looked at each
    /// second. Each event is the whole of it, so that whoever was cut off begins anew and has missed nothing.
    async fn run_progress(
        &self,
        ctx: &Context<'_>,
        run_id: ID,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Run>> + use<>> {
        let run = find::run(ctx, &run_id).await?.ok_or_else(|| no_such("run"))?;
        let Run(RunRow { id, .. }, workspace) = run;
        let store = services(ctx)?.store.clone();
        Ok(unfold(Follower { store, workspace, id, told: None }, Follower::next))
    }
}

/// Somebody who follows a run.
struct Follower {
    store: Arc<dyn Store>,
    workspace: WorkspaceId,
    id: RunId,
    /// The run as they were told of it last.
    told: Option<RunRow>,
}

impl Follower {
    /// Waits until there is something new to tell; nothing is, once it has ended.
    async fn next(mut self) -> Option<(async_graphql::Result<Run>, Self)> {
        loop {
            if let Some(told) = &self.told {
                if told.state != RunState::Running {
                    return None;
                }
                tokio::time::sleep(LOOK).await;
            }
            let run = match self.store.run(self.workspace, self.id).await {
                Ok(run) => run,
                Err(error) => return Some((Err(read_error(error)), self)),
            };
            if self.told.as_ref() != Some(&run) {
                self.told = Some(run.clone());
                let workspace = self.workspace;
                return Some((Ok(Run(run, workspace)), self));
            }
        }
    }
}
