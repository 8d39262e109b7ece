//! The custom fields of contacts: which there are, and the endpoints that tell and add them.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome};
use super::batch;
use super::flaws::{Flaw, Flaws};
use super::page::{Frame, Page};
use super::query::Query;
use super::state::State;

pub(super) struct Field {
    pub(super) id: u64,
    /// As the account's language calls it.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) code: Option<String>,
    pub(super) choices: Vec<Choice>,
    sort: usize,
    is_api_only: bool,
    is_predefined: bool,
}

/// One entry of a list of choices, or one label of a phone or an e-mail address.
pub(super) struct Choice {
    pub(super) id: u64,
    pub(super) value: String,
    pub(super) code: Option<String>,
}

/// What values of a field look like.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Text,
    Number,
    Flag,
    Time,
    /// One or several of the field's choices.
    Choice,
    /// Texts with a label each.
    Labelled,
    /// Kept as it came.
    Opaque,
}

/// A field to be.
pub(super) struct Wish {
    name: String,
    kind: String,
    code: Option<String>,
    is_api_only: bool,
    choices: Vec<(String, Option<String>)>,
}

/// With the form of their values.
const KINDS: [(&str, Form); 26] = [
    ("text", Form::Text),
    ("textarea", Form::Text),
    ("url", Form::Text),
    ("streetaddress", Form::Text),
    ("numeric", Form::Number),
    ("monetary", Form::Number),
    ("price", Form::Number),
    ("checkbox", Form::Flag),
    ("select", Form::Choice),
    ("radiobutton", Form::Choice),
    ("multiselect", Form::Choice),
    ("multitext", Form::Labelled),
    ("date", Form::Time),
    ("date_time", Form::Time),
    ("birthday", Form::Time),
    ("smart_address", Form::Opaque),
    ("legal_entity", Form::Opaque),
    ("items", Form::Opaque),
    ("category", Form::Opaque),
    ("linked_entity", Form::Opaque),
    ("chained_list", Form::Opaque),
    ("file", Form::Opaque),
    ("tracking_data", Form::Opaque),
    ("payer", Form::Opaque),
    ("supplier", Form::Opaque),
    ("org_legal_name", Form::Opaque),
];

/// The account speaks Spanish, so that nobody takes the names for something to rely on.
const PREDEFINED: [(&str, &str, &str, &[&str]); 3] = [
    ("Teléfono", "multitext", "PHONE", &["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"]),
    ("Correo", "multitext", "EMAIL", &["WORK", "PRIV", "OTHER"]),
    ("Cargo", "text", "POSITION", &[]),
];

const LIMIT_MAX: usize = 250;

impl Field {
    pub(super) fn form(&self) -> Form {
        let known = KINDS.iter().find(|(kind, _)| *kind == self.kind);
        known.map_or(Form::Opaque, |(_, form)| *form)
    }

    pub(super) fn holds_many(&self) -> bool {
        self.kind == "multiselect" || matches!(self.form(), Form::Labelled | Form::Opaque)
    }

    fn show(&self, account_id: u64) -> Value {
        let choices: Option<Vec<Value>> = matches!(self.form(), Form::Choice | Form::Labelled)
            .then(|| {
                let numbered = self.choices.iter().zip(1..);
                numbered.map(|(choice, place)| choice.show(place)).collect()
            });
        json!({
            "id": self.id,
            "name": self.name,
            "type": self.kind,
            "account_id": account_id,
            "code": self.code,
            "sort": self.sort,
            "is_api_only": self.is_api_only,
            "is_predefined": self.is_predefined,
            "is_deletable": !self.is_predefined,
            "entity_type": "contacts",
            "group_id": null,
            "enums": choices,
            "required_statuses": [],
            "hidden_statuses": [],
            "currency": null,
            "remind": null,
            "settings": null,
            "tracking_callback": null,
        })
    }
}

impl Choice {
    fn show(&self, place: usize) -> Value {
        json!({ "id": self.id, "value": self.value, "sort": place, "code": self.code })
    }
}

