//! Reviewing, starting, stopping, running and approving.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, Object};

use super::connection::connection_id;
use super::may_write;
use super::payload::{ConnectionPayload, DraftPayload, IssuePayload, PlanPayload, ReviewPayload};
use crate::graphql::error::{Outcome, UserError, of_connections, of_store};
use crate::graphql::types::{
    Acknowledgement, Connection, ConnectionDraft, Issue, Plan, ReviewResult, Side,
};
use crate::graphql::{principal, services, workspace};
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
}

/// What `draftPreview` takes.
#[derive(InputObject)]
pub struct DraftPreviewInput {
    /// The connection.
    connection_id: ID,
    /// The edit that is meant; whatever is there, without.
    expected_edit: Option<u32>,
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
}

/// What `planApprove` and `planRefuse` take.
#[derive(InputObject)]
pub struct PlanDecideInput {
    /// The plan.
    plan_id: ID,
    /// Its fingerprint: what you have seen.
    hash: String,
}

#[Object]
impl RunningMutations {
    /// Says what is missing before the connection may start, and gives the token that a start names.
    async fn connection_review(
        &self,
        ctx: &Context<'_>,
        input: ConnectionReviewInput,
    ) -> async_graphql::Result<ReviewPayload> {
        Ok(review(ctx, input).await?.into())
    }

    /// Starts syncs together, with the draft as it was reviewed.
    async fn connection_start(
        &self,
        ctx: &Context<'_>,
        input: ConnectionStartInput,
    ) -> async_graphql::Result<ConnectionPayload> {
        Ok(start(ctx, input).await?.into())
    }

    /// Asks what the draft would do if it took hold now, with all its syncs but those that are paused.
    /// Nothing is written for it to an app. The answer is the draft's `preview`, once it is made.
    async fn draft_preview(
        &self,
        ctx: &Context<'_>,
        input: DraftPreviewInput,
    ) -> async_graphql::Result<DraftPayload> {
        Ok(preview(ctx, input).await?.into())
    }

    /// Makes the draft the live configuration, as it was reviewed.
    async fn draft_publish(
        &self,
        ctx: &Context<'_>,
        input: DraftPublishInput,
    ) -> async_graphql::Result<ConnectionPayload> {
        Ok(publish(ctx, input).await?.into())
    }

    /// Pauses a sync: it writes nothing more; reading goes on.
    async fn sync_pause(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
        source: Side,
    ) -> async_graphql::Result<ConnectionPayload> {
        Ok(stop(ctx, &connection_id, source, true).await?.into())
    }

    /// Takes a sync back to where it was before its start.
    async fn sync_cancel(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
        source: Side,
    ) -> async_graphql::Result<ConnectionPayload> {
        Ok(stop(ctx, &connection_id, source, false).await?.into())
    }

    /// Runs a connection now, or once more after the run that goes on.
    async fn connection_run(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
    ) -> async_graphql::Result<ConnectionPayload> {
        Ok(run(ctx, &connection_id).await?.into())
    }

    /// Agrees to a plan: exactly this is carried out; what is new since only within the brake.
    async fn plan_approve(
        &self,
        ctx: &Context<'_>,
        input: PlanDecideInput,
    ) -> async_graphql::Result<PlanPayload> {
        Ok(decide(ctx, input, true).await?.into())
    }

    /// Does not agree to a plan: the next run makes another.
    async fn plan_refuse(
        &self,
        ctx: &Context<'_>,
        input: PlanDecideInput,
    ) -> async_graphql::Result<PlanPayload> {
        Ok(decide(ctx, input, false).await?.into())
    }

