//! What can be asked.

use async_graphql::{Context, ID, Object};

use super::error::read_error;
use super::page::{AccountPage, ConnectionPage, FIRST, cost, count, page};
use super::types::{Account, App, Connection, Plan, Run};
use super::{services, workspace};
use crate::connectors;
use crate::store::{self, AccountId, ConnectionId, RunId};

/// What can be asked.
pub struct Query;

/// Of one thing: nothing, if it is not there.
fn found<T>(read: store::Result<T>) -> async_graphql::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(store::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(read_error(error)),
    }
}

#[Object]
impl Query {
    /// The apps that can be connected.
    #[graphql(complexity = "10 * child_complexity")]
    async fn apps(&self) -> Vec<App> {
        connectors::ALL.iter().copied().map(App).collect()
    }

    /// The accounts.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<AccountPage> {
        let rows = services(ctx)?.store.accounts(workspace(ctx)?).await.map_err(read_error)?;
        let after = after.and_then(|cursor| cursor.parse::<AccountId>().ok());
        let from = after.and_then(|id| rows.iter().position(|row| row.id == id));
        let rest = rows.into_iter().skip(from.map_or(0, |at| at + 1)).collect();
        Ok(page(rest, count(first), |row| row.id.to_string(), Account))
    }

    /// An account.
    async fn account(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Account>> {
        let Ok(id) = id.parse::<AccountId>() else { return Ok(None) };
        Ok(found(services(ctx)?.store.account(workspace(ctx)?, id).await)?.map(Account))
    }

    /// The connections.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn connections(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<ConnectionPage> {
        let rows = services(ctx)?.store.connections(workspace(ctx)?).await.map_err(read_error)?;
        let after = after.and_then(|cursor| cursor.parse::<ConnectionId>().ok());
        let rest =
            rows.into_iter().filter(|row| after.is_none_or(|after| row.id > after)).collect();
        Ok(page(rest, count(first), |row| row.id.to_string(), Connection))
    }

    /// A connection.
    async fn connection(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<Option<Connection>> {
        let Ok(id) = id.parse::<ConnectionId>() else { return Ok(None) };
        Ok(found(services(ctx)?.store.connection(workspace(ctx)?, id).await)?.map(Connection))
    }

    /// A run.
    async fn run(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Run>> {
        let Ok(id) = id.parse::<RunId>() else { return Ok(None) };
        let workspace = workspace(ctx)?;
        Ok(found(services(ctx)?.store.run(workspace, id).await)?.map(|run| Run(run, workspace)))
    }

    /// A plan.
    async fn plan(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Plan>> {
        let Ok(id) = id.replacen("pln_", "run_", 1).parse::<RunId>() else { return Ok(None) };
        let workspace = workspace(ctx)?;
        Ok(found(services(ctx)?.store.plan(workspace, id).await)?.map(|plan| Plan(plan, workspace)))
    }
}