impl Wish {
    pub(super) fn read(item: &Map<String, Value>) -> Result<Self, Flaw> {
        let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = text("name").ok_or_else(|| Flaw::wrong_type("name", "string"))?;
        let kind = text("type").ok_or_else(|| Flaw::wrong_type("type", "string"))?;
        if !KINDS.iter().any(|(known, _)| *known == kind) {
            return Err(Flaw::not_a_choice("type"));
        }
        let mut choices = Vec::new();
        for (index, choice) in
            item.get("enums").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let Some(value) = choice.get("value").and_then(Value::as_str) else {
                return Err(Flaw::wrong_type(format!("enums.{index}.value"), "string"));
            };
            let code = choice.get("code").and_then(Value::as_str);
            choices.push((value.to_owned(), code.map(str::to_owned)));
        }
        let is_api_only = item.get("is_api_only").and_then(Value::as_bool).unwrap_or_default();
        Ok(Self { name, kind, code: text("code"), is_api_only, choices })
    }
}

pub(super) fn add(state: &mut State, wish: Wish, is_predefined: bool) -> u64 {
    let id = state.next_id();
    let choices = wish
        .choices
        .into_iter()
        .map(|(value, code)| Choice { id: state.next_id(), value, code })
        .collect();
    let field = Field {
        id,
        name: wish.name,
        kind: wish.kind,
        code: wish.code,
        choices,
        sort: state.fields.len() + 1,
        is_api_only: wish.is_api_only,
        is_predefined,
    };
    state.fields.push(field);
    id
}

pub(super) fn remove(state: &mut State, id: u64) -> bool {
    let count = state.fields.len();
    state.fields.retain(|field| field.id != id || field.is_predefined);
    let is_removed = state.fields.len() < count;
    if is_removed {
        for contact in state.contacts.values_mut() {
            contact.values.remove(&id);
        }
    }
    is_removed
}

pub(super) fn add_predefined(state: &mut State) {
    for (name, kind, code, labels) in PREDEFINED {
        let wish = Wish {
            name: name.to_owned(),
            kind: kind.to_owned(),
            code: Some(code.to_owned()),
            is_api_only: false,
            choices: labels.iter().map(|label| ((*label).to_owned(), None)).collect(),
        };
        add(state, wish, true);
    }
}

pub(super) fn list(state: &State, query: &Query) -> Answer {
    let kinds = query.many(&["filter", "type"]);
    let is_wanted =
        |field: &&Field| kinds.as_ref().is_none_or(|kinds| kinds.contains(&field.kind.as_str()));
    let mut fields: Vec<&Field> = state.fields.iter().filter(is_wanted).collect();
    if query.one(&["order", "sort"]) == Some("desc") {
        fields.reverse();
    }
    let frame = Frame {
        base_url: &state.options.base_url,
        path: "contacts/custom_fields",
        name: "custom_fields",
        is_counted: true,
    };
    Page::cut(fields, query, LIMIT_MAX)
        .answer(&frame, query, |field| field.show(state.options.account_id))
}

pub(super) fn create(state: &mut State, body: &str) -> Outcome {
    let items = batch::items(body)?;
    let (mut wishes, mut flaws) = (Vec::new(), Flaws::default());
    for (index, item) in items.iter().enumerate() {
        let request_id = batch::request_id(item, index);
        let wish = match item.as_object() {
            Some(item) => Wish::read(item),
            None => Err(Flaw::wrong_type("", "object")),
        };
        match wish {
            Ok(wish) => wishes.push((request_id, wish)),
            Err(flaw) => flaws.note(&request_id, &[flaw]),
        }
    }
    flaws.settle()?;
    let mut shown = Vec::new();
    for (request_id, wish) in wishes {
        let id = add(state, wish, false);
        let account_id = state.options.account_id;
        let field = state.fields.iter().find(|field| field.id == id);
        let mut field = field.map(|field| field.show(account_id)).unwrap_or_default();
        if let Some(field) = field.as_object_mut() {
            field.insert("request_id".to_owned(), json!(request_id));
        }
        shown.push(field);
    }
    let body = json!({ "_total_items": shown.len(), "_embedded": { "custom_fields": shown } });
    Ok(Answer::hal(201, &body))
}
