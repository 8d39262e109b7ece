//! Turning a lead into a contact with an account.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal, success};
use super::call::Call;
use super::catalogue::Module;
use super::edits::Edit;
use super::events::Event;
use super::records::Stored;
use super::state::State;
use super::writing::Batch;

/// What goes from a lead to a contact, and under which name.
const TO_CONTACT: [(&str, &str); 19] = [
    ("First_Name", "First_Name"),
    ("Last_Name", "Last_Name"),
    ("Salutation", "Salutation"),
    ("Email", "Email"),
    ("Secondary_Email", "Secondary_Email"),
    ("Phone", "Phone"),
    ("Mobile", "Mobile"),
    ("Fax", "Fax"),
    ("Designation", "Title"),
    ("Lead_Source", "Lead_Source"),
    ("Description", "Description"),
    ("Skype_ID", "Skype_ID"),
    ("Twitter", "Twitter"),
    ("Email_Opt_Out", "Email_Opt_Out"),
    ("Street", "Mailing_Street"),
    ("City", "Mailing_City"),
    ("State", "Mailing_State"),
    ("Zip_Code", "Mailing_Zip"),
    ("Country", "Mailing_Country"),
];

const TO_ACCOUNT: [(&str, &str); 4] = [
    ("Company", "Account_Name"),
    ("Phone", "Phone"),
    ("Website", "Website"),
    ("Industry", "Industry"),
];

/// `POST /Leads/{id}/actions/convert`. There are no deals here.
pub(super) fn convert(state: &mut State, id: &str, call: &Call) -> Outcome {
    let batch = Batch::read(call, 1)?;
    let mut events = Vec::new();
    let items = batch.records.iter().map(|wish| convert_one(state, id, wish, &mut events));
    let items = items.collect();
    state.notify(&events);
    Ok(Answer::batch("data", items, 200).costing(5))
}

pub(super) fn convert_one(
    state: &mut State,
    id: &str,
    wish: &Map<String, Value>,
    events: &mut Vec<Event>,
) -> Result<Value, Refusal> {
    let details = json!({"id": id});
    let Some(lead) = state.live(Module::Leads, id) else { return Err(Refusal::id(details)) };
    if lead.is_converted {
        let (code, message) = ("ID_ALREADY_CONVERTED", "id already converted");
        return Err(Refusal::new(400, code, message, details));
    }
    let mut contact = carried_over(lead, &TO_CONTACT);
    let account = carried_over(lead, &TO_ACCOUNT);
    let given = |name: &str| {
        let id = wish.get(name)?.get("id")?.as_str()?;
        Some(id.to_owned())
    };
    let first = |module: Module, values: &Map<String, Value>| {
        alike(state, module, values).first().map(|(record, _)| record.id.clone())
    };
    let account_id = given("Accounts").or_else(|| first(Module::Accounts, &account));
    let contact_id = given("Contacts").or_else(|| first(Module::Contacts, &contact));
    for (module, id) in [(Module::Accounts, &account_id), (Module::Contacts, &contact_id)] {
        if let Some(id) = id
            && state.live(module, id).is_none()
        {
            return Err(Refusal::id(json!({"api_name": module.name(), "id": id})));
        }
    }
    let account_id = match account_id {
        None if account.contains_key("Account_Name") => {
            Some(made(state.create(Module::Accounts, &account, None), events))
        }
        known => known,
    };
    let contact_id = match contact_id {
        Some(known) => known,
        None => {
            if let Some(id) = &account_id {
                contact.insert("Account_Name".to_owned(), json!({"id": id}));
            }
            made(state.create(Module::Contacts, &contact, None), events)
        }
    };
    if let Some(lead) = state.records.get_mut(id) {
        lead.is_converted = true;
    }
    let time = state.now().to_string();
    let mut edits = vec![
        Edit::Value("Converted_Contact".to_owned(), json!({"id": contact_id})),
        Edit::Value("Converted_Date_Time".to_owned(), json!(time)),
    ];
    edits.extend(
        account_id
            .as_ref()
            .map(|id| Edit::Value("Converted_Account".to_owned(), json!({"id": id}))),
    );
    events.push(state.carry_out(Module::Leads, id, edits, None));
    let shown = |id: &str| {
        let name = state.records.get(id).map(Stored::display_name);
        json!({"name": name, "id": id})
    };
    let details = json!({
        "Contacts": shown(&contact_id),
        "Accounts": account_id.as_deref().map(shown),
        "Deals": null,
    });
    Ok(success(&details, "The record has been converted successfully"))
}

