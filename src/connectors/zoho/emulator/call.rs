//! A request, taken apart.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::times;

pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    params: Vec<(String, String)>,
}

impl Call {
    pub(super) fn new(parts: Parts, body: Bytes) -> Self {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let params = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let path = parts.uri.path().to_owned();
        Self { method: parts.method, path, query, headers: parts.headers, body, params }
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }

    pub(super) fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// A parameter that says something.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter with values between commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.param(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Ids between commas, at most so many.
    pub(super) fn ids(&self, limit: u64) -> Result<Vec<String>, Refusal> {
        let ids = self.list("ids");
        if ids.iter().any(|id| !is_id(id)) {
            return Err(Refusal::bad_param("ids"));
        }
        if count(&ids) > limit {
            return Err(Refusal::long_param("ids", limit));
        }
        Ok(ids)
    }

    /// A parameter that counts from one.
    pub(super) fn number(&self, name: &str, default: u64) -> Result<u64, Refusal> {
        match self.param(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(Refusal::bad_param(name)),
            },
        }
    }

    /// How many records a page shall have.
    pub(super) fn per_page(&self) -> Result<u64, Refusal> {
        match self.number("per_page", PAGE_MAX)? {
            number if number > PAGE_MAX => Err(Refusal::long_param("per_page", PAGE_MAX)),
            number => Ok(number),
        }
    }

    /// The time in a header.
    pub(super) fn time(&self, header: &str) -> Result<Option<Timestamp>, Refusal> {
        match self.header(header) {
            None => Ok(None),
            Some(text) => match times::parse(text) {
                Some(time) => Ok(Some(time)),
                None => Err(Refusal::bad_param(header)),
            },
        }
    }

    /// The body, whatever its content type says.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        let mut body = serde_json::from_slice(&self.body).map_err(|_| {
            let message = "either the request body or parameters is in wrong format";
            Refusal::new(400, "UNABLE_TO_PARSE_DATA_TYPE", message, json!({}))
        })?;
        spell_ids(&mut body);
        Ok(body)
    }
}

/// Ids may come as numbers, as the vendor's own clients send them: they are texts from here on.
fn spell_ids(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match name.as_str() {
                    "id" => spell(value),
                    "ids" => value.as_array_mut().into_iter().flatten().for_each(spell),
                    _ => spell_ids(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(spell_ids),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn spell(value: &mut Value) {
    if let Value::Number(number) = value
        && number.is_u64()
    {
        *value = Value::String(number.to_string());
    }
}

/// Records per page, also when none are asked for.
pub(super) const PAGE_MAX: u64 = 200;

pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// What is on a page of so many, and whether there is more.
pub(super) fn cut<T>(list: Vec<T>, page: u64, per_page: u64) -> (Vec<T>, bool) {
    let start = usize::try_from((page - 1).saturating_mul(per_page)).unwrap_or(usize::MAX);
    let size = usize::try_from(per_page).unwrap_or(usize::MAX);
    let is_more = list.len() > start.saturating_add(size);
    (list.into_iter().skip(start).take(size).collect(), is_more)
}
