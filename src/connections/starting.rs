//! Starting and stopping syncs.

use std::collections::BTreeSet;

use crate::planner::{Acknowledgements, Settings, SyncState};
use crate::record::Side;
use crate::store::{Connection, ConnectionId, WorkspaceId};

use super::draft::check;
use super::{Connections, Error, Result};

impl Connections {
    /// Starts syncs, by the sides that they read, with the draft as it was reviewed: together, or not
    /// at all.
    ///
    /// # Errors
    /// [`Error::Unfinished`], [`Error::StaleReview`], [`Error::NoSync`].
    pub async fn start(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        sources: &BTreeSet<Side>,
        token: &str,
        given: &Acknowledgements,
    ) -> Result<Connection> {
        let draft = self.draft(workspace, id).await?;
        check(&draft.settings, token, given)?;
        let mut settings = draft.settings;
        for source in sources {
            let sync = settings.syncs.of_mut(*source).as_mut().ok_or(Error::NoSync)?;
            sync.state = SyncState::Running;
        }
        self.put(workspace, id, draft.based_on, settings).await
    }

    /// Pauses a sync: nothing is written by it, reading goes on. At once, past any draft.
    ///
    /// # Errors
    /// [`Error::NoSync`].
    pub async fn pause(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        source: Side,
    ) -> Result<Connection> {
        self.stop(workspace, id, source, SyncState::Paused).await
    }

    /// Takes a sync back to where it was before its start. Started again, it runs for the first time:
    /// what it would do is planned and put before a person again.
    ///
    /// # Errors
    /// [`Error::NoSync`].
    pub async fn cancel(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        source: Side,
    ) -> Result<Connection> {
        self.stop(workspace, id, source, SyncState::Draft).await
    }

    async fn stop(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        source: Side,
        state: SyncState,
    ) -> Result<Connection> {
        self.change_live(workspace, id, |settings| {
            settings.syncs.of_mut(source).as_mut().ok_or(Error::NoSync)?.state = state;
            Ok(())
        })
        .await
    }

    /// Changes the live configuration, past any draft. What somebody was working on stays, on top of it,
    /// and changed in the same way.
    pub(super) async fn change_live(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        change: impl Fn(&mut Settings) -> Result<()>,
    ) -> Result<Connection> {
        let live = self.store.connection(workspace, id).await?.settings;
        let draft = self.store.draft(workspace, id).await?;
        let mut settings = live.clone();
        change(&mut settings)?;
        let connection = self.put(workspace, id, live.version, settings).await?;
        if let Some(mut draft) = draft {
            // A draft may be without what is changed.
            let _ = change(&mut draft.settings);
            let version = connection.settings.version;
            self.store.save_draft(workspace, id, None, version, &draft.settings).await?;
        }
        Ok(connection)
    }
}
