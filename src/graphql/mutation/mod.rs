//! What can be done. Each mutation answers with what it did, or with what a person has to mend.

mod account;
mod authorization;
mod connection;
mod draft;
mod payload;
mod running;
mod webhook;
mod writer;

use async_graphql::MergedObject;

/// What can be done.
///
/// A mutation that takes an `idempotencyKey` is done once for each key: sent again within 24 hours it
/// gives the answer of the first time.
#[derive(Default, MergedObject)]
pub struct Mutation(
    account::AccountMutations,
    authorization::AuthorizationMutations,
    connection::ConnectionMutations,
    draft::DraftMutations,
    running::RunningMutations,
    webhook::WebhookMutations,
);
