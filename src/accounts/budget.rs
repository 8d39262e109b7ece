//! What an account may still be asked, and how long its app takes to answer.

use std::time::Duration;

use jiff::Timestamp;

use super::{Accounts, Result, app};
use crate::store::{Account, UsageHour};

/// What an account may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its credits, where its app counts them.
    pub quota: Option<Quota>,
    /// From one request to the next, at the pace that is kept and as fast as the app answered in the
    /// last day; none if it was not asked.
    pub per_call: Option<Duration>,
}

/// The credits of an account in the time in which its app counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many it has, if that is known.
    pub limit: Option<u64>,
    /// How many are used, by whomever if the app told, otherwise by this server.
    pub used: u64,
    /// How many are left, if that is known.
    pub left: Option<u64>,
    /// Whether the app told how many are left.
    pub is_told: bool,
    /// The time in which they are counted.
    pub window: Duration,
    /// When none of those that this server used counts any more, if it uses no others.
    pub resets_at: Option<Timestamp>,
}

/// How far back answers tell how fast the app is.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Hours are written down whole: the oldest is partly too old.
const HOUR: Duration = Duration::from_secs(60 * 60);

impl Accounts {
    /// What an account may be asked.
    ///
    /// # Errors
    /// [`Error::Store`](super::Error::Store).
    pub async fn budget(&self, account: &Account) -> Result<Budget> {
        let app = app(&account.app)?;
        let counted = app.capability().credit_window;
        let window = counted.map_or(DAY, |window| window.max(DAY));
        let now = self.world.clock.now();
        let since = now.checked_sub(window + HOUR).unwrap_or(Timestamp::MIN);
        let hours = self.store.usage(account.workspace, account.id, since).await?;
        let pace = Duration::from_secs(1) / self.world.per_second(app.about()).max(1);
        let quota = counted.map(|window| quota(account.allowance, window, &hours, now));
        Ok(Budget { quota, per_call: mean(&hours).map(|took| took.max(pace)) })
    }
}

fn quota(limit: Option<u64>, window: Duration, hours: &[UsageHour], now: Timestamp) -> Quota {
    let since = now.checked_sub(window).unwrap_or(Timestamp::MIN);
    let end = |hour: &UsageHour| hour.began_at.checked_add(HOUR).unwrap_or(Timestamp::MAX);
    let counted = || hours.iter().filter(|hour| end(hour) > since);
    let spent: u64 = counted().map(|hour| hour.credits).sum();
    let told = counted().find_map(|hour| hour.told).and_then(|told| told.left);
    // Credits may have been bought beside the licence: then more can be left than there should be.
    let used_by_all = limit.zip(told).and_then(|(limit, left)| limit.checked_sub(left));
    let resets_at = counted().find(|hour| hour.credits > 0);
    Quota {
        limit,
        used: used_by_all.unwrap_or(spent),
        left: told.or(limit.map(|limit| limit.saturating_sub(spent))),
        is_told: told.is_some(),
        window,
        resets_at: resets_at.and_then(|hour| end(hour).checked_add(window).ok()),
    }
}

/// How long an answer took.
fn mean(hours: &[UsageHour]) -> Option<Duration> {
    let calls = u32::try_from(hours.iter().map(|hour| hour.calls).sum::<u64>()).ok()?;
    hours.iter().map(|hour| hour.took).sum::<Duration>().checked_div(calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ToldLeft;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn hour(began_at: &str, credits: u64, told: Option<Option<u64>>) -> UsageHour {
        let (took, at) = (Duration::from_secs(credits), at(began_at));
        let told = told.map(|left| ToldLeft { at, left });
        UsageHour { calls: credits, credits, told, took, ..UsageHour::new(at) }
    }

    #[test]
    fn what_was_used_longer_ago_counts_no_more() {
        let hours = [
            hour("2026-11-23T07:00:00Z", 30, None),
            hour("2026-11-22T08:00:00Z", 200, None),
            hour("2026-11-22T07:00:00Z", 1_000, None),
        ];
        let quota = quota(Some(5_000), DAY, &hours, at("2026-11-23T08:30:00Z"));
        assert_eq!((quota.used, quota.left, quota.is_told), (230, Some(4_770), false));
        assert_eq!(quota.resets_at, Some(at("2026-11-24T08:00:00Z")));
    }

    #[test]
    fn what_the_app_told_last_counts_what_others_used() {
        let hours = [
            hour("2026-11-23T08:00:00Z", 10, Some(Some(1_500))),
            hour("2026-11-23T07:00:00Z", 30, Some(Some(2_400))),
        ];
        let now = at("2026-11-23T08:30:00Z");
        let told = quota(Some(5_000), DAY, &hours, now);
        assert_eq!((told.used, told.left, told.is_told), (3_500, Some(1_500), true));
        let bought = quota(Some(1_000), DAY, &hours, now);
        assert_eq!((bought.used, bought.left), (40, Some(1_500)), "more than the licence has");
        let unknown = quota(None, DAY, &hours, now);
        assert_eq!((unknown.used, unknown.left, unknown.limit), (40, Some(1_500), None));
        let silent = [hour("2026-11-23T08:00:00Z", 10, None), hours[1]];
        let silent = super::quota(Some(5_000), DAY, &silent, now);
        assert_eq!((silent.left, silent.is_told), (Some(2_400), true), "nothing was said since");
        let freed = [hour("2026-11-23T08:00:00Z", 10, Some(None)), hours[1]];
        let freed = quota(Some(5_000), DAY, &freed, now);
        assert_eq!((freed.used, freed.is_told), (40, false), "less than half is used again");
    }

    #[test]
    fn an_account_that_was_not_asked_has_used_nothing() {
        let quota = quota(Some(5_000), DAY, &[], at("2026-11-23T08:30:00Z"));
        assert_eq!((quota.used, quota.left, quota.resets_at), (0, Some(5_000), None));
        assert_eq!(mean(&[]), None);
        let hours = [hour("2026-11-23T08:00:00Z", 4, None)];
        assert_eq!(mean(&hours), Some(Duration::from_secs(1)));
    }
}
