//! Making connections, and taking them away.

use async_graphql::{Context, ID, InputObject, Object};

use super::payload::{ConnectionPayload, DonePayload, answer, answer_about};
use super::writer::{Writer, writer, writer_of};
use crate::connections::{self, NewConnection, NewSide};
use crate::graphql::error::{Failure, Outcome, UserError};
use crate::graphql::input::SideInput;
use crate::graphql::types::Connection;
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
    /// Sent again with the same key, it is not done again.
    idempotency_key: Option<String>,
}

/// Whoever asks, and the connection that they name.
pub(super) fn writer_of_connection<'a>(
    ctx: &Context<'a>,
    id: &ID,
) -> Outcome<(Writer<'a>, ConnectionId)> {
    writer_of(ctx, "connection", id)
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
        answer(ctx, create(ctx, input).await)
    }

    /// Takes a connection away with its history. Records in the apps stay as they are.
    async fn connection_disconnect(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<DonePayload> {
        answer_about(ctx, "connectionId", remove(ctx, &connection_id).await)
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
    let Writer { services, workspace, .. } = writer(ctx)?;
    let sides = PerSide {
        left: side(input.left, "input.left.accountId")?,
        right: side(input.right, "input.right.accountId")?,
    };
    let new = NewConnection { title: input.title, sides };
    let made = services.connections.create(workspace, &new).await;
    made.map(Connection).map_err(|error| match error {
        connections::Error::BadTitle => Failure::from(error).at("input.title"),
        other => other.into(),
    })
}

async fn remove(ctx: &Context<'_>, id: &ID) -> Outcome<bool> {
    let (by, id) = writer_of_connection(ctx, id)?;
    by.services.connections.remove(by.workspace, id).await?;
    Ok(true)
}
