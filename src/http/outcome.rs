//! Answers to requests that were executed.

use async_graphql::{Response as Outcome, ServerError, Value};
use axum::http::StatusCode;
use axum::response::Response;

use super::media::Media;
use super::refusal::{Refusal, shape};

const UNEXPECTED: &str =
    "something failed in this server: send it again, and tell whoever runs the server if it stays";

/// Every error is given a code, and what a library said in it is kept inside.
pub(super) fn render(mut outcome: Outcome, media: Media) -> Response {
    outcome.errors.iter_mut().for_each(label);
    let Ok(body) = serde_json::to_vec(&outcome) else { return unexpected().render(media) };
    shape(status(&outcome, media), media, body.into())
}

/// Something failed that was not foreseen.
pub(super) fn unexpected() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", UNEXPECTED)
}

/// An error made from another one, without a code of ours, was not foreseen: its text may name tables,
/// files or addresses.
pub(super) fn label(error: &mut ServerError) {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return;
    }
    let code = if error.source.is_some() {
        UNEXPECTED.clone_into(&mut error.message);
        "INTERNAL"
    } else {
        "BAD_QUERY"
    };
    error.extensions.get_or_insert_default().set("code", code);
}

/// Old clients take every other status than 200 for a broken network; those that know the newer form
/// are told by the status that nothing was executed.
fn status(outcome: &Outcome, media: Media) -> StatusCode {
    let is_refused = outcome.data == Value::Null
        && !outcome.errors.is_empty()
        && outcome.errors.iter().all(|error| error.path.is_empty());
    if is_refused && media == Media::GraphqlResponse {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}
