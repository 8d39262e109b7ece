//! What there is to know of somebody, before it takes the shape of an app.

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization as _;

/// Empty texts are not known.
#[derive(Clone, Debug, Default)]
pub(super) struct Face {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) mobile: String,
    pub(super) title: String,
    pub(super) city: String,
    pub(super) birthday: Option<Date>,
    pub(super) tags: Vec<String>,
    pub(super) is_opted_out: bool,
    pub(super) owner: String,
    /// The left app alone has room for these two.
    pub(super) other_phone: String,
    pub(super) private_email: String,
    /// How far east of UTC the midnight is that the left app keeps as the birthday, in hours.
    pub(super) midnight_east: i64,
}

/// An address that nobody else has, as long as the number is theirs alone.
pub(super) fn address(first_name: &str, last_name: &str, number: u32, host: &str) -> String {
    let number = number.to_string();
    let (first, last) = (plain_letters(first_name), plain_letters(last_name));
    // Other scripts leave nothing.
    let name = if first.is_empty() { "contact" } else { first.as_str() };
    let parts = [name, last.as_str(), number.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}@{host}", parts.join("."))
}

fn plain_letters(name: &str) -> String {
    name.nfd().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The same address as somebody types it at the start of a sentence.
pub(super) fn capitalised(address: &str) -> String {
    let mut letters = address.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The same number in another spelling. It has to be in three parts: country, area, line.
pub(super) fn respelled(number: &str, nth: usize) -> String {
    let parts: Vec<&str> = number.split(' ').collect();
    let &[country, area, line] = parts.as_slice() else { return number.to_owned() };
    let (head, tail) = line.split_at_checked(line.len() / 2).unwrap_or((line, ""));
    match nth {
        0 => format!("{country}{area}{line}"),
        1 => format!("{country} ({area}) {head}-{tail}"),
        _ => format!("{country}-{area}-{head}.{tail}"),
    }
}

/// How many spellings [`respelled`] knows.
pub(super) const SPELLINGS: usize = 3;

/// The number as one dials it inside Germany.
pub(super) fn national(number: &str) -> String {
    number.strip_prefix("+49 ").map_or_else(|| number.to_owned(), |rest| format!("0{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_plain_letters() {
        assert_eq!(address("José", "García Soto", 7, "x.example"), "jose.garciasoto.7@x.example");
        assert_eq!(address("Дмитрий", "Соколов", 8, "x.example"), "contact.8@x.example");
        assert_eq!(capitalised("jose.7@x.example"), "Jose.7@x.example");
    }

    #[test]
    fn a_number_has_several_spellings() {
        let number = "+49 151 20000017";
        assert_eq!(respelled(number, 0), "+4915120000017");
        assert_eq!(respelled(number, 1), "+49 (151) 2000-0017");
        assert_eq!(respelled(number, 2), "+49-151-2000.0017");
        assert_eq!(national(number), "0151 20000017");
    }
}
