//! Drafts: changes to the configuration are collected, reviewed, and take hold together.

use crate::planner::{Acknowledgements, Review, Settings, review};
use crate::store::{Connection, ConnectionId, DraftRow, WorkspaceId};

use super::{Connections, Error, Result};

/// The number of the edit that somebody saw; none if there was no draft.
pub type Edit = Option<u32>;

impl Connections {
    /// The configuration that somebody works on: the draft, or else the live one. It knows what was read
    /// last of both accounts' fields and users.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn draft(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<DraftRow> {
        let mut draft = match self.store.draft(workspace, id).await? {
            Some(draft) => draft,
            None => {
                let settings = self.store.connection(workspace, id).await?.settings;
                DraftRow { edit: 0, based_on: settings.version, settings, preview_asked: false }
            }
        };
        self.learn(workspace, id, &mut draft.settings.sides).await?;
        Ok(draft)
    }

    /// Changes the draft. `seen` is the edit that the change was made from; none takes whatever is there.
    ///
    /// # Errors
    /// [`Error::Stale`] if somebody else was first.
    pub async fn edit(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        seen: Edit,
        change: impl FnOnce(&mut Settings) -> Result<()> + Send,
    ) -> Result<DraftRow> {
        let mut draft = self.draft(workspace, id).await?;
        if seen.is_some_and(|seen| seen != draft.edit) {
            return Err(Error::Stale);
        }
        change(&mut draft.settings)?;
        let expected = (draft.edit > 0).then_some(draft.edit);
        draft.edit =
            self.store.save_draft(workspace, id, expected, draft.based_on, &draft.settings).await?;
        Ok(draft)
    }

    /// Asks for a preview of the draft: what it would do if it took hold now. Where nobody has edited
    /// anything, the live configuration becomes the draft. `seen` is the edit that somebody saw; none
    /// takes whatever is there.
    ///
    /// # Errors
    /// [`Error::Stale`] if somebody has edited it since.
    pub async fn ask_preview(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        seen: Edit,
    ) -> Result<DraftRow> {
        let mut draft = self.draft(workspace, id).await?;
        if draft.edit == 0 {
            draft = self.edit(workspace, id, seen, |_| Ok(())).await?;
        } else if seen.is_some_and(|seen| seen != draft.edit) {
            return Err(Error::Stale);
        }
        self.store.ask_preview(workspace, id, draft.edit).await?;
        Ok(DraftRow { preview_asked: true, ..draft })
    }

    /// Throws the draft away.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn discard(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
        let known = self.store.connection(workspace, id).await?;
        Ok(self.store.discard_draft(workspace, known.id).await?)
    }

    /// Says what is missing before the draft may take hold.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn review(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        given: &Acknowledgements,
    ) -> Result<Review> {
        let mut review = review(&self.draft(workspace, id).await?.settings, given);
        review.warnings.extend(self.unconnected(workspace, id).await?);
        Ok(review)
    }

    /// Makes the draft the live configuration. `token` is that of its review.
    ///
    /// # Errors
    /// [`Error::NoDraft`], [`Error::Unfinished`], [`Error::StaleReview`].
    pub async fn publish(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        token: &str,
        given: &Acknowledgements,
    ) -> Result<Connection> {
        let draft = self.draft(workspace, id).await?;
        if draft.edit == 0 {
            return Err(Error::NoDraft);
        }
        check(&draft.settings, token, given)?;
        self.put(workspace, id, draft.based_on, draft.settings).await
    }

    pub(super) async fn put(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        based_on: u32,
        settings: Settings,
    ) -> Result<Connection> {
        let live = self.store.connection(workspace, id).await?.settings;
        self.store.publish(workspace, id, based_on, &settings.following(&live)).await?;
        Ok(self.store.connection(workspace, id).await?)
    }
}

/// Whether a review of exactly this, under these acknowledgements, found nothing missing.
pub(super) fn check(settings: &Settings, token: &str, given: &Acknowledgements) -> Result<()> {
    let review = review(settings, given);
    match &review.token {
        None => Err(Error::Unfinished(Box::new(review))),
        Some(right) if right == token => Ok(()),
        Some(_) => Err(Error::StaleReview),
    }
}
