//! What is wrong with the items of a request.

use serde_json::{Value, json};

use super::answer::Answer;

pub(super) struct Flaw {
    code: &'static str,
    path: String,
    detail: String,
}

impl Flaw {
    pub(super) fn not_a_choice(path: impl Into<String>) -> Self {
        let detail = "The value you selected is not a valid choice.".to_owned();
        Self { code: "NotSupportedChoice", path: path.into(), detail }
    }

    pub(super) fn wrong_type(path: impl Into<String>, expected: &str) -> Self {
        let detail = format!("This value should be of type {expected}.");
        Self { code: "InvalidType", path: path.into(), detail }
    }

    pub(super) fn too_long(path: impl Into<String>, max: usize) -> Self {
        let detail = format!("This value is too long. It should have {max} characters or less.");
        Self { code: "TooLong", path: path.into(), detail }
    }

    pub(super) fn not_found(path: impl Into<String>) -> Self {
        Self { code: "NotFound", path: path.into(), detail: "Element not found.".to_owned() }
    }
}

/// The flaws of a whole request. One is enough: then nothing of it is carried out.
#[derive(Default)]
pub(super) struct Flaws(Vec<Value>);

impl Flaws {
    pub(super) fn note(&mut self, request_id: &str, flaws: &[Flaw]) {
        if flaws.is_empty() {
            return;
        }
        let errors: Vec<Value> = flaws
            .iter()
            .map(|flaw| json!({ "code": flaw.code, "path": flaw.path, "detail": flaw.detail }))
            .collect();
        self.0.push(json!({ "request_id": request_id, "errors": errors }));
    }

    pub(super) fn settle(self) -> Result<(), Answer> {
        if self.0.is_empty() { Ok(()) } else { Err(Answer::invalid(&self.0)) }
    }
}
