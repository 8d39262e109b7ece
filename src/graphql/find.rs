//! Things by their ids, in the workspace of whoever asks. What is elsewhere is not there.

use async_graphql::{Context, ID};

use super::error::read_error;
use super::types::{Account, Change, Connection, Issue, Node, Plan, Run};
use super::{services, workspace};
use crate::store::{self, AccountId, ConnectionId, IssueId, OpId, RunId};

/// What was looked for; nothing, if it is not there.
type Found<T> = async_graphql::Result<Option<T>>;

fn found<T>(read: store::Result<T>) -> Found<T> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(store::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(read_error(error)),
    }
}

pub(super) async fn account(ctx: &Context<'_>, id: &ID) -> Found<Account> {
    let Ok(id) = id.parse::<AccountId>() else { return Ok(None) };
    Ok(found(services(ctx)?.store.account(workspace(ctx)?, id).await)?.map(Account))
}

pub(super) async fn connection(ctx: &Context<'_>, id: &ID) -> Found<Connection> {
    let Ok(id) = id.parse::<ConnectionId>() else { return Ok(None) };
    Ok(found(services(ctx)?.store.connection(workspace(ctx)?, id).await)?.map(Connection))
}

pub(super) async fn run(ctx: &Context<'_>, id: &ID) -> Found<Run> {
    let Ok(id) = id.parse::<RunId>() else { return Ok(None) };
    let workspace = workspace(ctx)?;
    Ok(found(services(ctx)?.store.run(workspace, id).await)?.map(|run| Run(run, workspace)))
}

pub(super) async fn plan(ctx: &Context<'_>, id: &ID) -> Found<Plan> {
    let Some(bare) = id.strip_prefix("pln_") else { return Ok(None) };
    let Ok(id) = format!("run_{bare}").parse::<RunId>() else { return Ok(None) };
    let workspace = workspace(ctx)?;
    Ok(found(services(ctx)?.store.plan(workspace, id).await)?.map(|plan| Plan(plan, workspace)))
}

async fn change(ctx: &Context<'_>, id: &ID) -> Found<Change> {
    let Some(bare) = id.strip_prefix("chg_") else { return Ok(None) };
    let Ok(id) = format!("op_{bare}").parse::<OpId>() else { return Ok(None) };
    Ok(found(services(ctx)?.store.op(workspace(ctx)?, id).await)?.map(Change))
}

async fn issue(ctx: &Context<'_>, id: &ID) -> Found<Issue> {
    let Ok(id) = id.parse::<IssueId>() else { return Ok(None) };
    Ok(found(services(ctx)?.store.issue(workspace(ctx)?, id).await)?.map(Issue))
}

/// Whatever has this id.
pub(super) async fn node(ctx: &Context<'_>, id: &ID) -> Found<Node> {
    Ok(match id.split_once('_').map(|(kind, _)| kind) {
        Some("acc") => account(ctx, id).await?.map(Node::from),
        Some("con") => connection(ctx, id).await?.map(Node::from),
        Some("run") => run(ctx, id).await?.map(Node::from),
        Some("pln") => plan(ctx, id).await?.map(Node::from),
        Some("chg") => change(ctx, id).await?.map(Node::from),
        Some("iss") => issue(ctx, id).await?.map(Node::from),
        _ => None,
    })
}
