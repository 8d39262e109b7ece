//! Reviewing, starting, stopping, running and approving.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, Object};

use super::connection::writer_of_connection;
use super::payload::{ConnectionPayload, IssuePayload, PlanPayload, ReviewPayload, answer_about};
use super::writer::{Writer, writer_of};
use crate::graphql::error::Outcome;
use crate::graphql::types::{Acknowledgement, Connection, Issue, Plan, ReviewResult, Side};
use crate::planner::Acknowledgements;
use crate::record;
use crate::store::{ConnectionId, IssueId, RunId, Trigger};

/// Mutations of what runs.
#[derive(Default)]
pub struct RunningMutations;

/// What `connectionReview` takes.
#[derive(InputObject)]
pub struct ConnectionReviewInput {
    /// The connection.
    connection_id: ID,
    /// What you say, because no program can know it.
    #[graphql(default)]
    acknowledgements: Vec<Acknowledgement>,
}

/// What `connectionStart` takes.
#[derive(InputObject)]
pub struct ConnectionStartInput {
    /// The connection.
    connection_id: ID,
    /// The syncs to start, by the sides that they read.
    sources: Vec<Side>,
    /// The token of the review of exactly this configuration.
    review_token: String,
    /// What was said in that review.
    #[graphql(default)]
    acknowledgements: Vec<Acknowledgement>,
    /// Sent again with the same key, it is not done again.
    idempotency_key: Option<String>,
}

/// What `draftPublish` takes.
#[derive(InputObject)]
pub struct DraftPublishInput {
    /// The connection.
    connection_id: ID,
    /// The token of the review of exactly this draft.
    review_token: String,
    /// What was said in that review.
    #[graphql(default)]
    acknowledgements: Vec<Acknowledgement>,
    /// Sent again with the same key, it is not done again.
    idempotency_key: Option<String>,
}

/// What `planApprove` and `planRefuse` take.
#[derive(InputObject)]
pub struct PlanDecideInput {
    /// The plan.
    plan_id: ID,
    /// Its fingerprint: what you have seen.
    hash: String,
    /// Sent again with the same key, it is not done again.
    idempotency_key: Option<String>,
}

#[Object]
impl RunningMutations {
    /// Says what is missing before the connection may start, and gives the token that a start names.
    async fn connection_review(
        &self,
        ctx: &Context<'_>,
        input: ConnectionReviewInput,
    ) -> async_graphql::Result<ReviewPayload> {
        answer_about(ctx, "input.connectionId", review(ctx, input).await)
    }

    /// Starts syncs together, with the draft as it was reviewed.
    async fn connection_start(
        &self,
        ctx: &Context<'_>,
        input: ConnectionStartInput,
    ) -> async_graphql::Result<ConnectionPayload> {
        answer_about(ctx, "input.connectionId", start(ctx, input).await)
    }

    /// Makes the draft the live configuration, as it was reviewed.
    async fn draft_publish(
        &self,
        ctx: &Context<'_>,
        input: DraftPublishInput,
    ) -> async_graphql::Result<ConnectionPayload> {
        answer_about(ctx, "input.connectionId", publish(ctx, input).await)
    }

    /// Pauses a sync: it writes nothing more; reading goes on.
    async fn sync_pause(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
        source: Side,
    ) -> async_graphql::Result<ConnectionPayload> {
        answer_about(ctx, "connectionId", stop(ctx, &connection_id, source, true).await)
    }

    /// Takes a sync back to where it was before its start.
    async fn sync_cancel(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
        source: Side,
    ) -> async_graphql::Result<ConnectionPayload> {
        answer_about(ctx, "connectionId", stop(ctx, &connection_id, source, false).await)
    }

