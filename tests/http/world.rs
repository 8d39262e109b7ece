//! A schema as small as the tests allow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Context, Object, Result, Schema, Subscription as Root};
use concord::auth::Principal;
use concord::graphql::Limits;
use concord::idempotency::{Cancellation, Key};
use futures_util::Stream;
use futures_util::stream::{iter, pending};
use tokio::sync::Semaphore;

/// What the resolvers leave behind, and what they wait for.
pub struct World {
    /// How often something was written.
    pub writes: AtomicUsize,
    /// How many slow answers were begun.
    pub begun: AtomicUsize,
    /// What slow answers wait for.
    pub gate: Semaphore,
}

pub type TestSchema = Schema<Query, Mutation, Subscription>;

pub fn schema(world: Arc<World>) -> TestSchema {
    Schema::build(Query, Mutation, Subscription)
        .data(world)
        .extension(Limits)
        .limit_depth(12)
        .limit_complexity(2000)
        .finish()
}

impl World {
    pub fn new() -> Self {
        Self { writes: AtomicUsize::new(0), begun: AtomicUsize::new(0), gate: Semaphore::new(0) }
    }
}

pub struct Query;

#[Object]
impl Query {
    /// Whom the server takes the asker for.
    async fn me(&self, ctx: &Context<'_>) -> Result<String> {
        let principal = ctx.data::<Principal>()?;
        Ok(format!("{} in {}", principal.subject, principal.workspace))
    }

    /// The key that the header gave the request.
    async fn key(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.data_opt::<Key>().map(|key| key.as_str().to_owned())
    }

    #[graphql(complexity = "first * child_complexity")]
    async fn things(&self, first: usize) -> Vec<Thing> {
        (0..first).map(|_| Thing).collect()
    }

    /// Answers once the gate is open.
    async fn slow(&self, ctx: &Context<'_>) -> Result<bool> {
        let world = ctx.data::<Arc<World>>()?;
        world.begun.fetch_add(1, Ordering::SeqCst);
        drop(world.gate.acquire().await.unwrap());
        Ok(true)
    }

    /// Fails as a library fails.
    async fn broken(&self) -> Result<bool> {
        Err(std::io::Error::other("no table contact in /var/lib/concord/db").into())
    }
}

pub struct Thing;

#[Object]
impl Thing {
    async fn name(&self) -> &str {
        "thing"
    }

    #[graphql(complexity = "first * child_complexity")]
    async fn things(&self, first: usize) -> Vec<Thing> {
        (0..first).map(|_| Thing).collect()
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    /// Writes once the gate is open; claimed, if it is asked for, as what has a key is.
    async fn add_slowly(&self, ctx: &Context<'_>, claim: bool) -> Result<usize> {
        let world = ctx.data::<Arc<World>>()?;
        assert!(!claim || ctx.data::<Cancellation>()?.forbid());
        world.begun.fetch_add(1, Ordering::SeqCst);
        drop(world.gate.acquire().await?);
        Ok(world.writes.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// Writes, and counts it.
    async fn add(&self, ctx: &Context<'_>) -> Result<usize> {
        let world = ctx.data::<Arc<World>>()?;
        Ok(world.writes.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

pub struct Subscription;

#[Root]
impl Subscription {
    /// Counts, told with whom the server takes the asker for.
    async fn count(
        &self,
        ctx: &Context<'_>,
        to: u32,
    ) -> Result<impl Stream<Item = String> + use<>> {
        let subject = ctx.data::<Principal>()?.subject.clone();
        Ok(iter((1..=to).map(move |number| format!("{number} for {subject}"))))
    }

    /// Nothing ever comes.
    async fn wait(&self) -> impl Stream<Item = bool> + use<> {
        pending()
    }

    /// Fails as a library fails.
    async fn spoil(&self) -> impl Stream<Item = Result<bool>> + use<> {
        iter([Err(std::io::Error::other("no table contact in /var/lib/concord/db").into())])
    }
}
