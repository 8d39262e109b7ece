//! The fields of contacts and leads, as the organisation describes them.

use super::about::LEADS;
use super::api::Api;
use super::wire::{FieldAbout, Fields, Records};
use crate::connectors::{Error, ErrorKind, Result};
use crate::record::{Choices, Field, FieldType, ObjectName, Schema, Semantic};

/// Where marketing permission is kept.
pub(super) const OPT_OUT: &str = "Email_Opt_Out";
/// Where tags are kept.
pub(super) const TAG: &str = "Tag";

pub(super) async fn describe(api: &Api, object: &ObjectName) -> Result<Schema> {
    let path = format!("/crm/v8/settings/fields?module={object}");
    let fields: Option<Fields> = api.get("describe", &path, &[]).await?;
    let fields = fields.ok_or_else(|| Error::new(ErrorKind::Protocol, "describe", "no_fields"))?;
    // The list of fields is given to whoever may not read the records.
    let one = format!("/crm/v8/{object}?fields=id&per_page=1");
    api.get::<Records>("describe", &one, &[]).await?;
    Ok(fields.fields.iter().filter_map(|about| field(about, object)).collect())
}

fn field(about: &FieldAbout, object: &ObjectName) -> Option<Field> {
    let (kind, many) = match about.data_type.as_str() {
        _ if about.api_name == OPT_OUT => (FieldType::Consent, false),
        _ if about.api_name == TAG => (FieldType::Tag, true),
        // Whole numbers of 18 digits come as text.
        "text" | "textarea" | "website" | "bigint" | "autonumber" => (FieldType::Text, false),
        "email" => (FieldType::Email, false),
        "phone" => (FieldType::Phone, false),
        "picklist" => (FieldType::Choice, false),
        "multiselectpicklist" => (FieldType::Choice, true),
        "boolean" => (FieldType::Boolean, false),
        "integer" | "currency" | "double" | "percent" => (FieldType::Number, false),
        "date" => (FieldType::Date, false),
        "datetime" => (FieldType::DateTime, false),
        "ownerlookup" => (FieldType::User, false),
        "lookup" if about.api_name == "Account_Name" => (FieldType::Company, false),
        // Pictures, sub-forms and the like have no counterpart elsewhere.
        _ => return None,
    };
    if !about.visible {
        return None;
    }
    let is_fixed = about.read_only
        || about.field_read_only
        || !about.operation_type.api_create
        || !about.operation_type.api_update
        || kind == FieldType::Company;
    let label = about.display_label.clone().or_else(|| about.field_label.clone());
    let options: Choices = if kind == FieldType::Choice {
        let none = |value: &str| value == "-None-";
        let options = about.pick_list_values.iter().filter(|pick| !none(&pick.actual_value));
        let label = |pick: &super::wire::Pick| {
            let shown = pick.display_value.clone();
            (pick.actual_value.clone(), shown.unwrap_or_else(|| pick.actual_value.clone()))
        };
        options.map(label).collect()
    } else {
        Choices::new()
    };
    let has_length = matches!(kind, FieldType::Text | FieldType::Email | FieldType::Phone);
    let id = about.api_name.as_str();
    Some(Field {
        label: label.unwrap_or_else(|| id.to_owned()),
        many,
        writable: !is_fixed,
        required: about.system_mandatory && !is_fixed,
        max_len: about.length.filter(|length| has_length && *length > 0),
        options,
        semantic: meaning(id).or_else(|| meaning_of_lead(id).filter(|_| object.as_str() == LEADS)),
        ..Field::new(id, kind)
    })
}

fn meaning(api_name: &str) -> Option<Semantic> {
    Some(match api_name {
        "First_Name" => Semantic::NameFirst,
        "Last_Name" => Semantic::NameLast,
        "Full_Name" => Semantic::NameFull,
        "Email" => Semantic::EmailPrimary,
        "Phone" => Semantic::PhoneWork,
        "Mobile" => Semantic::PhoneMobile,
        "Home_Phone" => Semantic::PhoneHome,
        "Other_Phone" => Semantic::PhoneOther,
        "Fax" => Semantic::Fax,
        "Title" => Semantic::JobTitle,
        "Account_Name" => Semantic::Company,
        "Mailing_Street" => Semantic::AddressStreet,
        "Mailing_City" => Semantic::AddressCity,
        "Mailing_State" => Semantic::AddressRegion,
        "Mailing_Zip" => Semantic::AddressPostalCode,
        "Mailing_Country" => Semantic::AddressCountry,
        "Date_of_Birth" => Semantic::Birthday,
        "Owner" => Semantic::Owner,
        "Lead_Source" => Semantic::LeadSource,
        "Description" => Semantic::Notes,
        OPT_OUT => Semantic::ConsentEmail,
        TAG => Semantic::Tags,
        _ => return None,
    })
}

/// What leads have under names of their own: a contact's field of that name is the customer's.
fn meaning_of_lead(api_name: &str) -> Option<Semantic> {
    Some(match api_name {
        "Designation" => Semantic::JobTitle,
        "Company" => Semantic::Company,
        "Street" => Semantic::AddressStreet,
        "City" => Semantic::AddressCity,
        "State" => Semantic::AddressRegion,
        "Zip_Code" => Semantic::AddressPostalCode,
        "Country" => Semantic::AddressCountry,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about_of(object: &str, json: serde_json::Value) -> Option<Field> {
        field(&serde_json::from_value(json).unwrap(), &ObjectName::new(object))
    }

    #[test]
    fn a_name_that_only_leads_have_means_nothing_of_contacts() {
        let city = || serde_json::json!({ "api_name": "City", "data_type": "text" });
        assert_eq!(about_of("Leads", city()).unwrap().semantic, Some(Semantic::AddressCity));
        assert_eq!(about_of("Contacts", city()).unwrap().semantic, None);
    }

    fn about(json: serde_json::Value) -> Option<Field> {
        about_of("Contacts", json)
    }

    #[test]
    fn the_sample_field_is_a_required_text() {
        let fields: Fields =
            serde_json::from_slice(include_bytes!("fixtures/fields.json")).unwrap();
        let last = field(&fields.fields[0], &ObjectName::new("Leads")).unwrap();
        assert_eq!((last.kind, last.max_len, last.required), (FieldType::Text, Some(80), true));
        assert_eq!(last.semantic, Some(Semantic::NameLast));
    }

    #[test]
    fn options_go_by_their_actual_value() {
        let field = about(serde_json::json!({
            "api_name": "Lead_Source", "data_type": "picklist", "pick_list_values": [
                {"actual_value": "-None-", "display_value": "-None-"},
                {"actual_value": "Web", "display_value": "From the web"}]
        }));
        let options = field.unwrap().options;
        assert_eq!(
            options.into_iter().collect::<Vec<_>>(),
            [("Web".into(), "From the web".into())]
        );
    }

    #[test]
    fn what_cannot_be_written_by_the_api_is_fixed() {
        let field = about(serde_json::json!({
            "api_name": "Full_Name", "data_type": "text",
            "operation_type": {"api_create": false, "api_update": false}
        }));
        assert!(!field.unwrap().writable);
    }
}
