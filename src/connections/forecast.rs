//! How much a plan would ask of both accounts, and how long it would take: what a person wants to know
//! before agreeing to it.

use std::time::Duration;

use crate::connectors::Capability;
use crate::planner::Report;
use crate::record::{PerSide, Toll};

/// What the account of a side can do and may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// What its app can do.
    pub capability: &'static Capability,
    /// From one request to the next; none if that is not known.
    pub per_call: Option<Duration>,
    /// How many credits it has in its app's time, if its app counts them and that is known.
    pub limit: Option<u64>,
    /// How many of them are left, if that is known.
    pub left: Option<u64>,
}

/// What writing a plan would ask of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Requests, with those that have to look before they write.
    pub calls: u64,
    /// What they cost, where the app counts credits.
    pub credits: Option<u64>,
    /// How long they take, if that is known.
    pub takes: Option<Duration>,
    /// How long they have to wait, at most, until enough credits count no more; none if it is not
    /// known how many are left, or how many there are.
    pub waits: Option<Duration>,
}

/// What writing a plan would ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Of each account.
    pub costs: PerSide<Cost>,
    /// How long it would take from the moment somebody agrees, if that is known: the sides are written
    /// one after the other, and wait at the same time.
    pub takes: Option<Duration>,
}

/// How much writing what was planned would ask; none of a plan that was made before this was counted. Without
/// refusals: it can be more. What changes meanwhile makes it more or less.
#[must_use]
pub fn forecast(report: &Report, means: PerSide<Means>) -> Option<Forecast> {
    let tolls = report.tolls?;
    let costs = PerSide::from_fn(|side| means.of(side).cost(*tolls.of(side)));
    let working = costs.left.takes.zip(costs.right.takes).map(|(left, right)| left + right);
    let waiting = costs.left.waits.zip(costs.right.waits).map(|(left, right)| left.max(right));
    let takes = working.zip(waiting).map(|(working, waiting)| working + waiting);
    Some(Forecast { costs, takes })
}

impl Means {
    fn cost(&self, toll: Toll) -> Cost {
        let Toll { calls, credits } = toll;
        let takes = self.per_call.map(|each| each.saturating_mul(at_most(calls)));
        let takes = if calls == 0 { Some(Duration::ZERO) } else { takes };
        let counted = self.capability.credit_window.map(|_| credits);
        Cost { calls, credits: counted, takes, waits: self.waits(credits) }
    }

    /// How long so many credits have to be waited for.
    fn waits(&self, credits: u64) -> Option<Duration> {
        let window = match self.capability.credit_window {
            Some(window) if credits > 0 => window,
            _ => return Some(Duration::ZERO),
        };
        let windows = match credits.saturating_sub(self.left?) {
            0 => 0,
            short => short.div_ceil(self.limit?.max(1)),
        };
        Some(window.saturating_mul(at_most(windows)))
    }
}

fn at_most(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::app;

    fn means(slug: &str) -> Means {
        let capability = app(slug).unwrap().capability();
        let per_call = Some(Duration::from_millis(500));
        Means { capability, per_call, limit: None, left: Some(u64::MAX) }
    }

    fn of(right: Toll, means_of_right: Means) -> Forecast {
        let tolls = Some(PerSide { left: Toll::default(), right });
        let means = PerSide { left: means("kommo"), right: means_of_right };
        forecast(&Report { tolls, ..Report::default() }, means).unwrap()
    }

    #[test]
    fn what_is_asked_takes_its_time_and_costs_credits_where_they_are_counted() {
        let toll = Toll { calls: 9, credits: 39 };
        let zoho = of(toll, means("zoho"));
        assert_eq!((zoho.costs.right.calls, zoho.costs.right.credits), (9, Some(39)));
        assert_eq!(zoho.takes, Some(Duration::from_millis(4_500)));
        let kommo = of(Toll::of_calls(9), means("kommo")).costs.right;
        assert_eq!((kommo.calls, kommo.credits, kommo.waits), (9, None, Some(Duration::ZERO)));
    }

    #[test]
    fn nothing_is_said_of_a_plan_that_was_made_before_it_was_counted() {
        let means = PerSide { left: means("kommo"), right: means("zoho") };
        assert_eq!(forecast(&Report::default(), means), None);
    }

    #[test]
    fn what_the_credits_do_not_suffice_for_waits_for_the_next_day() {
        let toll = Toll { calls: 500, credits: 5_000 };
        let zoho = |left| Means { limit: Some(2_000), left: Some(left), ..means("zoho") };
        let day = Duration::from_secs(24 * 60 * 60);
        let working = Duration::from_secs(250);
        for (left, days) in [(5_000, 0), (4_999, 1), (2_000, 2), (0, 3)] {
            let forecast = of(toll, zoho(left));
            assert_eq!(forecast.costs.right.waits, Some(day * days), "{left} left");
            assert_eq!(forecast.takes, Some(working + day * days));
        }
        let untold = Means { left: None, ..zoho(0) };
        let unlimited = Means { limit: None, ..zoho(4_999) };
        for unknown in [untold, unlimited] {
            let forecast = of(toll, unknown);
            let known = (forecast.costs.right.waits, forecast.takes);
            assert_eq!(known, (None, None), "nothing is guessed");
        }
        let enough = Means { limit: None, ..zoho(5_000) };
        assert_eq!(of(toll, enough).takes, Some(working));
    }

    #[test]
    fn how_long_it_takes_is_said_only_if_it_is_known() {
        let unknown = Means { per_call: None, ..means("zoho") };
        assert_eq!(of(Toll::of_call(1), unknown).takes, None);
        assert_eq!(of(Toll::default(), unknown).takes, Some(Duration::ZERO), "nothing is asked");
    }
}
