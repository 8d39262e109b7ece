//! What can be asked.

use async_graphql::{Context, ID, Object};

use super::error::read_error;
use super::page::{AccountPage, ConnectionPage, FIRST, asked, cost, page};
use super::types::{Account, App, Connection, Node, Plan, Run};
use super::{find, services, workspace};
use crate::connectors;
use crate::store::{AccountId, ConnectionId};

/// What can be asked.
pub struct Query;

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
        let (count, after) = asked(first, after.as_deref(), |id| id.parse::<AccountId>().ok())?;
        let rows = services(ctx)?.store.accounts(workspace(ctx)?).await.map_err(read_error)?;
        let from = after.and_then(|id| rows.iter().position(|row| row.id == id));
        let rest = rows.into_iter().skip(from.map_or(0, |at| at + 1)).collect();
        Ok(page(rest, count, |row| row.id.to_string(), Account))
    }

    /// An account.
    async fn account(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Account>> {
        find::account(ctx, &id).await
    }

    /// The connections.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn connections(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<ConnectionPage> {
        let (count, after) = asked(first, after.as_deref(), |id| id.parse::<ConnectionId>().ok())?;
        let rows = services(ctx)?.store.connections(workspace(ctx)?).await.map_err(read_error)?;
        let rest =
            rows.into_iter().filter(|row| after.is_none_or(|after| row.id > after)).collect();
        Ok(page(rest, count, |row| row.id.to_string(), Connection))
    }

    /// A connection.
    async fn connection(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<Option<Connection>> {
        find::connection(ctx, &id).await
    }

    /// A run.
    async fn run(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Run>> {
        find::run(ctx, &id).await
    }

    /// A plan.
    async fn plan(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Plan>> {
        find::plan(ctx, &id).await
    }

    /// Whatever has this id: an account, a connection, a run, a plan, a change or an issue.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Option<Node>> {
        find::node(ctx, &id).await
    }

    /// Whatever has these ids, 100 at most, in their order; null for each that nothing has.
    #[graphql(complexity = "ids.len() * (1 + child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(validator(max_items = 100))] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(find::node(ctx, id).await?);
        }
        Ok(nodes)
    }
}
