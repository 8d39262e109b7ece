//! The forms in which requests come and answers go.

use axum::http::{HeaderMap, StatusCode, header};

use super::refusal::Refusal;

const JSON: &str = "application/json";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// JSON, which every client reads.
    Json,
    /// The same text, by the name that tells a GraphQL answer from what a proxy may say.
    GraphqlResponse,
}

impl Media {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::GraphqlResponse => GRAPHQL_RESPONSE,
        }
    }

    /// The form that the client reads.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut kinds = lists.flat_map(|list| list.split(',')).map(essence);
        if kinds.any(|kind| kind.eq_ignore_ascii_case(GRAPHQL_RESPONSE)) {
            Self::GraphqlResponse
        } else {
            Self::Json
        }
    }
}

/// Refuses all that is not said to be JSON. Browsers send the other types for a form or a script of
/// any site, without asking this server first.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (kinds.next(), kinds.next()) {
        (Some(kind), None) => kind.to_str().ok().map(essence),
        _ => None,
    };
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case(JSON)) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        "the request is not said to be JSON: send it with `Content-Type: application/json`",
    ))
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}
