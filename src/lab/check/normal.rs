//! What values come to, whatever their spelling.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_normalization::UnicodeNormalization as _;

/// Blanks collapse, and each accent has one form only.
pub(super) fn text(raw: &str) -> String {
    let composed: String = raw.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn email(raw: &str) -> String {
    raw.trim().to_lowercase()
}

/// The digits, with Germany's country code where there is none. A note remains a note.
pub(super) fn phone(raw: &str) -> String {
    let words = text(raw);
    if words.chars().any(char::is_alphabetic) {
        return words;
    }
    let digits: String = words.chars().filter(char::is_ascii_digit).collect();
    if words.starts_with('+') {
        return digits;
    }
    if let Some(international) = digits.strip_prefix("00") {
        return international.to_owned();
    }
    match digits.strip_prefix('0') {
        Some(national) => format!("49{national}"),
        None => digits,
    }
}

const DAY: i64 = 86_400;

/// The day whose midnight in UTC is nearest to this Unix time, which stands for midnight somewhere.
pub(super) fn day(seconds: i64) -> Option<String> {
    let days = seconds.checked_add(DAY / 2)?.div_euclid(DAY);
    let midnight = Timestamp::from_second(days.checked_mul(DAY)?).ok()?;
    Some(TimeZone::UTC.to_datetime(midnight).date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_the_same_in_every_spelling() {
        for spelling in
            ["+49 151 2345-6789", "0151 23456789", "(0151) 23456789", "0049 151 23456789"]
        {
            assert_eq!(phone(spelling), "4915123456789", "{spelling}");
        }
        assert_eq!(phone("600 123 456"), "600123456");
        assert_eq!(phone("call  after 6"), "call after 6");
    }

    #[test]
    fn texts_differ_by_more_than_blanks_and_the_form_of_accents() {
        assert_eq!(text("  Jose\u{301}  Luis "), "José Luis");
        assert_ne!(text("jose"), text("Jose"));
        assert_eq!(email(" Ana@X.example "), "ana@x.example");
    }

    #[test]
    fn a_birthday_is_the_nearest_midnight() {
        for hours in [-11, -2, 0, 5, 11] {
            assert_eq!(day(hours * 3_600).as_deref(), Some("1970-01-01"), "{hours}");
        }
        assert_eq!(day(-DAY).as_deref(), Some("1969-12-31"));
        assert_eq!(day(i64::MAX), None);
    }
}
