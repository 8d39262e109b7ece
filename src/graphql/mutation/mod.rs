//! What can be done. Each mutation answers with what it did, or with what a person has to mend.

mod account;
mod connection;
mod draft;
mod payload;
mod running;
mod webhook;

use async_graphql::{Context, MergedObject};

use super::error::{UserError, UserErrorCode};
use super::principal;

/// What can be done.
#[derive(Default, MergedObject)]
pub struct Mutation(
    account::AccountMutations,
    connection::ConnectionMutations,
    draft::DraftMutations,
    running::RunningMutations,
    webhook::WebhookMutations,
);

/// Whether whoever asks may do anything at all.
fn may_write(ctx: &Context<'_>) -> async_graphql::Result<Result<(), UserError>> {
    let role = principal(ctx)?.role;
    let message = "this token may only read: use one of an owner or an operator";
    Ok(role
        .may_write()
        .then_some(())
        .ok_or_else(|| UserError::new(UserErrorCode::Forbidden, message)))
}