    /// Runs a connection now, or once more after the run that goes on.
    async fn connection_run(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<ConnectionPayload> {
        answer_about(ctx, "connectionId", run(ctx, &connection_id).await)
    }

    /// Agrees to a plan: exactly this is carried out; what is new since only within the brake.
    async fn plan_approve(
        &self,
        ctx: &Context<'_>,
        input: PlanDecideInput,
    ) -> async_graphql::Result<PlanPayload> {
        answer_about(ctx, "input.planId", decide(ctx, input, true).await)
    }

    /// Does not agree to a plan: the next run makes another.
    async fn plan_refuse(
        &self,
        ctx: &Context<'_>,
        input: PlanDecideInput,
    ) -> async_graphql::Result<PlanPayload> {
        answer_about(ctx, "input.planId", decide(ctx, input, false).await)
    }

    /// Says that an issue is done with. It comes back if the next run meets it again.
    async fn issue_resolve(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<IssuePayload> {
        answer_about(ctx, "id", resolve(ctx, &id).await)
    }
}

fn given(acknowledgements: &[Acknowledgement]) -> Acknowledgements {
    acknowledgements.iter().map(|one| (*one).into()).collect()
}

async fn review(ctx: &Context<'_>, input: ConnectionReviewInput) -> Outcome<ReviewResult> {
    let (by, id) = writer_of_connection(ctx, &input.connection_id)?;
    let given = given(&input.acknowledgements);
    Ok(by.services.connections.review(by.workspace, id, &given).await?.into())
}

async fn start(ctx: &Context<'_>, input: ConnectionStartInput) -> Outcome<Connection> {
    let (by, id) = writer_of_connection(ctx, &input.connection_id)?;
    let sources: BTreeSet<record::Side> = input.sources.into_iter().map(Into::into).collect();
    let (token, given) = (&input.review_token, given(&input.acknowledgements));
    let connections = &by.services.connections;
    let started = connections.start(by.workspace, id, &sources, token, &given).await?;
    nudge(&by, id);
    Ok(Connection(started))
}

async fn publish(ctx: &Context<'_>, input: DraftPublishInput) -> Outcome<Connection> {
    let (by, id) = writer_of_connection(ctx, &input.connection_id)?;
    let (token, given) = (&input.review_token, given(&input.acknowledgements));
    let published = by.services.connections.publish(by.workspace, id, token, &given).await?;
    nudge(&by, id);
    Ok(Connection(published))
}

async fn stop(ctx: &Context<'_>, id: &ID, source: Side, is_pause: bool) -> Outcome<Connection> {
    let (by, id) = writer_of_connection(ctx, id)?;
    let connections = &by.services.connections;
    let stopped = if is_pause {
        connections.pause(by.workspace, id, source.into()).await
    } else {
        connections.cancel(by.workspace, id, source.into()).await
    };
    Ok(Connection(stopped?))
}

async fn run(ctx: &Context<'_>, id: &ID) -> Outcome<Connection> {
    let (by, id) = writer_of_connection(ctx, id)?;
    let connection = by.services.store.connection(by.workspace, id).await?;
    nudge(&by, id);
    Ok(Connection(connection))
}

async fn decide(ctx: &Context<'_>, input: PlanDecideInput, approve: bool) -> Outcome<Plan> {
    let run = input.plan_id.replacen("pln_", "run_", 1);
    let (by, id) = writer_of::<RunId>(ctx, "plan", &run)?;
    let (store, now) = (&by.services.store, by.services.clock.now());
    let plan = store.decide_plan(by.workspace, id, &input.hash, approve, by.subject, now).await?;
    nudge(&by, plan.connection);
    Ok(Plan(plan, by.workspace))
}

async fn resolve(ctx: &Context<'_>, id: &ID) -> Outcome<Issue> {
    let (by, id) = writer_of::<IssueId>(ctx, "issue", id)?;
    let now = by.services.clock.now();
    Ok(Issue(by.services.store.resolve_issue(by.workspace, id, now).await?))
}

/// Has a connection run now.
fn nudge(by: &Writer<'_>, id: ConnectionId) {
    by.services.jobs.nudge(by.workspace, id, Trigger::Person);
}
