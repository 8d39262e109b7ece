//! Making connections, and taking them away.

use async_graphql::{Context, ID, InputObject, Object};

use super::may_write;
use super::payload::{ConnectionPayload, DonePayload};
use crate::connections::{NewConnection, NewSide};
use crate::graphql::error::{Outcome, UserError, of_connections};
use crate::graphql::input::SideInput;
use crate::graphql::types::Connection;
use crate::graphql::{services, workspace};
use crate::record::{ObjectName, PerSide};
use crate::store::ConnectionId;

/// Mutations of connections.
#[derive(Default)]
pub struct ConnectionMutations;

/// What `connectionCreate` takes.
#[derive(InputObject)]
pub struct ConnectionCreateInput {
    /// Its name for people.
    title: String,
    /// The one side.
    left: SideInput,
    /// The other side.
    right: SideInput,
}

pub(super) fn connection_id(id: &ID) -> Result<ConnectionId, UserError> {
    id.parse().map_err(|_| UserError::not_found("connection").at("input.connectionId"))
}

#[Object]
impl ConnectionMutations {
    /// Makes a connection between two accounts: two syncs that do not run yet, with the mapping that
    /// their fields suggest.
    async fn connection_create(
        &self,
        ctx: &Context<'_>,
        input: ConnectionCreateInput,
    ) -> async_graphql::Result<ConnectionPayload> {
        Ok(create(ctx, input).await?.into())
    }

    /// Takes a connection away with its history. Records in the apps stay as they are.
    async fn connection_disconnect(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
    ) -> async_graphql::Result<DonePayload> {
        Ok(remove(ctx, &connection_id).await?.into())
    }
}

fn side(input: SideInput, path: &str) -> Result<NewSide, UserError> {
    let missing = |_| UserError::not_found("account").at(path);
    Ok(NewSide {
        account: input.account_id.parse().map_err(missing)?,
        objects: input.objects.into_iter().map(ObjectName::new).collect(),
    })
}

async fn create(ctx: &Context<'_>, input: ConnectionCreateInput) -> Outcome<Connection> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let sides = side(input.left, "input.left.accountId")
        .and_then(|left| Ok(PerSide { left, right: side(input.right, "input.right.accountId")? }));
    let sides = match sides {
        Ok(sides) => sides,
        Err(error) => return Ok(Err(error)),
    };
    let new = NewConnection { title: input.title, sides };
    match services(ctx)?.connections.create(workspace(ctx)?, &new).await {
        Ok(connection) => Ok(Ok(Connection(connection))),
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}

async fn remove(ctx: &Context<'_>, id: &ID) -> Outcome<bool> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match connection_id(id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    match services(ctx)?.connections.remove(workspace(ctx)?, id).await {
        Ok(()) => Ok(Ok(true)),
        Err(error) => Ok(Err(of_connections(error)?)),
    }
}
