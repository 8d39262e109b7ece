//! Who does it: each mutation begins with asking this.

use std::str::FromStr;

use async_graphql::Context;

use crate::auth::Role;
use crate::graphql::error::{Outcome, UserError, UserErrorCode};
use crate::graphql::{Services, principal, services};
use crate::store::WorkspaceId;

/// Somebody who may change what is in their workspace.
pub(super) struct Writer<'a> {
    /// What they do it with.
    pub(super) services: &'a Services,
    /// Their workspace.
    pub(super) workspace: WorkspaceId,
    /// Their name.
    pub(super) subject: &'a str,
}

/// Whoever asks, if they may change anything at all.
pub(super) fn writer<'a>(ctx: &Context<'a>) -> Outcome<Writer<'a>> {
    let principal = principal(ctx)?;
    if !principal.role.may_write() {
        let message = "this token may only read: use one of an owner or an operator";
        return Err(UserError::new(UserErrorCode::Forbidden, message).into());
    }
    let (workspace, subject) = (principal.workspace, &principal.subject);
    Ok(Writer { services: services(ctx)?, workspace, subject })
}

/// Whoever asks, if the workspace is theirs.
pub(super) fn owner<'a>(ctx: &Context<'a>) -> Outcome<Writer<'a>> {
    if principal(ctx)?.role != Role::Owner {
        let message = "only an owner's token may do this";
        return Err(UserError::new(UserErrorCode::Forbidden, message).into());
    }
    writer(ctx)
}

/// Whoever may change anything, with the id of the thing of this kind that they name.
pub(super) fn writer_of<'a, I: FromStr>(
    ctx: &Context<'a>,
    kind: &str,
    id: &str,
) -> Outcome<(Writer<'a>, I)> {
    let writer = writer(ctx)?;
    let id = id.parse().map_err(|_| UserError::not_found(kind))?;
    Ok((writer, id))
}
