//! Previews: what a draft would do if it took hold now. All is read and planned as if it had, by the
//! same code; nothing is written to an app, a link or the progress of a sync.

use std::sync::Arc;

use super::turn::{Ended, Task};
use super::{RunError, Runner};
use crate::connectors::Connector;
use crate::planner::{Settings, SyncState};
use crate::record::{PerSide, Side};
use crate::store::{self, Connection, DraftRow, Held, Trigger};

impl Runner {
    /// The draft of which a preview is asked for.
    pub(super) async fn draft_to_preview(&self, held: &Held) -> Result<Option<DraftRow>, RunError> {
        let draft = self.store.draft(held.key.workspace, held.connection()).await?;
        Ok(draft.filter(|draft| draft.preview_asked))
    }

    /// Makes a preview of a draft. One that fails was the answer too, so that it is not tried for ever.
    pub(super) async fn preview(
        &self,
        held: &Held,
        connectors: &PerSide<Arc<dyn Connector>>,
        draft: &DraftRow,
    ) -> Result<Ended, RunError> {
        let live = self.store.connection(held.key.workspace, held.connection()).await?;
        let tried = as_if_started(live, draft);
        let ended = self.run_as(held, connectors, Task::Preview, Trigger::Person, tried).await;
        // It is made anew by the next start, or by whoever holds the lease now.
        if let Err(RunError::Stopped | RunError::Store(store::Error::Fenced)) = ended {
            return ended;
        }
        let plan = ended.as_ref().ok().map(|ended| ended.id);
        self.store.answer_preview(held, draft, plan).await?;
        ended
    }
}

/// The connection as it would be once its draft is published and all its syncs are started, but for
/// those that a person has paused.
fn as_if_started(live: Connection, draft: &DraftRow) -> Connection {
    let mut settings: Settings = draft.settings.clone();
    for source in Side::BOTH {
        if let Some(sync) = settings.syncs.of_mut(source)
            && sync.state == SyncState::Draft
        {
            sync.state = SyncState::Running;
        }
    }
    let mut tried = Connection { settings: settings.following(&live.settings), ..live };
    tried.forget_what_was_taken_back();
    tried
}
