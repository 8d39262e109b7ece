//! What Kommo's refusals mean: whole requests, and single records of a batch.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::connectors::call::Reply;
use crate::connectors::{Error, ErrorKind};

/// The error that a status means (the vendor's page "HTTP codes").
pub(super) fn error(operation: &'static str, reply: &Reply) -> Error {
    let is_json = serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok();
    let new = |kind, code: &str| Error::new(kind, operation, code);
    match reply.status {
        401 => new(ErrorKind::Unauthorised, "token_refused")
            .advise("make a new long-lived token in Kommo and reconnect the account"),
        402 => new(ErrorKind::Forbidden, "not_paid").advise("the Kommo account has to be paid for"),
        // A block of the address or the account answers with a page of its own.
        403 if !is_json => new(ErrorKind::Forbidden, "blocked")
            .advise("Kommo has blocked this server or account: ask its support"),
        403 => new(ErrorKind::Forbidden, "no_right")
            .advise("the token needs the rights of an administrator of the Kommo account"),
        404 => new(ErrorKind::Protocol, "no_such_route"),
        429 => new(ErrorKind::RateLimited, "too_many_requests"),
        500..=599 => new(ErrorKind::Unavailable, &format!("http_{}", reply.status)),
        status => new(ErrorKind::Protocol, &format!("http_{status}")),
    }
}

#[derive(Deserialize)]
struct Validation {
    #[serde(rename = "validation-errors", default)]
    records: Vec<RecordErrors>,
}

#[derive(Deserialize)]
struct RecordErrors {
    request_id: serde_json::Value,
    #[serde(default)]
    errors: Vec<Fault>,
}

/// What was wrong with one record.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) struct Fault {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) path: String,
}

/// The records of a batch that were refused, by the request id that we gave them.
pub(super) fn named(body: &[u8]) -> BTreeMap<String, Fault> {
    let Ok(validation) = serde_json::from_slice::<Validation>(body) else {
        return BTreeMap::new();
    };
    let named = validation.records.into_iter().map(|record| {
        let id = match record.request_id {
            serde_json::Value::String(id) => id,
            other => other.to_string(),
        };
        (id, record.errors.into_iter().next().unwrap_or_default())
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> (ErrorKind, String) {
        let reply = Reply { status, body: body.into(), at: jiff::Timestamp::UNIX_EPOCH };
        let error = error("try", &reply);
        (error.kind, error.code)
    }

    #[test]
    fn a_block_is_told_from_a_missing_right_by_its_page() {
        assert_eq!(kind(403, "<html>").1, "blocked");
        assert_eq!(kind(403, r#"{"status":403}"#).1, "no_right");
        assert_eq!(kind(402, "").1, "not_paid");
        assert_eq!(kind(502, "<html>").0, ErrorKind::Unavailable);
    }

    #[test]
    fn the_refused_records_of_a_batch_are_named() {
        let named = named(include_bytes!("fixtures/validation_400.json"));
        assert_eq!(named["0"].code, "NotSupportedChoice");
        assert_eq!(named["0"].path, "custom_fields_values.0.field_id");
        assert_eq!(super::named(b"<html>"), BTreeMap::new());
    }
}
