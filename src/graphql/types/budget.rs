//! What accounts are asked, and what a plan would ask of them.

use async_graphql::{Context, SimpleObject};
use jiff::Timestamp;

use super::Side;
use crate::accounts::{self, Budget};
use crate::connections::{self, Means, forecast};
use crate::connectors;
use crate::graphql::error::{internal, read_error};
use crate::graphql::{Services, services};
use crate::record::{self, PerSide};
use crate::store::{self, Connection, PlanRow, WorkspaceId};

/// The credits of an account, in the time in which its app counts them.
#[derive(SimpleObject)]
pub struct Quota {
    /// How many it has, as its edition has them; none if that is not published.
    limit: Option<u64>,
    /// How many are used: by whomever if the app told how many are left of a limit that is known,
    /// otherwise by this server.
    used: u64,
    /// How many are left, if that is known.
    left: Option<u64>,
    /// Whether the app told how many are left, when it was asked last. Zoho does once half of them are
    /// used.
    is_told: bool,
    /// The time in which they are counted, in seconds: what was used longer ago counts no more.
    window_seconds: u64,
    /// When none of those that this server used counts any more, if it uses no others.
    resets_at: Option<String>,
}

impl From<accounts::Quota> for Quota {
    fn from(quota: accounts::Quota) -> Self {
        Self {
            limit: quota.limit,
            used: quota.used,
            left: quota.left,
            is_told: quota.is_told,
            window_seconds: quota.window.as_secs(),
            resets_at: quota.resets_at.map(|at| at.to_string()),
        }
    }
}

/// What an account was asked in an hour, by all servers and workers.
#[derive(SimpleObject)]
pub struct UsageHour {
    /// When the hour began.
    began_at: String,
    /// Requests that were sent.
    calls: u64,
    /// Answers that asked for a pause.
    pauses: u64,
    /// What the requests cost, where the app counts credits.
    credits: u64,
    /// How long answers were waited for, in seconds.
    seconds: f64,
}

impl From<store::UsageHour> for UsageHour {
    fn from(hour: store::UsageHour) -> Self {
        Self {
            began_at: hour.began_at.to_string(),
            calls: hour.calls,
            pauses: hour.pauses,
            credits: hour.credits,
            seconds: hour.took.as_secs_f64(),
        }
    }
}

/// What writing a plan would ask of both accounts, if nothing is refused and nothing changes meanwhile.
/// What is read to find changes is left out.
#[derive(SimpleObject)]
pub struct Forecast {
    /// Of each account.
    costs: Vec<ForecastCost>,
    /// How long it would take from the moment somebody agrees, in seconds; none if no request was sent
    /// in the last day that tells how long one takes, or it is not known how long has to be waited.
    seconds: Option<u64>,
    /// When it would be done if somebody agreed now.
    ends_at: Option<String>,
}

/// What writing a plan would ask of one account.
#[derive(SimpleObject)]
pub struct ForecastCost {
    /// Its side.
    side: Side,
    /// Requests that write, and those that have to look first.
    calls: u64,
    /// What they cost, where its app counts credits.
    credits: Option<u64>,
    /// How long has to be waited, at most, until enough credits count no more, in seconds; none if it
    /// is not known whether they suffice.
    waits_seconds: Option<u64>,
}

/// What writing this plan would ask; none if what it is to be written to is there no more, or if it was made
/// before this was counted.
pub(super) async fn of_plan(
    ctx: &Context<'_>,
    plan: &PlanRow,
    workspace: WorkspaceId,
) -> async_graphql::Result<Option<Forecast>> {
    let services = services(ctx)?;
    let known = services.store.connection(workspace, plan.connection).await;
    let Some(connection) = there(known)? else { return Ok(None) };
    let left = means(services, &connection, record::Side::Left).await?;
    let right = means(services, &connection, record::Side::Right).await?;
    let means = left.zip(right).map(|(left, right)| PerSide { left, right });
    let now = services.clock.now();
    Ok(means.and_then(|means| forecast(&plan.report, means)).map(|forecast| shown(&forecast, now)))
}

/// What was asked for, if it is there.
fn there<T>(found: store::Result<T>) -> async_graphql::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(store::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(read_error(error)),
    }
}

async fn means(
    services: &Services,
    connection: &Connection,
    side: record::Side,
) -> async_graphql::Result<Option<Means>> {
    let (store, workspace) = (&services.store, connection.workspace);
    let of_side = connection.feeds.iter().find(|feed| feed.side == side);
    let Some(feed) = of_side else { return Ok(None) };
    let Some(feed) = there(store.feed(workspace, feed.feed).await)? else { return Ok(None) };
    let account = there(store.account(workspace, feed.account).await)?;
    let Some(account) = account else { return Ok(None) };
    // This build may be without it.
    let Some(app) = connectors::app(&account.app) else { return Ok(None) };
    let budget = services.accounts.budget(&account).await.map_err(|error| internal(&error))?;
    let Budget { quota, per_call } = budget;
    Ok(Some(Means {
        capability: app.capability(),
        per_call,
        limit: quota.as_ref().and_then(|quota| quota.limit),
        left: quota.as_ref().and_then(|quota| quota.left),
    }))
}

fn shown(forecast: &connections::Forecast, now: Timestamp) -> Forecast {
    let costs = forecast.costs.iter().map(|(side, cost)| ForecastCost {
        side: side.into(),
        calls: cost.calls,
        credits: cost.credits,
        waits_seconds: cost.waits.map(|waits| waits.as_secs()),
    });
    let ends_at = forecast.takes.and_then(|takes| now.checked_add(takes).ok());
    Forecast {
        costs: costs.collect(),
        seconds: forecast.takes.map(|takes| takes.as_secs() + u64::from(takes.subsec_nanos() > 0)),
        ends_at: ends_at.map(|at| at.to_string()),
    }
}
