//! Times as the API writes and reads them.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::Offset;

pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// With an offset and without a fraction.
pub(super) fn render(time: Timestamp, offset: Offset) -> String {
    whole_second(time).display_with_offset(offset).to_string()
}

pub(super) fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A time in the one form that may be written: with an offset, without a fraction.
pub(super) fn parse_strictly(text: &str) -> Option<Timestamp> {
    if text.contains(['.', ',']) { None } else { parse(text) }
}

/// The form of the `Date` header.
pub(super) fn render_for_http(time: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_default()
}
