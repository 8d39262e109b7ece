//! What a webhook is told: a form with the names of the older API, version 2.

use form_urlencoded::Serializer;
use serde_json::Value;

use super::contact::Contact;
use super::deliveries::Action;
use super::fields::{Field, Form};
use super::state::State;

pub(super) fn write(
    state: &State,
    action: Action,
    contact: &Contact,
    old_owner: Option<u64>,
) -> String {
    let mut body = Body(Serializer::new(String::new()));
    let options = &state.options;
    body.put("account[subdomain]", &options.subdomain);
    body.put("account[id]", options.account_id);
    // Accounts are still called by the app's former name here.
    let home = format!("https://{}.amocrm.com", options.subdomain);
    body.put("account[_links][self]", home);
    let root = format!("contacts[{}][0]", action.name());
    body.put(&format!("{root}[id]"), contact.id);
    if action != Action::Delete {
        describe(&mut body, &root, state, contact, old_owner);
    }
    body.put(&format!("{root}[type]"), "contact");
    body.0.finish()
}

fn describe(body: &mut Body, root: &str, state: &State, contact: &Contact, old_owner: Option<u64>) {
    let mut put = |name: &str, value: &dyn ToString| {
        body.put(&format!("{root}[{name}]"), value.to_string());
    };
    put("name", &contact.name);
    put("responsible_user_id", &contact.responsible_user_id);
    if let Some(old_owner) = old_owner {
        put("old_responsible_user_id", &old_owner);
    }
    put("group_id", &0);
    put("date_create", &contact.created_at);
    put("last_modified", &contact.updated_at);
    put("created_user_id", &contact.created_by);
    put("modified_user_id", &contact.updated_by);
    put("account_id", &state.options.account_id);
    let filled = state.fields.iter().filter_map(|field| {
        let values = contact.values.get(&field.id)?;
        Some((field, values))
    });
    for (index, (field, values)) in filled.enumerate() {
        body.put_field(&format!("{root}[custom_fields][{index}]"), field, values);
    }
    for (index, id) in contact.tags.iter().enumerate() {
        body.put(&format!("{root}[tags][{index}][id]"), id);
        let name = state.tags.get(id).map_or("", String::as_str);
        body.put(&format!("{root}[tags][{index}][name]"), name);
    }
    body.put(&format!("{root}[created_at]"), contact.created_at);
    body.put(&format!("{root}[updated_at]"), contact.updated_at);
}

struct Body(Serializer<'static, String>);

impl Body {
    fn put(&mut self, name: &str, value: impl ToString) {
        self.0.append_pair(name, &value.to_string());
    }

    fn put_field(&mut self, root: &str, field: &Field, values: &[Value]) {
        self.put(&format!("{root}[id]"), field.id);
        self.put(&format!("{root}[name]"), &field.name);
        for (index, value) in values.iter().enumerate() {
            let root = format!("{root}[values][{index}]");
            let plain = value.get("value").map(plain).unwrap_or_default();
            // Dates come bare.
            if matches!(field.form(), Form::Time) {
                self.put(&root, plain);
                continue;
            }
            self.put(&format!("{root}[value]"), plain);
            if let Some(id) = value.get("enum_id").and_then(Value::as_u64) {
                self.put(&format!("{root}[enum]"), id);
            }
        }
        if let Some(code) = &field.code {
            self.put(&format!("{root}[code]"), code);
        }
    }
}

/// Everything is a text in a form.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
