//! A case: requests in turn, what each is to be answered, and what of the answers is needed later. Cases
//! are JSON; `{{name}}` in them stands for what is known by that name, `"re:…"` for whatever a regular
//! expression finds, and an object with `$type`, `$has`, `$len` or `$absent` for whatever it is true of.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// What is known by name.
pub type Known = BTreeMap<String, Json>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// What says so: the part of the sheet, or the vendor's page.
    pub source: String,
    pub steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub request: Asked,
    #[serde(default)]
    pub expect: Expected,
    /// Pointers (RFC 6901) into the answer, by the name that it is known by from now on.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub json: Option<Json>,
    pub form: Option<BTreeMap<String, String>>,
    pub text: Option<String>,
    /// Whether the right token is sent.
    #[serde(default = "yes")]
    pub auth: bool,
    /// Which server is asked, where an app has several. The emulators have one.
    #[serde(default, rename = "host")]
    _host: Option<String>,
}

fn yes() -> bool {
    true
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    #[serde(default)]
    status: Json,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Json>,
    #[serde(default)]
    empty: bool,
}

/// What came.
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Asked {
    /// What follows the server's address.
    pub fn target(&self, known: &Known) -> String {
        let path = filled_text(&self.path, known);
        if self.query.is_empty() {
            return path;
        }
        let pairs = self.query.iter().map(|(name, value)| (name, filled_text(value, known)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{path}?{query}")
    }

    /// The body, with its content type.
    pub fn body(&self, known: &Known) -> Option<(&'static str, String)> {
        if let Some(json) = &self.json {
            return Some(("application/json", filled(json, known).to_string()));
        }
        if let Some(form) = &self.form {
            let pairs = form.iter().map(|(name, value)| (name, filled_text(value, known)));
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            return Some(("application/x-www-form-urlencoded", form));
        }
        let text = self.text.as_ref()?;
        Some(("application/json", filled_text(text, known)))
    }
}

impl Step {
    /// What is wrong with an answer; what is to be kept of it is known from now on.
    pub fn judge(&self, answer: &Answer, known: &mut Known) -> Vec<String> {
        let mut wrong = Vec::new();
        let Expected { status, headers, body, empty } = &self.expect;
        let is_status = match status {
            Json::Null => true,
            Json::Array(all) => all.contains(&json!(answer.status)),
            one => *one == json!(answer.status),
        };
        if !is_status {
            wrong.push(format!("status {} is not {status}", answer.status));
        }
        for (name, pattern) in headers {
            let pattern = filled_text(pattern, known);
            match answer.headers.get(&name.to_lowercase()) {
                Some(value) if Regex::new(&pattern).unwrap().is_match(value) => {}
                found => wrong.push(format!("header {name}: {found:?} is not {pattern}")),
            }
        }
        if *empty && !answer.text.is_empty() {
            wrong.push("there is a body".to_owned());
        }
        let found: Json = serde_json::from_str(&answer.text).unwrap_or_default();
        if let Some(body) = body {
            compare(&filled(body, known), Some(&found), "", &mut wrong);
        }
        for (name, pointer) in &self.keep {
            match found.pointer(&filled_text(pointer, known)) {
                Some(value) => {
                    known.insert(name.clone(), value.clone());
                }
                None => wrong.push(format!("there is no {pointer}")),
            }
        }
        wrong
    }
}

/// With what is known in place of the names; a text that is nothing but a name becomes what is known.
pub fn filled(json: &Json, known: &Known) -> Json {
    match json {
        Json::String(text) => {
            let name = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            match name.and_then(|name| known.get(name)) {
                Some(value) => value.clone(),
                None => Json::String(filled_text(text, known)),
            }
        }
        Json::Array(items) => items.iter().map(|item| filled(item, known)).collect(),
        Json::Object(members) => {
            let members = members.iter();
            let members =
                members.map(|(name, value)| (filled_text(name, known), filled(value, known)));
            Json::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

pub fn filled_text(text: &str, known: &Known) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{{{name}}}}}"), &value)
    })
}

/// What is not as expected: members and elements that are not named may be anything.
fn compare(expected: &Json, found: Option<&Json>, at: &str, wrong: &mut Vec<String>) {
    if let Some(object) = expected.as_object()
        && object.keys().any(|key| ["$type", "$has", "$len", "$absent"].contains(&key.as_str()))
    {
        return hold(object, found, at, wrong);
    }
    let Some(found) = found else {
        return wrong.push(format!("{at} is not there"));
    };
    let is_right = match (expected, found) {
        (Json::Object(members), Json::Object(given)) => {
            for (name, expected) in members {
                compare(expected, given.get(name), &format!("{at}/{name}"), wrong);
            }
            true
        }
        (Json::Array(items), Json::Array(given)) => {
            for (place, expected) in items.iter().enumerate() {
                compare(expected, given.get(place), &format!("{at}/{place}"), wrong);
            }
            true
        }
        (Json::String(text), found) if text.starts_with("re:") => {
            let pattern = Regex::new(&text[3..]).unwrap();
            found.as_str().is_some_and(|found| pattern.is_match(found))
        }
        (expected, found) => expected == found,
    };
    if !is_right {
        wrong.push(format!("{at}: {found} is not {expected}"));
    }
}

fn hold(rules: &Map<String, Json>, found: Option<&Json>, at: &str, wrong: &mut Vec<String>) {
    for (rule, value) in rules {
        let is_right = match (rule.as_str(), found) {
            ("$absent", found) => found.is_none(),
            ("$type", Some(found)) => {
                let kind = match found {
                    Json::Null => "null",
                    Json::Bool(_) => "boolean",
                    Json::Number(_) => "number",
                    Json::String(_) => "string",
                    Json::Array(_) => "array",
                    Json::Object(_) => "object",
                };
                value == kind
            }
            ("$len", Some(Json::Array(items))) => *value == json!(items.len()),
            ("$has", Some(Json::Array(items))) => items.iter().any(|item| {
                let mut misses = Vec::new();
                compare(value, Some(item), at, &mut misses);
                misses.is_empty()
            }),
            _ => false,
        };
        if !is_right {
            let found = found.map(ToString::to_string).unwrap_or_default();
            wrong.push(format!("{at}: {found} and {rule} {value}"));
        }
    }
}
