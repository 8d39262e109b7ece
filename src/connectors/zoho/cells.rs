//! A cell of a bulk file, as a list would tell the same value. How a file writes values is not documented but
//! for times, so whatever could be meant otherwise is not guessed: then the record is read.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::convert::moment;
use crate::record::{Field, FieldType};

/// Longer texts may be cut off in a file.
const TEXT_MAX: usize = 255;

/// What a list would tell of this field. None where the cell does not say for sure. `users` are the e-mail
/// addresses of users by id.
pub(super) fn told(cell: &str, field: &Field, users: &BTreeMap<String, String>) -> Option<Json> {
    if cell.is_empty() {
        let is_told = !matches!(field.kind, FieldType::Boolean | FieldType::Consent);
        return is_told.then(|| if field.kind == FieldType::Tag { json!([]) } else { Json::Null });
    }
    if field.many {
        return single(cell, field).map(|one| json!([one]));
    }
    match field.kind {
        FieldType::Text | FieldType::Email | FieldType::Phone => {
            let may_be_cut = field.max_len.is_some_and(|longest| longest > TEXT_MAX);
            // Spreadsheets are kept from calculating by a quote in front.
            let is_sure = !may_be_cut && cell.chars().count() < TEXT_MAX && !cell.starts_with('\'');
            is_sure.then(|| json!(cell))
        }
        FieldType::Choice => is_option(cell, field).then(|| json!(cell)),
        FieldType::Boolean | FieldType::Consent => match cell {
            "true" => Some(json!(true)),
            "false" => Some(json!(false)),
            _ => None,
        },
        FieldType::Number => cell.parse::<Decimal>().ok().map(|number| json!(number.normalize())),
        FieldType::Date => cell.parse::<jiff::civil::Date>().ok().map(|_| json!(cell)),
        FieldType::DateTime => moment(cell).map(|_| json!(cell)),
        FieldType::User => users.get(cell).map(|email| json!({ "id": cell, "email": email })),
        FieldType::Company => is_id(cell).then(|| json!({ "id": cell })),
        FieldType::Tag => None,
    }
}

/// The only one of several: what stands between several is not known.
fn single(cell: &str, field: &Field) -> Option<Json> {
    let is_plain =
        cell.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'));
    match field.kind {
        // Numbers may be the ids of tags.
        FieldType::Tag => (is_plain && !is_id(cell)).then(|| json!({ "name": cell })),
        FieldType::Choice => (is_plain && is_option(cell, field)).then(|| json!(cell)),
        _ => None,
    }
}

fn is_option(cell: &str, field: &Field) -> bool {
    field.options.contains_key(cell)
}

fn is_id(cell: &str) -> bool {
    cell.bytes().all(|sign| sign.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> Field {
        Field::new("F", kind)
    }

    #[test]
    fn a_cell_is_told_as_a_list_tells_it_or_not_at_all() {
        let users = BTreeMap::from([("42".to_owned(), "eva@x.es".to_owned())]);
        let options = || [("a".to_owned(), "A".to_owned())].into_iter().collect();
        let choice = Field { options: options(), ..field(FieldType::Choice) };
        let several = Field { many: true, options: options(), ..field(FieldType::Choice) };
        let tags = Field { many: true, ..field(FieldType::Tag) };
        let long = Field { max_len: Some(32_000), ..field(FieldType::Text) };
        let of = field;
        let cases = [
            (of(FieldType::Text), "", Some(Json::Null)),
            (of(FieldType::Text), "Ana ", Some(json!("Ana "))),
            (of(FieldType::Phone), "+34 600", Some(json!("+34 600"))),
            (of(FieldType::Phone), "'+34 600", None),
            (long.clone(), "short", None),
            (long, "", Some(Json::Null)),
            (of(FieldType::Boolean), "true", Some(json!(true))),
            (of(FieldType::Consent), "false", Some(json!(false))),
            (of(FieldType::Consent), "", None),
            (of(FieldType::Boolean), "1", None),
            (of(FieldType::Number), "12.50", Some(json!("12.5"))),
            (of(FieldType::Number), "1,250.5", None),
            (of(FieldType::Date), "2026-08-01", Some(json!("2026-08-01"))),
            (of(FieldType::Date), "08/01/2026", None),
            (
                of(FieldType::DateTime),
                "2026-08-01T10:00:00+02:00",
                Some(json!("2026-08-01T10:00:00+02:00")),
            ),
            (of(FieldType::DateTime), "2026-08-01 10:00", None),
            (of(FieldType::User), "42", Some(json!({"id": "42", "email": "eva@x.es"}))),
            (of(FieldType::User), "Eva", None),
            (of(FieldType::Company), "77", Some(json!({"id": "77"}))),
            (of(FieldType::Company), "Acme", None),
            (choice.clone(), "a", Some(json!("a"))),
            (choice, "A", None),
            (several.clone(), "a", Some(json!(["a"]))),
            (several, "a;a", None),
            (tags.clone(), "", Some(json!([]))),
            (tags.clone(), "vip 1", Some(json!([{"name": "vip 1"}]))),
            (tags.clone(), "5725767000000524", None),
            (tags, "vip;new", None),
        ];
        for (field, cell, says) in cases {
            assert_eq!(told(cell, &field, &users), says, "{:?} {cell}", field.kind);
        }
        let endless = "x".repeat(TEXT_MAX);
        assert_eq!(told(&endless, &field(FieldType::Text), &users), None);
    }
}
