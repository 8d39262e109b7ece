//! Answers in the API's forms.

use serde_json::{Value, json};

const JSON: &str = "application/json";
const HAL: &str = "application/hal+json";
const PROBLEM: &str = "application/problem+json";
const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// What goes back to the client.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: String,
    pub(super) retry_after: Option<u64>,
    /// The connection breaks instead.
    pub(super) is_lost: bool,
}

/// An answer, or the refusal that is sent in its place.
pub(super) type Outcome = Result<Answer, Answer>;

impl Answer {
    pub(super) fn text(status: u16, content_type: &'static str, body: String) -> Self {
        Self { status, content_type: Some(content_type), body, ..Self::default() }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, JSON, body.to_string())
    }

    pub(super) fn hal(status: u16, body: &Value) -> Self {
        Self::text(status, HAL, body.to_string())
    }

    pub(super) fn no_content() -> Self {
        Self { status: 204, ..Self::default() }
    }

    pub(super) fn lost() -> Self {
        Self { is_lost: true, ..Self::default() }
    }

    pub(super) fn refusal(status: u16, body: &Value) -> Self {
        Self::text(status, PROBLEM, body.to_string())
    }

    pub(super) fn problem(status: u16, detail: &str) -> Self {
        let body = json!({
            "title": title(status),
            "type": kind(status),
            "status": status,
            "detail": detail,
        });
        Self::refusal(status, &body)
    }

    /// The refusal of items: `flaws` by their `request_id`.
    pub(super) fn invalid(flaws: &[Value]) -> Self {
        let body = json!({
            "validation-errors": flaws,
            "title": title(400),
            "type": kind(400),
            "status": 400,
            "detail": "Request validation failed",
        });
        Self::refusal(400, &body)
    }

    pub(super) fn unauthorised() -> Self {
        Self::problem(401, "Invalid user name or password")
    }

    pub(super) fn unknown_route(method: &str, path: &str) -> Self {
        Self::problem(404, &format!("Cannot {method} {path}"))
    }

    pub(super) fn too_many() -> Self {
        let body = json!({
            "title": title(429),
            "type": kind(429),
            "status": 429,
            "detail": "The limit of requests per second is exceeded",
            "retry_after": 1,
        });
        Self::refusal(429, &body)
    }

    pub(super) fn too_many_in_plain() -> Self {
        Self::text(429, PLAIN, "Too Many Requests".to_owned())
    }

    pub(super) fn blocked() -> Self {
        let page = "<html><head><title>403 Forbidden</title></head>\
            <body><h1>403 Forbidden</h1></body></html>";
        Self::text(403, HTML, page.to_owned())
    }
}

fn kind(status: u16) -> String {
    format!("https://httpstatus.es/{status}")
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        _ => "Error",
    }
}
