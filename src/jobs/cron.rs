//! Schedules by the clock on the wall: a cron expression in a time zone.
//!
//! Where clocks are put forward, what was to run at set times within the missing hour runs right after
//! it, once; where they are put back, each set time comes once. What runs every hour or every few minutes
//! (`*` in its hours or minutes) goes on through both, as Vixie's cron does it.

use croner::Cron as Pattern;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

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
    if !is_at_set_times(&cron.expression) {
        let found = pattern.find_next_occurrence(&after.to_zoned(zone), false);
        return Ok(found.map_err(|_| CronFault::Never)?.timestamp());
    }
    let mut wall = after.to_zoned(zone.clone()).datetime();
    loop {
        let days = wall.to_zoned(TimeZone::UTC).map_err(|_| CronFault::Never)?;
        let found = pattern.find_next_occurrence(&days, false);
        wall = found.map_err(|_| CronFault::Never)?.datetime();
        // What the clocks show twice may be past already, the first time.
        if let Some(at) = on_the_wall(&zone, wall).filter(|at| *at > after) {
            return Ok(at);
        }
    }
}

/// When a wall shows this for the first time; where it never does, when the clocks leave it out.
fn on_the_wall(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let at = zone.to_ambiguous_timestamp(wall);
    let is_left_out = matches!(at.offset(), AmbiguousOffset::Gap { .. });
    let earlier = at.earlier().ok()?;
    if !is_left_out {
        return Some(earlier);
    }
    Some(zone.following(earlier).next()?.timestamp())
}

/// Whether hours and minutes are named, not all of them or every so many.
fn is_at_set_times(expression: &str) -> bool {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    match fields.as_slice() {
        [name] => !name.eq_ignore_ascii_case("@hourly"),
        [minute, hour, ..] => !minute.contains('*') && !hour.contains('*'),
        [] => false,
    }
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
    fn each_of_several_set_times_comes_once() {
        assert_eq!(
            times("30 2,14 * * *", "Europe/Madrid", "2026-03-28T12:00:00Z"),
            [
                "2026-03-28T13:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T12:30:00Z",
                "2026-03-30T00:30:00Z",
            ]
        );
        assert_eq!(
            times("10,50 2 * * *", "Europe/Madrid", "2026-03-28T12:00:00Z")[..2],
            ["2026-03-29T01:00:00Z", "2026-03-30T00:10:00Z"],
            "both are left out: it runs once"
        );
        assert_eq!(
            times("30 2,14 * * *", "Europe/Madrid", "2026-10-24T13:00:00Z"),
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T13:30:00Z",
                "2026-10-26T01:30:00Z",
                "2026-10-26T13:30:00Z",
            ]
        );
        // In Cairo midnight itself is left out.
        assert_eq!(
            times("0 0,12 * * *", "Africa/Cairo", "2026-04-23T11:00:00Z")[..2],
            ["2026-04-23T22:00:00Z", "2026-04-24T09:00:00Z"]
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