    /// Says that an issue is done with. It comes back if the next run meets it again.
    async fn issue_resolve(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<IssuePayload> {
        Ok(resolve(ctx, &id).await?.into())
    }
}

fn given(acknowledgements: &[Acknowledgement]) -> Acknowledgements {
    acknowledgements.iter().map(|one| (*one).into()).collect()
}

/// The connection that is meant, if whoever asks may do anything to it.
fn allowed(ctx: &Context<'_>, id: &ID) -> Outcome<ConnectionId> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    Ok(connection_id(id))
}

async fn review(ctx: &Context<'_>, input: ConnectionReviewInput) -> Outcome<ReviewResult> {
    let id = match allowed(ctx, &input.connection_id)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let given = given(&input.acknowledgements);
    match services(ctx)?.connections.review(workspace(ctx)?, id, &given).await {
        Ok(review) => Ok(Ok(review.into())),
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}

async fn start(ctx: &Context<'_>, input: ConnectionStartInput) -> Outcome<Connection> {
    let id = match allowed(ctx, &input.connection_id)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    let sources: BTreeSet<record::Side> = input.sources.into_iter().map(Into::into).collect();
    let given = given(&input.acknowledgements);
    let started =
        services.connections.start(workspace, id, &sources, &input.review_token, &given).await;
    match started {
        Ok(connection) => {
            services.jobs.nudge(workspace, id, Trigger::Person);
            Ok(Ok(Connection(connection)))
        }
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}

async fn preview(ctx: &Context<'_>, input: DraftPreviewInput) -> Outcome<ConnectionDraft> {
    let connection = match allowed(ctx, &input.connection_id)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    match services.connections.ask_preview(workspace, connection, input.expected_edit).await {
        Ok(row) => {
            services.jobs.nudge(workspace, connection, Trigger::Person);
            Ok(Ok(ConnectionDraft { row, workspace, connection }))
        }
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}

async fn publish(ctx: &Context<'_>, input: DraftPublishInput) -> Outcome<Connection> {
    let id = match allowed(ctx, &input.connection_id)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    let given = given(&input.acknowledgements);
    match services.connections.publish(workspace, id, &input.review_token, &given).await {
        Ok(connection) => {
            services.jobs.nudge(workspace, id, Trigger::Person);
            Ok(Ok(Connection(connection)))
        }
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}

async fn stop(ctx: &Context<'_>, id: &ID, source: Side, is_pause: bool) -> Outcome<Connection> {
    let id = match allowed(ctx, id)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (connections, workspace) = (&services(ctx)?.connections, workspace(ctx)?);
    let stopped = if is_pause {
        connections.pause(workspace, id, source.into()).await
    } else {
        connections.cancel(workspace, id, source.into()).await
    };
    match stopped {
        Ok(connection) => Ok(Ok(Connection(connection))),
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}

async fn run(ctx: &Context<'_>, id: &ID) -> Outcome<Connection> {
    let id = match allowed(ctx, id)? {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    match services.store.connection(workspace, id).await {
        Ok(connection) => {
            services.jobs.nudge(workspace, id, Trigger::Person);
            Ok(Ok(Connection(connection)))
        }
        Err(error) => Ok(Err(of_store(error)?)),
    }
}

async fn decide(ctx: &Context<'_>, input: PlanDecideInput, approve: bool) -> Outcome<Plan> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let Ok(id) = input.plan_id.replacen("pln_", "run_", 1).parse::<RunId>() else {
        return Ok(Err(UserError::not_found("plan").at("input.planId")));
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    let (by, now) = (principal(ctx)?.subject.clone(), services.clock.now());
    match services.store.decide_plan(workspace, id, &input.hash, approve, &by, now).await {
        Ok(plan) => {
            services.jobs.nudge(workspace, plan.connection, Trigger::Person);
            Ok(Ok(Plan(plan, workspace)))
        }
        Err(error) => Ok(Err(of_store(error)?)),
    }
}

async fn resolve(ctx: &Context<'_>, id: &ID) -> Outcome<Issue> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let Ok(id) = id.parse::<IssueId>() else {
        return Ok(Err(UserError::not_found("issue").at("id")));
    };
    let services = services(ctx)?;
    match services.store.resolve_issue(workspace(ctx)?, id, services.clock.now()).await {
        Ok(issue) => Ok(Ok(Issue(issue))),
        Err(error) => Ok(Err(of_store(error)?)),
    }
}
