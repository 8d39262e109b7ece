//! The fields of contacts, as the account describes them.

use super::api::Api;
use super::labelled::PRIMARY;
use super::wire::FieldAbout;
use crate::connectors::Result;
use crate::record::{Choices, Field, FieldId, FieldType, Schema, Semantic};

pub(super) const NAME: &str = "name";
pub(super) const FIRST_NAME: &str = "first_name";
pub(super) const LAST_NAME: &str = "last_name";
pub(super) const OWNER: &str = "responsible_user_id";
pub(super) const TAGS: &str = "tags";

/// Fields that every account has, known by their codes. All others by their ids: names are translated.
const PREDEFINED: [&str; 6] = ["PHONE", "EMAIL", "POSITION", "WEB", "IM", "ADDRESS"];

/// The longest text that a field of one line keeps.
const TEXT_MAX: usize = 256;
/// The longest name.
const NAME_MAX: usize = 255;

/// The id of a custom field.
pub(super) fn id(number: u64, code: Option<&str>) -> FieldId {
    match code {
        Some(code) if PREDEFINED.contains(&code) => FieldId::new(code),
        _ => FieldId::new(format!("cf_{number}")),
    }
}

/// Whether this field is of every contact, rather than one that an account may have or not.
pub(super) fn is_built_in(id: &str) -> bool {
    matches!(id, NAME | FIRST_NAME | LAST_NAME | OWNER | TAGS)
}

/// Whether a field of this type holds a day.
pub(super) fn is_day(kind: &str) -> bool {
    matches!(kind, "date" | "birthday")
}

/// Whether a field of this type is a list of labelled values.
pub(super) fn is_labelled(kind: &str) -> bool {
    matches!(kind, "multitext" | "smart_address")
}

/// All fields: the built-in ones, and the custom ones with their options, page by page.
pub(super) async fn describe(api: &Api) -> Result<Schema> {
    let mut fields = built_in();
    for page in 1.. {
        let path = format!("/api/v4/contacts/custom_fields?limit=250&page={page}");
        let list = api.read_list(&path, "describe").await?;
        let has_next = list.has_next;
        fields.extend(list.elements::<FieldAbout>("custom_fields")?.iter().flat_map(custom));
        if !has_next {
            break;
        }
    }
    Ok(fields.into_iter().collect())
}

fn built_in() -> Vec<Field> {
    let text = |id: &str, label: &str, semantic| Field {
        label: label.to_owned(),
        semantic: Some(semantic),
        max_len: Some(NAME_MAX),
        ..Field::new(id, FieldType::Text)
    };
    vec![
        text(NAME, "Full name", Semantic::NameFull),
        text(FIRST_NAME, "First name", Semantic::NameFirst),
        text(LAST_NAME, "Last name", Semantic::NameLast),
        Field {
            label: "Responsible user".to_owned(),
            semantic: Some(Semantic::Owner),
            ..Field::new(OWNER, FieldType::User)
        },
        Field {
            label: "Tags".to_owned(),
            semantic: Some(Semantic::Tags),
            many: true,
            ..Field::new(TAGS, FieldType::Tag)
        },
    ]
}

fn custom(about: &FieldAbout) -> Vec<Field> {
    if is_labelled(&about.kind) {
        return labelled(about);
    }
    let (kind, many, max_len) = match about.kind.as_str() {
        "text" | "streetaddress" => (FieldType::Text, false, Some(TEXT_MAX)),
        "textarea" | "url" => (FieldType::Text, false, None),
        "numeric" | "monetary" | "price" => (FieldType::Number, false, None),
        "checkbox" => (FieldType::Boolean, false, None),
        "select" | "radiobutton" => (FieldType::Choice, false, None),
        "multiselect" => (FieldType::Choice, true, None),
        kind if is_day(kind) => (FieldType::Date, false, None),
        "date_time" => (FieldType::DateTime, false, None),
        // Files, linked records and the like have no counterpart elsewhere.
        _ => return Vec::new(),
    };
    let id = id(about.id, about.code.as_deref());
    let semantic = match (id.as_str(), about.kind.as_str()) {
        ("POSITION", _) => Some(Semantic::JobTitle),
        ("WEB", _) => Some(Semantic::Website),
        (_, "birthday") => Some(Semantic::Birthday),
        _ => None,
    };
    let options: Choices = if kind == FieldType::Choice {
        about.enums.iter().flatten().map(|o| (o.id.to_string(), o.value.clone())).collect()
    } else {
        Choices::new()
    };
    vec![Field {
        label: about.name.clone(),
        many,
        max_len,
        options,
        semantic,
        api_only: about.is_api_only,
        ..Field::new(id, kind)
    }]
}

