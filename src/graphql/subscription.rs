//! What can be followed as it happens.

use async_graphql::{Context, ID, Subscription as Root};
use futures_util::{Stream, StreamExt as _};

use super::error::{no_such, read_error};
use super::types::Run;
use super::{find, services};
use crate::jobs;

/// What can be followed.
pub struct Subscription;

#[Root]
impl Subscription {
    /// A run: at once as it is, then whenever it has come further, and as it was when it ended. Looked at each
    /// second. Each event is the whole of it, so that whoever was cut off begins anew and has missed nothing.
    async fn run_progress(
        &self,
        ctx: &Context<'_>,
        run_id: ID,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Run>> + use<>> {
        let run = find::run(ctx, &run_id).await?.ok_or_else(|| no_such("run"))?;
        let Run(row, workspace) = run;
        let rows = jobs::follow(services(ctx)?.store.clone(), workspace, row.id);
        Ok(rows.map(move |row| Ok(Run(row.map_err(read_error)?, workspace))))
    }
}
