//! Bodies of requests: one object, or an array of items.

use serde_json::{Map, Value};

use super::answer::Answer;

const ITEMS_MAX: usize = 250;

pub(super) fn object(body: &str) -> Result<Map<String, Value>, Answer> {
    match parse(body)? {
        Value::Object(object) => Ok(object),
        _ => Err(Answer::problem(400, "Request data should be an object")),
    }
}

pub(super) fn items(body: &str) -> Result<Vec<Value>, Answer> {
    match parse(body)? {
        Value::Array(items) if items.is_empty() => Err(empty()),
        Value::Array(items) if items.len() > ITEMS_MAX => {
            Err(Answer::problem(422, "Request data should have 250 items or less"))
        }
        Value::Array(items) => Ok(items),
        _ => Err(Answer::problem(400, "Request data should be an array")),
    }
}

/// The name of an item in the answer: its own, or its place.
pub(super) fn request_id(item: &Value, index: usize) -> String {
    match item.get("request_id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => index.to_string(),
    }
}

fn parse(body: &str) -> Result<Value, Answer> {
    if body.trim().is_empty() {
        return Err(empty());
    }
    serde_json::from_str(body).map_err(|_| Answer::problem(400, "Request data is not valid JSON"))
}

fn empty() -> Answer {
    Answer::problem(400, "Request data can not be empty")
}
