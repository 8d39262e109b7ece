//! What a person should look at.

use jiff::Timestamp;

use super::state::State;
use crate::store::{ConnectionId, Error, IssueId, IssueRow, IssuesOf, Result, WorkspaceId};

impl State {
    pub(super) fn put_issues(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        issues: &[IssuesOf],
    ) {
        for of in issues {
            let open = self.issues.iter().filter(|((ws, _), row)| {
                *ws == workspace
                    && row.connection == connection
                    && row.end == of.end
                    && row.resolved_at.is_none()
            });
            let before = open.map(|(_, row)| row.clone()).collect();
            for row in of.compare(connection, before) {
                self.issues.insert((workspace, row.id), row);
            }
        }
    }

    pub(super) fn issues(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        open_only: bool,
        before: Option<IssueId>,
    ) -> impl Iterator<Item = &IssueRow> {
        self.issues
            .iter()
            .rev()
            .filter(move |((ws, id), row)| {
                *ws == workspace
                    && row.connection == connection
                    && before.is_none_or(|before| *id < before)
                    && !(open_only && row.resolved_at.is_some())
            })
            .map(|(_, row)| row)
    }

    pub(super) fn issue(&self, workspace: WorkspaceId, id: IssueId) -> Result<&IssueRow> {
        self.issues.get(&(workspace, id)).ok_or(Error::NotFound("issue"))
    }

    pub(super) fn resolve_issue(
        &mut self,
        workspace: WorkspaceId,
        id: IssueId,
        at: Timestamp,
    ) -> Result<IssueRow> {
        let row = self.issues.get_mut(&(workspace, id)).ok_or(Error::NotFound("issue"))?;
        row.resolved_at = row.resolved_at.or(Some(at));
        Ok(row.clone())
    }
}