/// `GET /Leads/{id}/__conversion_options`: whom a conversion would take if nobody were named.
pub(super) fn options(state: &State, id: &str) -> Outcome {
    let lead = state.live(Module::Leads, id).filter(|lead| !lead.is_converted);
    let Some(lead) = lead else { return Err(Refusal::id(json!({"resource_path_index": 1}))) };
    let (contact, account) = (carried_over(lead, &TO_CONTACT), carried_over(lead, &TO_ACCOUNT));
    let contacts = alike(state, Module::Contacts, &contact);
    let accounts = alike(state, Module::Accounts, &account);
    if contacts.is_empty() && accounts.is_empty() {
        return Ok(Answer::empty(204));
    }
    let listed = |records: &[(&Stored, &str)]| {
        let shown = records.iter().map(|(record, _)| {
            json!({
                "id": record.id,
                name_field(record.module): record.display_name(),
                "Email": record.values.get("Email"),
                "$editable": true,
                "$approval_state": "approved",
                "Locked__s": false,
            })
        });
        (!records.is_empty()).then(|| shown.collect::<Value>())
    };
    let matched = |records: &[(&Stored, &str)]| {
        let (record, field) = records.first()?;
        let value = record.values.get(*field).cloned();
        let value = value.unwrap_or_else(|| json!(record.display_name()));
        Some(json!([{"field": {"api_name": field}, "matched_lead_value": value}]))
    };
    let options = json!({
        "module_preference": null,
        "Contacts": listed(&contacts),
        "Accounts": listed(&accounts),
        "preference_field_matched_value": {
            "Contacts": matched(&contacts),
            "Accounts": matched(&accounts),
        },
        "modules_with_multiple_layouts": null,
    });
    Ok(Answer::json(200, json!({"__conversion_options": options})))
}

/// The records that a lead is taken for, each with the field that says so: by unique fields and the field
/// that tells them apart, or else by their name.
fn alike<'a>(
    state: &'a State,
    module: Module,
    values: &Map<String, Value>,
) -> Vec<(&'a Stored, &'static str)> {
    let order = [module.check_field().to_owned()];
    let known = state.find_duplicate(module, &order, values);
    if let Some(found) = known.and_then(|(id, _)| state.live(module, &id)) {
        return vec![(found, module.check_field())];
    }
    let text = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = format!("{} {}", text("First_Name"), text("Last_Name")).trim().to_lowercase();
    let is_namesake = |stored: &&Stored| {
        module == Module::Contacts && stored.display_name().to_lowercase() == name
    };
    let namesakes = state.of_module(module).filter(is_namesake);
    namesakes.map(|stored| (stored, name_field(module))).collect()
}

fn name_field(module: Module) -> &'static str {
    if module == Module::Accounts { "Account_Name" } else { "Full_Name" }
}

fn carried_over(lead: &Stored, names: &[(&str, &str)]) -> Map<String, Value> {
    let value = |(from, to): &(&str, &str)| {
        let value = lead.values.get(*from)?;
        Some(((*to).to_owned(), value.clone()))
    };
    names.iter().filter_map(value).collect()
}

fn made(event: Event, events: &mut Vec<Event>) -> String {
    let id = event.id.clone();
    events.push(event);
    id
}
