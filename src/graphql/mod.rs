//! The API: what a front-end or another backend reads and does. Its types are its own; it asks the
//! rooms below, always in the workspace of whoever asks.

#[expect(unreachable_pub, reason = "what is in the schema is public by it")]
mod error;
mod find;
#[expect(unreachable_pub, reason = "what is in the schema is public by it")]
mod input;
mod limits;
#[expect(unreachable_pub, reason = "what is in the schema is public by it")]
mod mutation;
mod once;
#[expect(unreachable_pub, reason = "what is in the schema is public by it")]
mod page;
mod query;
mod subscription;
#[expect(unreachable_pub, reason = "what is in the schema is public by it")]
mod types;

use std::sync::Arc;

use async_graphql::{Context, Schema};

use crate::accounts::{Accounts, Authorizations};
use crate::auth::Principal;
use crate::connections::Connections;
use crate::idempotency::Idempotency;
use crate::jobs::Jobs;
use crate::ports::Clock;
use crate::store::{Store, WorkspaceId};
use crate::webhooks::Webhooks;
use mutation::Mutation;
use once::Once;
use query::Query;
use subscription::Subscription;

pub use limits::Limits;

/// What the API asks.
#[derive(Clone)]
pub struct Services {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// The ways of people to the apps and back.
    pub authorizations: Arc<Authorizations>,
    /// How connections are set up.
    pub connections: Arc<Connections>,
    /// The notifications of apps.
    pub webhooks: Arc<Webhooks>,
    /// What runs.
    pub jobs: Arc<Jobs>,
    /// The requests that were given a key.
    pub idempotency: Arc<Idempotency>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The schema with what stands behind it.
pub type Api = Schema<Query, Mutation, Subscription>;

/// Directives in a query.
const DIRECTIVES_MAX: usize = 8;

/// The API over these services.
#[must_use]
pub fn api(services: Services) -> Api {
    Schema::build(Query, Mutation::default(), Subscription)
        .data(services)
        .limit_depth(limits::DEPTH_MAX)
        .limit_complexity(limits::COST_MAX)
        .limit_directives(DIRECTIVES_MAX)
        .disable_suggestions()
        .extension(Limits)
        .extension(Once)
        .finish()
}

/// The schema in GraphQL's own language, as it is committed.
#[must_use]
pub fn sdl() -> String {
    let schema = Schema::build(Query, Mutation::default(), Subscription).finish();
    schema.sdl()
}

/// What the API asks, from a resolver.
fn services<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Services> {
    ctx.data::<Services>()
}

/// The workspace of whoever asks.
fn workspace(ctx: &Context<'_>) -> async_graphql::Result<WorkspaceId> {
    Ok(principal(ctx)?.workspace)
}

fn principal<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Principal> {
    ctx.data::<Principal>()
}
