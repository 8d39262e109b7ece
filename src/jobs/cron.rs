//! Schedules by the clock on the wall: a cron expression in a time zone.
//!
//! Where clocks are put forward, what was to run at a set time within the missing hour runs right after
//! it; where they are put back, it runs once. What runs every hour or every few minutes goes on through
//! both, as Vixie's cron does it.

use croner::Cron as Pattern;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::planner::Cron;

/// Why a schedule can't be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronFault {
    /// It can't be read.
    #[error(
        "this is no cron expression: give minute, hour, day, month and weekday, such as \"0 6,12,18 * * *\""
    )]
    Expression,
    /// No such day ever comes.
    #[error("this never comes: name a day that there is")]
    Never,
    /// It is in no zone that is known.
    #[error(
        "there is no such time zone: give its name in the IANA database, such as Europe/Madrid"
    )]
    TimeZone,
}

/// Whether a schedule can be kept; `now` is any time from which it is to come.
///
/// # Errors
/// [`CronFault`] says what to give instead.
pub fn check_cron(cron: &Cron, now: Timestamp) -> Result<(), CronFault> {
    next(cron, now).map(|_| ())
}

/// When it comes for the first time after this.
pub(super) fn next(cron: &Cron, after: Timestamp) -> Result<Timestamp, CronFault> {
    let zone = TimeZone::get(&cron.time_zone).map_err(|_| CronFault::TimeZone)?;
    let pattern = pattern(&cron.expression)?;
    let found = pattern.find_next_occurrence(&after.to_zoned(zone), false);
    Ok(found.map_err(|_| CronFault::Never)?.timestamp())
}

/// Five fields: nothing runs more often than each minute, or in some years only.
fn pattern(expression: &str) -> Result<Pattern, CronFault> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(expression).map_err(|_| CronFault::Expression)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(expression: &str, time_zone: &str) -> Cron {
        Cron { expression: expression.to_owned(), time_zone: time_zone.to_owned() }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    /// The next four times, in UTC.
    fn times(expression: &str, time_zone: &str, after: &str) -> Vec<String> {
        let cron = cron(expression, time_zone);
        let mut last = at(after);
        let times = (0..4).map(|_| {
            last = next(&cron, last).unwrap();
            last.to_string()
        });
        times.collect()
    }

    #[test]
    fn it_comes_by_the_clock_on_the_wall() {
        assert_eq!(
            times("0 6,18 * * *", "America/New_York", "2026-07-01T00:00:00Z"),
            [
                "2026-07-01T10:00:00Z",
                "2026-07-01T22:00:00Z",
                "2026-07-02T10:00:00Z",
                "2026-07-02T22:00:00Z",
            ]
        );
        assert_eq!(
            times("*/20 9 * * 1-5", "Asia/Kolkata", "2026-07-03T03:45:00Z"),
            [
                "2026-07-03T03:50:00Z",
                "2026-07-03T04:10:00Z",
                "2026-07-06T03:30:00Z",
                "2026-07-06T03:50:00Z",
            ]
        );
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_comes_right_after_it_and_only_once() {
        // In Madrid 02:00 to 03:00 is missing on 29 March 2026.
        assert_eq!(
            times("30 2 * * *", "Europe/Madrid", "2026-03-27T12:00:00Z"),
            [
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z",
                "2026-03-31T00:30:00Z",
            ]
        );
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_comes_once() {
        // In Madrid 02:00 to 03:00 is twice on 25 October 2026.
        assert_eq!(
            times("30 2 * * *", "Europe/Madrid", "2026-10-23T12:00:00Z"),
            [
                "2026-10-24T00:30:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
                "2026-10-27T01:30:00Z",
            ]
        );
    }

    #[test]
    fn what_comes_every_hour_goes_on_through_both_days() {
        for day in ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
            let hours: Vec<i64> = times("0 * * * *", "Europe/Madrid", day)
                .iter()
                .map(|time| (at(time).as_second() - at(day).as_second()) / 3600)
                .collect();
            assert_eq!(hours, [1, 2, 3, 4], "{day}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_what_is_wrong_with_it() {
        for expression in ["", "hourly", "0 0 6 * * *", "61 * * * *", "0 6 * *", "0 6 * * * 2026"] {
            let refused = check_cron(&cron(expression, "UTC"), at("2026-01-01T00:00:00Z"));
            assert_eq!(refused, Err(CronFault::Expression), "{expression:?}");
        }
        for zone in ["", "Madrid", "Europe/Nowhere"] {
            let refused = check_cron(&cron("0 6 * * *", zone), at("2026-01-01T00:00:00Z"));
            assert_eq!(refused, Err(CronFault::TimeZone), "{zone:?}");
        }
        let refused = check_cron(&cron("0 6 30 2 *", "UTC"), at("2026-01-01T00:00:00Z"));
        assert_eq!(refused, Err(CronFault::Never));
        for expression in ["@daily", "0 6,12,18 * * MON-FRI", "*/20 9-17 * * 1-5", "0 6 L * *"] {
            let kept = check_cron(&cron(expression, "UTC"), at("2026-01-01T00:00:00Z"));
            assert_eq!(kept, Ok(()), "{expression}");
        }
    }
}
