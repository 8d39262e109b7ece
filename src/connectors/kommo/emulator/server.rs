//! The one place that knows the HTTP server: requests in, answers out.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use jiff::fmt::rfc2822::DateTimePrinter;

use super::Emulator;
use super::answer::Answer;
use super::gate::Exchange;

const BODY_MAX: usize = 16 * 1024 * 1024;

pub(super) fn router(emulator: Emulator) -> Router {
    Router::new().fallback(serve).with_state(emulator)
}

async fn serve(State(emulator): State<Emulator>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let exchange = Exchange {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        context_user: header("x-context-user-id"),
        refresh_token: header("x-refresh-token"),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let answer = emulator.answer(&exchange);
    let (date, id) = {
        let mut state = emulator.lock();
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&state.time);
        (date.unwrap_or_default(), state.next_answer_id())
    };
    render(answer, &date, &id)
}

fn render(answer: Answer, date: &str, id: &str) -> Response {
    let mut response = Response::builder().header(DATE, date).header("x-request-id", id);
    let response = if answer.is_lost {
        // A length that nothing follows makes the server break the connection.
        let nothing = Body::from_stream(Body::empty().into_data_stream());
        response.status(StatusCode::OK).header(CONTENT_LENGTH, "1024").body(nothing)
    } else {
        if let Some(content_type) = answer.content_type {
            response = response.header(CONTENT_TYPE, content_type);
        }
        if let Some(seconds) = answer.retry_after {
            response = response.header(RETRY_AFTER, seconds.to_string());
        }
        response.status(answer.status).body(Body::from(answer.body))
    };
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
