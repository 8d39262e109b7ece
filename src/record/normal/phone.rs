//! Phone numbers: E.164 where the number can be understood, else what was typed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use phonenumber::{PhoneNumber, country};
use serde::{Deserialize, Serialize};

use super::text;

/// A country as ISO 3166-1 alpha-2, by which numbers without a country code are read.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(country::Id);

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

/// Not a country code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no country; give two letters of ISO 3166-1, such as ES or US")]
pub struct UnknownRegion(String);

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        country::Id::from_str(&code.trim().to_ascii_uppercase())
            .map(Self)
            .map_err(|_| UnknownRegion(code.to_owned()))
    }
}

impl TryFrom<String> for Region {
    type Error = UnknownRegion;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        code.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0.as_ref().to_owned()
    }
}

/// How an app wants numbers written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PhoneFormat {
    /// `+34600123456`.
    E164,
    /// `+34 600 12 34 56`.
    International,
    /// `600 12 34 56`.
    National,
    /// `34600123456`.
    Digits,
    /// `tel:+34-600-12-34-56`.
    Rfc3966,
    /// As it was typed.
    AsIs,
}

/// E.164 if the number is a valid one, with its extension after an `x`; else the text itself.
pub(super) fn normal(number: &str, region: Option<&Region>) -> String {
    let typed = text::plain(number);
    let Some(e164) = parse(&typed, region).map(|parsed| e164(&parsed)) else { return typed };
    // Some numbers do not survive their own E.164 form; comparing must be stable, so they stay as
    // they were typed.
    match parse(&e164, region) {
        Some(again) if self::e164(&again) == e164 => e164,
        _ => typed,
    }
}

/// The number in the wanted form, or unchanged where it can't be understood.
#[must_use]
pub fn format(number: &str, region: Option<&Region>, format: PhoneFormat) -> String {
    let mode = match format {
        PhoneFormat::AsIs => return number.to_owned(),
        PhoneFormat::E164 | PhoneFormat::Digits => phonenumber::Mode::E164,
        PhoneFormat::International => phonenumber::Mode::International,
        PhoneFormat::National => phonenumber::Mode::National,
        PhoneFormat::Rfc3966 => phonenumber::Mode::Rfc3966,
    };
    let Some(parsed) = parse(&text::plain(number), region) else { return number.to_owned() };
    let formatted = parsed.format().mode(mode).to_string();
    if format == PhoneFormat::Digits {
        formatted.chars().filter(char::is_ascii_digit).collect()
    } else {
        formatted
    }
}

thread_local! {
    /// Parsing is a hundred times dearer than anything else here, and a run asks for the same few
    /// numbers again and again.
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// What was typed, with the country it was read by, and the number that it is, if it is one.
type Recent = HashMap<(Option<country::Id>, String), Option<PhoneNumber>>;

/// How many numbers are remembered.
const RECENT_MAX: usize = 512;

fn parse(number: &str, region: Option<&Region>) -> Option<PhoneNumber> {
    let key = (region.map(|region| region.0), number.to_owned());
    RECENT.with_borrow_mut(|recent| {
        if recent.len() >= RECENT_MAX {
            recent.clear();
        }
        recent.entry(key).or_insert_with(|| parse_anew(number, region)).clone()
    })
}

fn parse_anew(number: &str, region: Option<&Region>) -> Option<PhoneNumber> {
    // Long texts are notes, not numbers; the longest number with all its decoration is far shorter.
    if number.is_empty() || number.len() > 64 {
        return None;
    }
    let parsed = phonenumber::parse(region.map(|region| region.0), number).ok()?;
    parsed.is_valid().then_some(parsed)
}

fn e164(number: &PhoneNumber) -> String {
    let plain = number.format().mode(phonenumber::Mode::E164).to_string();
    // The crate's E.164 form may or may not carry the extension; ours always does.
    let plain = plain.split([';', 'x', ' ']).next().unwrap_or_default().to_owned();
    match number.extension() {
        Some(extension) => format!("{plain}x{extension}"),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spain() -> Region {
        "es".parse().unwrap()
    }

    #[test]
    fn national_and_international_forms_are_one_number() {
        let region = spain();
        for form in ["600 12 34 56", "+34 600-123-456", "0034600123456", "(600) 123456"] {
            assert_eq!(normal(form, Some(&region)), "+34600123456", "{form}");
        }
    }

    #[test]
    fn without_a_region_a_national_number_stays_as_typed() {
        assert_eq!(normal("600 12 34 56", None), "600 12 34 56");
    }

    #[test]
    fn an_extension_is_part_of_the_number() {
        let region: Region = "US".parse().unwrap();
        let with = normal("(415) 555-2671 ext. 12", Some(&region));
        assert_ne!(with, normal("(415) 555-2671", Some(&region)));
        assert_eq!(with, normal(&with, Some(&region)));
    }

    #[test]
    fn words_stay_words() {
        assert_eq!(normal("ask Eva", Some(&spain())), "ask Eva");
        assert_eq!(normal("2001", Some(&spain())), "2001");
    }

    #[test]
    fn each_format_is_written_as_named() {
        let region = spain();
        let write = |wanted| format("600123456", Some(&region), wanted);
        assert_eq!(write(PhoneFormat::E164), "+34600123456");
        assert_eq!(write(PhoneFormat::International), "+34 600 12 34 56");
        assert_eq!(write(PhoneFormat::National), "600 12 34 56");
        assert_eq!(write(PhoneFormat::Digits), "34600123456");
        assert_eq!(write(PhoneFormat::Rfc3966), "tel:+34-600-12-34-56");
        assert_eq!(write(PhoneFormat::AsIs), "600123456");
    }

    #[test]
    fn a_wrong_region_says_what_to_give() {
        let error = "Spain".parse::<Region>().unwrap_err();
        assert!(error.to_string().contains("two letters"));
    }
}
