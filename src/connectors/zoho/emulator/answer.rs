//! Answers in the forms of the API: an object, a list with a verdict per record, or a refusal.

use serde_json::{Map, Value, json};

/// What comes of a call.
pub(super) type Outcome = Result<Answer, Refusal>;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    /// What is sent in place of a body.
    pub(super) file: Option<Vec<u8>>,
    /// In credits.
    pub(super) cost: u64,
}

impl Answer {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), file: None, cost: 1 }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, body: None, file: None, cost: 1 }
    }

    pub(super) fn file(file: Vec<u8>) -> Self {
        Self { status: 200, body: None, file: Some(file), cost: 1 }
    }

    pub(super) fn costing(self, cost: u64) -> Self {
        Self { cost, ..self }
    }

    /// A verdict for each record, in the order in which they were given.
    pub(super) fn batch(key: &str, items: Vec<Result<Value, Refusal>>, success: u16) -> Self {
        let refused = items.iter().filter(|item| item.is_err()).count();
        let is_stale = |item: &Result<Value, Refusal>| {
            item.as_ref().is_err_and(|refusal| refusal.status == 412)
        };
        let status = match refused {
            0 => success,
            _ if refused < items.len() => 207,
            _ if items.iter().all(is_stale) => 412,
            _ => 400,
        };
        let items = items.into_iter().map(|item| item.unwrap_or_else(Refusal::into_body)).collect();
        let mut body = Map::new();
        body.insert(key.to_owned(), Value::Array(items));
        Self::json(status, Value::Object(body))
    }
}

/// The verdict on a record that was accepted.
pub(super) fn success(details: &Value, message: &str) -> Value {
    json!({"code": "SUCCESS", "details": details, "message": message, "status": "success"})
}

/// Why a request, or one record of it, was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: &'static str,
    message: &'static str,
    details: Value,
}

impl Refusal {
    pub(super) fn new(
        status: u16,
        code: &'static str,
        message: &'static str,
        details: Value,
    ) -> Self {
        Self { status, code, message, details }
    }

    pub(super) fn into_body(self) -> Value {
        let Self { code, message, details, .. } = self;
        json!({"code": code, "details": details, "message": message, "status": "error"})
    }

    pub(super) fn into_answer(self) -> Answer {
        let status = self.status;
        Answer::json(status, self.into_body())
    }

    pub(super) fn unknown_url() -> Self {
        let message = "Please check if the URL trying to access is a correct one";
        Self::new(404, "INVALID_URL_PATTERN", message, json!({}))
    }

    pub(super) fn wrong_method() -> Self {
        let message = "The http request method type is not a valid one";
        Self::new(400, "INVALID_REQUEST_METHOD", message, json!({}))
    }

    pub(super) fn unknown_module(details: Value) -> Self {
        let message = "the module name given seems to be invalid";
        Self::new(400, "INVALID_MODULE", message, details)
    }

    pub(super) fn missing_param(name: &str) -> Self {
        let message = "One of the expected parameter is missing";
        Self::new(400, "REQUIRED_PARAM_MISSING", message, json!({"param_name": name}))
    }

    pub(super) fn bad_param(name: &str) -> Self {
        Self::new(400, "INVALID_DATA", "invalid data", json!({"param_name": name}))
    }

    pub(super) fn long_param(name: &str, limit: u64) -> Self {
        Self::limit(json!({"limit": limit, "param_name": name}))
    }

    pub(super) fn limit(details: Value) -> Self {
        Self::new(400, "LIMIT_EXCEEDED", "the limit has been exceeded", details)
    }

    pub(super) fn mandatory(name: &str, path: &str) -> Self {
        let details = json!({"api_name": name, "json_path": path});
        Self::new(400, "MANDATORY_NOT_FOUND", "required field not found", details)
    }

    /// A value of the wrong kind.
    pub(super) fn kind(name: &str, path: &str, expected: &str) -> Self {
        let details = json!({"api_name": name, "json_path": path, "expected_data_type": expected});
        Self::new(400, "INVALID_DATA", "invalid data", details)
    }

    pub(super) fn length(name: &str, path: &str, maximum: u64) -> Self {
        let details = json!({"api_name": name, "json_path": path, "maximum_length": maximum});
        Self::new(400, "INVALID_DATA", "invalid data", details)
    }

    /// An id that is nobody's.
    pub(super) fn id(details: Value) -> Self {
        Self::new(400, "INVALID_DATA", "the id given seems to be invalid", details)
    }
}
