//! Trouble to order.

use serde_json::Value;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It gets this answer, and nothing is done.
    Status {
        /// The status.
        status: u16,
        /// The body.
        body: String,
        /// The content type of the body.
        content_type: &'static str,
        /// The seconds in the header `Retry-After`.
        retry_after: Option<u64>,
    },
    /// The connection breaks, and nothing is done.
    LostBefore,
    /// It is carried out, and the connection breaks without an answer.
    LostAfter,
}

/// A fault that waits for its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only requests of this method meet it.
    pub method: Option<String>,
    /// Only requests whose path begins so meet it.
    pub path: Option<String>,
    /// How many of those requests pass before.
    pub after: u32,
    /// How many of them meet it.
    pub times: u32,
    /// What happens to them.
    pub kind: FaultKind,
}

#[derive(Default)]
pub(super) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(super) fn order(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    /// What happens to this request: the oldest order that has come to its turn.
    pub(super) fn meet(&mut self, method: &str, path: &str) -> Option<FaultKind> {
        self.waiting.retain(|fault| fault.times > 0);
        for fault in &mut self.waiting {
            let is_method = fault.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method));
            let is_path =
                fault.path.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()));
            if !is_method || !is_path {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times -= 1;
            return Some(fault.kind.clone());
        }
        None
    }
}

impl Fault {
    /// From JSON with the same keys; `kind` is the name of a kind, or an object with it as its key.
    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str, default: u64| {
            u32::try_from(value.get(key).and_then(Value::as_u64).unwrap_or(default)).ok()
        };
        Some(Self {
            method: text("method"),
            path: text("path"),
            after: number("after", 0)?,
            times: number("times", 1)?,
            kind: kind(value.get("kind")?)?,
        })
    }
}

fn kind(value: &Value) -> Option<FaultKind> {
    match value.as_str() {
        Some("lost_before" | "LostBefore") => return Some(FaultKind::LostBefore),
        Some("lost_after" | "LostAfter") => return Some(FaultKind::LostAfter),
        Some(_) => return None,
        None => {}
    }
    let status = value.get("status").or_else(|| value.get("Status"))?;
    let text = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or_default();
    let content_type = match text("content_type") {
        kind if kind.starts_with("text/html") => "text/html",
        kind if kind.starts_with("text/plain") => "text/plain",
        _ => "application/json",
    };
    Some(FaultKind::Status {
        status: u16::try_from(status.get("status")?.as_u64()?).ok()?,
        body: text("body").to_owned(),
        content_type,
        retry_after: status.get("retry_after").and_then(Value::as_u64),
    })
}
