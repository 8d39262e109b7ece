//! How much a plan would ask of both accounts, and how long it would take: what a person wants to know
//! before agreeing to it.

use std::time::Duration;

use crate::connectors::Capability;
use crate::planner::{OpKind, Report};
use crate::record::{PerSide, Side};

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
    /// Requests that write.
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

/// How much writing what was counted here would ask. Full batches and no refusals: it can be more.
#[must_use]
pub fn forecast(report: &Report, means: PerSide<Means>) -> Forecast {
    let cost = |side: Side| means.of(side).cost(report, side);
    let costs = PerSide { left: cost(Side::Left), right: cost(Side::Right) };
    let working = costs.left.takes.zip(costs.right.takes).map(|(left, right)| left + right);
    let waiting = costs.left.waits.zip(costs.right.waits).map(|(left, right)| left.max(right));
    Forecast { costs, takes: working.zip(waiting).map(|(working, waiting)| working + waiting) }
}

impl Means {
    fn cost(&self, report: &Report, side: Side) -> Cost {
        let can = self.capability;
        let writes = |kind| report.writes.of(side).get(&kind).copied().unwrap_or_default();
        let (tagged, converted) = (writes(OpKind::Tags), writes(OpKind::Convert));
        let changed = writes(OpKind::Fields).max(writes(OpKind::Mark));
        // What is changed in a record travels together, but for tags where they have calls of their own.
        let changed = if can.tags_separate_call { changed } else { changed.max(tagged) };
        let tagged = if can.tags_separate_call { tagged } else { 0 };
        let sets = if tagged == 0 { 0 } else { report.tag_sets.of(side).count() };
        let waves = [writes(OpKind::Consent), changed, writes(OpKind::Create)];
        let batches = |records: u64| records.div_ceil(can.write_many_max.max(1) as u64);
        let calls = waves.into_iter().map(batches).sum::<u64>()
            + batches(tagged).max(sets)
            + converted * u64::from(can.conversion_calls);
        let credits = can.prices.map(|prices| {
            waves.into_iter().map(|records| records.div_ceil(prices.written.into())).sum::<u64>()
                + tagged.div_ceil(prices.tagged.into()).max(sets)
                + converted * u64::from(prices.conversion)
        });
        let takes = self.per_call.map(|each| each.saturating_mul(at_most(calls)));
        let takes = if calls == 0 { Some(Duration::ZERO) } else { takes };
        Cost { calls, credits, takes, waits: self.waits(credits.unwrap_or_default()) }
    }

    /// How long so many credits have to be waited for.
    fn waits(&self, credits: u64) -> Option<Duration> {
        let window = match self.capability.prices {
            Some(prices) if credits > 0 => prices.window,
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
    use crate::planner::TagChange;

    fn means(slug: &str) -> Means {
        let capability = app(slug).unwrap().capability();
        let per_call = Some(Duration::from_millis(500));
        Means { capability, per_call, limit: None, left: Some(u64::MAX) }
    }

    fn report(right: &[(OpKind, u64)]) -> Report {
        let writes = PerSide { right: right.iter().copied().collect(), ..PerSide::default() };
        Report { writes, ..Report::default() }
    }

    fn of(report: &Report, right: Means) -> Forecast {
        forecast(report, PerSide { left: means("kommo"), right })
    }

    #[test]
    fn writes_travel_in_batches_and_tags_where_they_have_calls_of_their_own() {
        let mut report =
            report(&[(OpKind::Create, 101), (OpKind::Fields, 250), (OpKind::Tags, 120)]);
        let zoho = of(&report, means("zoho")).costs.right;
        assert_eq!(zoho.calls, 2 + 3 + 2);
        assert_eq!(zoho.credits, Some(11 + 25 + 3));
        let kommo = of(&report, means("kommo")).costs.right;
        assert_eq!((kommo.calls, kommo.credits), (3 + 5, None), "tags travel with fields");
        assert_eq!(kommo.takes, Some(Duration::from_secs(4)));
        for number in 0..5 {
            let add = vec![number.to_string()];
            report.tag_sets.right.add(&TagChange { add, remove: Vec::new() });
        }
        let zoho = of(&report, means("zoho")).costs.right;
        assert_eq!(
            (zoho.calls, zoho.credits),
            (2 + 3 + 5, Some(11 + 25 + 5)),
            "each set has a call"
        );
    }

    #[test]
    fn a_conversion_has_calls_and_a_price_of_its_own() {
        let zoho = of(&report(&[(OpKind::Convert, 3)]), means("zoho")).costs.right;
        assert_eq!((zoho.calls, zoho.credits), (6, Some(18)));
    }

    #[test]
    fn what_the_credits_do_not_suffice_for_waits_for_the_next_day() {
        let report = report(&[(OpKind::Create, 50_000)]);
        let zoho = |left| Means { limit: Some(2_000), left: Some(left), ..means("zoho") };
        let day = Duration::from_secs(24 * 60 * 60);
        let working = Duration::from_secs(250);
        for (left, days) in [(5_000, 0), (4_999, 1), (2_000, 2), (0, 3)] {
            let forecast = of(&report, zoho(left));
            assert_eq!(forecast.costs.right.waits, Some(day * days), "{left} left");
            assert_eq!(forecast.takes, Some(working + day * days));
        }
        let untold = Means { left: None, ..zoho(0) };
        let unlimited = Means { limit: None, ..zoho(4_999) };
        for unknown in [untold, unlimited] {
            let forecast = of(&report, unknown);
            let known = (forecast.costs.right.waits, forecast.takes);
            assert_eq!(known, (None, None), "nothing is guessed");
        }
        let enough = Means { limit: None, ..zoho(5_000) };
        assert_eq!(of(&report, enough).takes, Some(working));
    }

    #[test]
    fn how_long_it_takes_is_said_only_if_it_is_known() {
        let unknown = Means { per_call: None, ..means("zoho") };
        assert_eq!(of(&report(&[(OpKind::Create, 1)]), unknown).takes, None);
        assert_eq!(of(&report(&[]), unknown).takes, Some(Duration::ZERO), "nothing is asked");
    }
}
