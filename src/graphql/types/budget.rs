//! What accounts are asked, and what a plan would ask of them.

use async_graphql::{Context, SimpleObject};
use jiff::Timestamp;

use super::Side;
use crate::accounts::{self, Budget};
use crate::connections::{self, Means, forecast};
use crate::connectors;
use crate::graphql::error::{internal, read_error};
use crate::graphql::services;
use crate::record::{self, PerSide};
use crate::store::{self, Connection, PlanRow};

/// The credits of an account, in the time in which its app counts them.
#[derive(SimpleObject)]
pub struct Quota {
    /// How many it has, as its edition has them; none if that is not published.
    limit: Option<u64>,
    /// How many are used: by whomever if the app told, otherwise by this server.
    used: u64,
    /// How many are left, if that is known.
    left: Option<u64>,
    /// Whether the app told how many are left. Zoho does once half of them are used.
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

/// What writing a plan would ask of both accounts, reading left out. Full batches and no refusals: it can be more.
#[derive(SimpleObject)]
pub struct Forecast {
    /// Of each account.
    costs: Vec<ForecastCost>,
    /// How long it would take from the moment somebody agrees, in seconds; none if no request was sent
    /// in the last day that tells how long one takes.
    seconds: Option<u64>,
    /// When it would be done if somebody agreed now.
    ends_at: Option<String>,
}

/// What writing a plan would ask of one account.
#[derive(SimpleObject)]
pub struct ForecastCost {
    /// Its side.
    side: Side,
    /// Requests that write.
    calls: u64,
    /// What they cost, where its app counts credits.
    credits: Option<u64>,
    /// How long has to be waited until enough credits count no more, in seconds.
    waits_seconds: u64,
}

/// What writing this plan would ask.
pub(super) async fn of_plan(
    ctx: &Context<'_>,
    plan: &PlanRow,
    connection: &Connection,
) -> async_graphql::Result<Forecast> {
    let left = means(ctx, connection, record::Side::Left).await?;
    let right = means(ctx, connection, record::Side::Right).await?;
    let now = services(ctx)?.clock.now();
    Ok(shown(&forecast(&plan.report, PerSide { left, right }), now))
}

async fn means(
    ctx: &Context<'_>,
    connection: &Connection,
    side: record::Side,
) -> async_graphql::Result<Means> {
    let services = services(ctx)?;
    let missing = || read_error(store::Error::NotFound("feed"));
    let feed = connection.feeds.iter().find(|feed| feed.side == side).ok_or_else(missing)?;
    let feed = services.store.feed(connection.workspace, feed.feed).await.map_err(read_error)?;
    let account = services.store.account(connection.workspace, feed.account).await;
    let account = account.map_err(read_error)?;
    let app = connectors::app(&account.app).ok_or_else(missing)?;
    let budget = services.accounts.budget(&account).await.map_err(|error| internal(&error))?;
    let Budget { quota, per_call } = budget;
    Ok(Means {
        capability: app.capability(),
        per_call,
        limit: quota.as_ref().and_then(|quota| quota.limit),
        left: quota.as_ref().and_then(|quota| quota.left),
    })
}

fn shown(forecast: &connections::Forecast, now: Timestamp) -> Forecast {
    let costs = forecast.costs.iter().map(|(side, cost)| ForecastCost {
        side: side.into(),
        calls: cost.calls,
        credits: cost.credits,
        waits_seconds: cost.waits.as_secs(),
    });
    let ends_at = forecast.takes.and_then(|takes| now.checked_add(takes).ok());
    Forecast {
        costs: costs.collect(),
        seconds: forecast.takes.map(|takes| takes.as_secs() + u64::from(takes.subsec_nanos() > 0)),
        ends_at: ends_at.map(|at| at.to_string()),
    }
}