/// The whole list, its first value, and the first value of each label.
fn labelled(about: &FieldAbout) -> Vec<Field> {
    let whole = id(about.id, about.code.as_deref());
    let kind = match whole.as_str() {
        "PHONE" => FieldType::Phone,
        "EMAIL" => FieldType::Email,
        _ => FieldType::Text,
    };
    let list = Field {
        label: about.name.clone(),
        many: true,
        // Of other lists the labels mean something that no other app knows.
        writable: kind != FieldType::Text,
        api_only: about.is_api_only,
        semantic: match kind {
            FieldType::Phone => Some(Semantic::PhoneAll),
            FieldType::Email => Some(Semantic::EmailAll),
            _ => None,
        },
        ..Field::new(whole.clone(), kind)
    };
    let part = |name: &str, semantic| Field {
        label: format!("{} ({})", about.name, name.to_lowercase()),
        part_of: Some(whole.clone()),
        api_only: about.is_api_only,
        semantic,
        ..Field::new(format!("{whole}.{name}").as_str(), kind)
    };
    let first = match kind {
        FieldType::Phone => Some(Semantic::PhonePrimary),
        FieldType::Email => Some(Semantic::EmailPrimary),
        _ => None,
    };
    let mut fields = vec![list];
    fields.extend(first.map(|semantic| part(PRIMARY, Some(semantic))));
    for option in about.enums.iter().flatten() {
        let label = option.code.as_deref().unwrap_or(&option.value);
        fields.push(part(label, meaning(kind, label)));
    }
    fields
}

fn meaning(kind: FieldType, label: &str) -> Option<Semantic> {
    match (kind, label) {
        (FieldType::Phone, "WORK") => Some(Semantic::PhoneWork),
        (FieldType::Phone, "MOB") => Some(Semantic::PhoneMobile),
        (FieldType::Phone, "HOME") => Some(Semantic::PhoneHome),
        (FieldType::Phone, "OTHER") => Some(Semantic::PhoneOther),
        (FieldType::Phone, "FAX") => Some(Semantic::Fax),
        (FieldType::Text, "address_line_1") => Some(Semantic::AddressStreet),
        (FieldType::Text, "city") => Some(Semantic::AddressCity),
        (FieldType::Text, "state") => Some(Semantic::AddressRegion),
        (FieldType::Text, "zip") => Some(Semantic::AddressPostalCode),
        (FieldType::Text, "country") => Some(Semantic::AddressCountry),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(json: &str) -> FieldAbout {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn phones_are_offered_whole_by_first_and_by_label() {
        let fields = custom(&about(
            r#"{"id":3,"name":"Telefone","type":"multitext","code":"PHONE",
                "enums":[{"id":1,"value":"WORK","code":null},{"id":2,"value":"MOB","code":null}]}"#,
        ));
        let ids: Vec<&str> = fields.iter().map(|field| field.id.as_str()).collect();
        assert_eq!(ids, ["PHONE", "PHONE.primary", "PHONE.WORK", "PHONE.MOB"]);
        assert!(fields[1..].iter().all(|field| field.part_of == Some("PHONE".into())));
        assert_eq!(fields[3].semantic, Some(Semantic::PhoneMobile));
    }

    #[test]
    fn a_select_has_its_options_by_stable_id() {
        let fields = custom(&about(
            r#"{"id":9,"name":"Source","type":"select","code":"X","enums":[{"id":71,"value":"Web","code":null}]}"#,
        ));
        assert_eq!(fields[0].id.as_str(), "cf_9");
        assert_eq!(fields[0].options["71"], "Web");
    }

    #[test]
    fn what_has_no_counterpart_is_not_offered() {
        assert!(
            custom(&about(r#"{"id":9,"name":"F","type":"file","code":null,"enums":null}"#))
                .is_empty()
        );
    }
}
