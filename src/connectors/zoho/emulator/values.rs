//! Which values a field takes.

use serde_json::Value;

use super::fields::{Field, Kind};
use super::records::id_in;
use super::state::State;
use super::times;

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Not of the kind that is named.
    Kind(&'static str),
    /// Longer than this.
    Length(u64),
    /// It refers to nobody.
    Reference,
}

impl State {
    /// Whether a field takes a value. `null` clears any.
    pub(super) fn check_value(&self, field: &Field, value: &Value) -> Result<(), Wrong> {
        if value.is_null() {
            return Ok(());
        }
        let fits = match field.kind {
            Kind::Text | Kind::TextArea | Kind::Website | Kind::Picklist | Kind::Image => {
                return check_text(field, value, |_| true);
            }
            Kind::Email => return check_text(field, value, is_email),
            Kind::Phone => return check_text(field, value, is_phone),
            Kind::BigInt => return check_text(field, value, is_number),
            Kind::Date => value.as_str().is_some_and(is_date),
            Kind::DateTime => value.as_str().is_some_and(|t| times::parse_strictly(t).is_some()),
            Kind::Integer => return check_integer(field, value),
            Kind::Currency | Kind::Double | Kind::Percent => value.is_number(),
            Kind::Boolean => value.is_boolean(),
            Kind::Lookup | Kind::Owner | Kind::User => return self.check_reference(field, value),
            Kind::MultiPicklist => are_all(value, Value::is_string),
            Kind::Tags => are_all(value, is_tag),
            // The system's own.
            Kind::Layout => true,
        };
        if fits { Ok(()) } else { Err(wrong_kind(field)) }
    }

    fn check_reference(&self, field: &Field, value: &Value) -> Result<(), Wrong> {
        if !value.is_object() {
            return Err(wrong_kind(field));
        }
        let is_there = |id: &str| match (field.kind, field.target) {
            (Kind::Lookup, Some(module)) => self.live(module, id).is_some(),
            // A module that this account does not have.
            (Kind::Lookup, None) => false,
            _ => self.is_user(id),
        };
        if id_in(value).is_some_and(is_there) { Ok(()) } else { Err(Wrong::Reference) }
    }
}

fn wrong_kind(field: &Field) -> Wrong {
    Wrong::Kind(match field.kind.json_type() {
        name @ ("jsonobject" | "jsonarray") => name,
        _ => field.kind.data_type(),
    })
}

fn check_text(field: &Field, value: &Value, is_good: fn(&str) -> bool) -> Result<(), Wrong> {
    let Some(text) = value.as_str() else { return Err(wrong_kind(field)) };
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if length > field.length {
        Err(Wrong::Length(field.length))
    } else if text.is_empty() || is_good(text) {
        Ok(())
    } else {
        Err(wrong_kind(field))
    }
}

fn check_integer(field: &Field, value: &Value) -> Result<(), Wrong> {
    let Some(number) = value.as_i64() else { return Err(wrong_kind(field)) };
    let digits = number.unsigned_abs().to_string();
    if u64::try_from(digits.len()).unwrap_or(u64::MAX) > field.length {
        return Err(Wrong::Length(field.length));
    }
    Ok(())
}

fn are_all(value: &Value, is_good: fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(is_good))
}

/// A tag is told by its name or by its id.
fn is_tag(value: &Value) -> bool {
    let says = |key: &str| value.get(key).and_then(Value::as_str).is_some_and(|t| !t.is_empty());
    says("name") || says("id")
}

/// The pattern that is published: it knows letters of all scripts, and few signs to begin with.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let may_begin = |c: char| c.is_alphanumeric() || "_+-".contains(c);
    let may_be_local = |c: char| c.is_alphanumeric() || "._+-&'/!#$%*=?^`{|}~".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let Some((_, top)) = domain.rsplit_once('.') else { return false };
    local.starts_with(may_begin)
        && local.chars().all(may_be_local)
        && domain.split('.').all(is_label)
        && (2..=22).contains(&top.chars().count())
        && top.chars().all(char::is_alphabetic)
}

/// Digits, and what people write between them; letters are refused.
fn is_phone(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "+-.() ,;#/*".contains(c))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_follow_the_published_pattern() {
        for good in ["ana@example.com", "_a@x.es", "+a@x.es", "josé@exámple.es", "o'b@a-b.co.uk"]
        {
            assert!(is_email(good), "{good}");
        }
        for bad in ["ana", "@x.es", ".a@x.es", "a@x", "a@x.e", "a@x.c0m", "a b@x.es", "a@@x.es"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn phones_have_digits_and_no_letters() {
        assert!(is_phone("+34 (600) 12-34-56"));
        assert!(!is_phone("600 ext 5"));
        assert!(!is_phone("---"));
    }
}
