//! What Zoho's refusals mean: whole requests, and single records of a batch.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::connectors::call::Reply;
use crate::connectors::{Error, ErrorKind, Written};
use crate::net::Answer;
use crate::record::{FieldId, RemoteId};

/// One outcome: of a request, or of a record in it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Outcome {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) details: Json,
}

impl Outcome {
    pub(super) fn is_success(&self) -> bool {
        self.status == "success"
    }

    /// A text of the details.
    pub(super) fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name)?.as_str()
    }
}

/// Whether an answer says that the access token is not valid: expired, revoked, or of another data
/// centre. A missing scope also comes with 401, and no new token mends it.
pub(super) fn is_of_key(answer: &Answer) -> bool {
    let code = || serde_json::from_slice::<Outcome>(&answer.body).unwrap_or_default().code;
    answer.status == 401 && matches!(code().as_str(), "INVALID_TOKEN" | "AUTHENTICATION_FAILURE")
}

/// The error that a refused request means.
pub(super) fn error(operation: &'static str, reply: &Reply) -> Error {
    let outcome = serde_json::from_slice(&reply.body).unwrap_or_default();
    of_outcome(operation, reply.status, outcome)
}

/// The error that one refused outcome of a request means.
pub(super) fn of_outcome(operation: &'static str, status: u16, outcome: Outcome) -> Error {
    let code = if outcome.code.is_empty() { format!("http_{status}") } else { outcome.code };
    let new = |kind| Error::new(kind, operation, code.clone());
    match (code.as_str(), status) {
        ("OAUTH_SCOPE_MISMATCH", _) => new(ErrorKind::Forbidden)
            .advise("connect the account again with all the scopes that the documentation lists"),
        ("INVALID_TOKEN" | "AUTHENTICATION_FAILURE", _) | (_, 401) => new(ErrorKind::Unauthorised)
            .advise("reconnect the account: its token is revoked, or of another data centre"),
        ("INVALID_MODULE", _) => new(ErrorKind::Unsupported)
            .advise("the organisation has no such module, or hides it from this user"),
        ("NO_PERMISSION" | "AUTHORIZATION_FAILED", _) | (_, 403) => new(ErrorKind::Forbidden)
            .advise("the Zoho user who connected the account lacks a permission"),
        ("EXPIRED_VALUE" | "TOKEN_BOUND_DATA_MISMATCH", _) => new(ErrorKind::CursorLost),
        ("TOO_MANY_REQUESTS" | "RATE_LIMIT_EXCEEDED", _) | (_, 429) => new(ErrorKind::RateLimited),
        // Asked of a whole account, not of a list that is too long.
        ("LIMIT_EXCEEDED", _) if outcome.details.get("limit").is_none() => {
            new(ErrorKind::RateLimited).advise("the API credits of the organisation are used up")
        }
        (_, 500..=599) => new(ErrorKind::Unavailable),
        _ => new(ErrorKind::Protocol),
    }
}

/// Record states in which Zoho takes no edit for now, or as what it was: it is read before it is tried
/// again.
const PASSING: [&str; 6] = [
    "RECORD_LOCKED",
    "NOT_APPROVED",
    "NOT_REVIEWED",
    "RECORD_IN_BLUEPRINT",
    "CONVERTED_RECORD",
    "ID_ALREADY_CONVERTED",
];

/// What became of a record that was not written.
pub(super) fn rejected(outcome: &Outcome) -> Written {
    // Several faults of one record come in a list: the first stands for all.
    let inner = outcome.details.get("errors").and_then(|errors| errors.get(0)).cloned();
    if let Some(inner) = inner.and_then(|inner| serde_json::from_value::<Outcome>(inner).ok()) {
        return rejected(&inner);
    }
    // It broke down on this one: nobody knows how far it came.
    if outcome.code == "INTERNAL_ERROR" {
        return Written::Unknown { code: outcome.code.clone() };
    }
    if PASSING.contains(&outcome.code.as_str()) {
        return Written::Later { code: outcome.code.clone() };
    }
    let field = outcome.detail("api_name").map(FieldId::new);
    let is_missing = outcome.code == "INVALID_DATA"
        && (field.as_ref().is_some_and(|field| field.as_str() == "id")
            || outcome.message.contains("id given"));
    let holder = match outcome.code.as_str() {
        "DUPLICATE_DATA" => outcome.detail("id").or_else(|| {
            outcome.details.get("duplicate_record").and_then(|record| record.get("id")?.as_str())
        }),
        _ => None,
    };
    Written::Rejected {
        code: if is_missing { "not_found".to_owned() } else { outcome.code.clone() },
        field,
        holder: holder.map(RemoteId::new),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn kind(status: u16, body: &str) -> ErrorKind {
        let at = jiff::Timestamp::UNIX_EPOCH;
        error("try", &Reply { status, body: body.into(), at }).kind
    }

    fn outcome(body: &str) -> Written {
        rejected(&serde_json::from_str(body).unwrap())
    }

    #[test]
    fn a_missing_scope_asks_for_consent_and_not_for_a_new_token() {
        let answer = |code: &str| Answer {
            status: 401,
            headers: BTreeMap::new(),
            body: format!(r#"{{"code":"{code}","details":{{}},"status":"error"}}"#).into(),
        };
        assert!(is_of_key(&answer("INVALID_TOKEN")));
        assert!(!is_of_key(&answer("OAUTH_SCOPE_MISMATCH")));
        assert_eq!(kind(401, r#"{"code":"OAUTH_SCOPE_MISMATCH"}"#), ErrorKind::Forbidden);
        assert_eq!(kind(401, r#"{"code":"INVALID_TOKEN"}"#), ErrorKind::Unauthorised);
    }

    #[test]
    fn a_page_token_that_is_too_old_means_to_read_again() {
        assert_eq!(kind(400, r#"{"code":"EXPIRED_VALUE"}"#), ErrorKind::CursorLost);
        assert_eq!(kind(400, r#"{"code":"TOKEN_BOUND_DATA_MISMATCH"}"#), ErrorKind::CursorLost);
        assert_eq!(kind(502, "<html>"), ErrorKind::Unavailable);
    }

    #[test]
    fn a_duplicate_names_its_holder_and_a_locked_record_is_tried_later() {
        let body = r#"{"code":"DUPLICATE_DATA","status":"error","message":"duplicate data",
            "details":{"api_name":"Email","id":"57"}}"#;
        let Written::Rejected { field, holder, .. } = outcome(body) else { panic!("{body}") };
        assert_eq!((field, holder), (Some("Email".into()), Some("57".into())));
        let locked = r#"{"code":"RECORD_LOCKED","status":"error","details":{}}"#;
        assert!(matches!(outcome(locked), Written::Later { .. }));
    }

    #[test]
    fn of_several_faults_the_first_is_told() {
        let body = r#"{"code":"MULTIPLE_OR_MULTI_ERRORS","status":"error","details":{"errors":[
            {"code":"INVALID_DATA","details":{"api_name":"Email"},"status":"error"}]}}"#;
        let Written::Rejected { code, field, .. } = outcome(body) else { panic!("{body}") };
        assert_eq!((code.as_str(), field), ("INVALID_DATA", Some("Email".into())));
    }
}
