//! Days, which Kommo keeps as the moment of their midnight in the account's time zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::api::Api;
use super::auth;
use crate::connectors::Result;

/// How days are kept in an account: in its time zone; none where it names none that is known here.
#[derive(Clone, Debug, Default)]
pub(super) struct Days(Option<TimeZone>);

impl Days {
    /// Asks the account.
    pub(super) async fn load(api: &Api) -> Result<Self> {
        Ok(Self::of(auth::account(api, "time_zone").await?.time_zone()))
    }

    /// Days of a time zone (IANA name).
    pub(super) fn of(time_zone: Option<&str>) -> Self {
        Self(time_zone.and_then(|name| TimeZone::get(name).ok()))
    }

    /// The day that people see. Without a time zone, that of the nearest midnight of UTC: it is the
    /// same day everywhere from UTC-11 to UTC+12.
    pub(super) fn day(&self, at: Timestamp) -> Date {
        match &self.0 {
            Some(zone) => zone.to_datetime(at).date(),
            None => {
                let shifted = Timestamp::from_second(at.as_second() + 12 * 3600).unwrap_or(at);
                TimeZone::UTC.to_datetime(shifted).date()
            }
        }
    }

    /// The seconds since 1970 at which the day begins; where the clock skips midnight, its first
    /// moment after. Without a time zone, those of 11:00 UTC, which is on that day from UTC-11 to
    /// UTC+12.
    pub(super) fn moment(&self, day: Date) -> i64 {
        let moment = match &self.0 {
            Some(zone) => zone.to_timestamp(day.at(0, 0, 0, 0)),
            None => TimeZone::UTC.to_timestamp(day.at(11, 0, 0, 0)),
        };
        moment.map_or(0, Timestamp::as_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn day_at(days: &Days, text: &str) -> Date {
        days.day(text.parse().unwrap())
    }

    #[test]
    fn a_day_is_that_of_the_account_far_east_and_far_west() {
        let auckland = Days::of(Some("Pacific/Auckland"));
        // Summer there: UTC+13.
        assert_eq!(day_at(&auckland, "2026-01-14T11:00:00Z"), date("2026-01-15"));
        assert_eq!(day_at(&auckland, "2026-01-15T10:59:59Z"), date("2026-01-15"));
        assert_eq!(auckland.moment(date("2026-01-15")), seconds("2026-01-14T11:00:00Z"));
        // Winter: UTC+12.
        assert_eq!(auckland.moment(date("2026-07-15")), seconds("2026-07-14T12:00:00Z"));
        let new_york = Days::of(Some("America/New_York"));
        assert_eq!(day_at(&new_york, "2026-01-15T05:00:00Z"), date("2026-01-15"));
        assert_eq!(day_at(&new_york, "2026-01-15T04:59:59Z"), date("2026-01-14"));
        assert_eq!(new_york.moment(date("2026-07-15")), seconds("2026-07-15T04:00:00Z"));
    }

    #[test]
    fn days_on_which_the_clock_changes_survive() {
        for (zone, days) in [
            ("Pacific/Auckland", ["2026-04-05", "2026-04-06", "2026-09-27", "2026-09-28"]),
            ("America/New_York", ["2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02"]),
            // Here midnight itself is skipped, and comes twice.
            ("Africa/Cairo", ["2026-04-24", "2026-04-25", "2026-10-29", "2026-10-30"]),
            ("America/Havana", ["2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02"]),
        ] {
            let kept = Days::of(Some(zone));
            for day in days.map(date) {
                let moment = Timestamp::from_second(kept.moment(day)).unwrap();
                assert_eq!(kept.day(moment), day, "{zone}");
            }
        }
    }

    #[test]
    fn birthdays_of_long_ago_survive() {
        for zone in ["Pacific/Auckland", "America/New_York", "Europe/Madrid", "Asia/Kolkata"] {
            let kept = Days::of(Some(zone));
            for day in ["1900-02-28", "1938-06-30", "1969-12-31", "1970-01-01"].map(date) {
                let moment = Timestamp::from_second(kept.moment(day)).unwrap();
                assert_eq!(kept.day(moment), day, "{zone}");
            }
        }
    }

    #[test]
    fn without_a_zone_a_day_stays_the_same_nearly_everywhere() {
        for unknown in [None, Some(""), Some("Mars/Olympus_Mons")] {
            let days = Days::of(unknown);
            let day = date("2026-08-01");
            for hours in -11..=12 {
                let zone = TimeZone::fixed(jiff::tz::offset(hours));
                let midnight = zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap();
                assert_eq!(days.day(midnight), day, "{hours}");
            }
            assert_eq!(days.day(Timestamp::from_second(days.moment(day)).unwrap()), day);
        }
    }
}
