//! The server: HTTP in, HTTP out, with the faults that were ordered.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as Incoming, State as Extract};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;

use super::account::Emulator;
use super::answer::Answer;
use super::call::Call;
use super::faults::FaultKind;
use super::log::Request;
use super::state::State;
use super::{control, gate, times, tokens};

/// No request is longer.
const BODY_MAX: usize = 26_214_400;

/// What is sent back.
enum Reply {
    Given { answer: Answer, credits: Option<u64> },
    Canned { status: u16, body: String, content_type: &'static str, retry_after: Option<u64> },
    Lost,
}

pub(super) fn router(emulator: Emulator) -> Router {
    Router::new().fallback(serve).with_state(emulator)
}

async fn serve(Extract(emulator): Extract<Emulator>, request: Incoming) -> Response {
    let (parts, body) = request.into_parts();
    let is_api = parts.uri.path().starts_with("/crm/");
    // Counted from its first byte to its answer.
    let slot = is_api.then(|| emulator.enter());
    let is_crowded = slot.as_ref().is_some_and(|slot| slot.is_crowded);
    let Ok(bytes) = to_bytes(body, BODY_MAX).await else {
        return canned(413, "", "text/plain", None);
    };
    // Calls that come at once shall be counted at once.
    tokio::task::yield_now().await;
    let call = Call::new(parts, bytes);
    let mut state = emulator.lock();
    let now = state.now();
    let reply = reply(&mut state, &call, is_crowded);
    drop(state);
    drop(slot);
    render(reply, now)
}

fn reply(state: &mut State, call: &Call, is_crowded: bool) -> Reply {
    if call.path.starts_with("/_emulator/") {
        return Reply::Given { answer: control::answer(state, call), credits: None };
    }
    let fault = state.faults.meet(call.method.as_str(), &call.path);
    let (status, reply) = match fault {
        Some(FaultKind::LostBefore) => (0, Reply::Lost),
        Some(FaultKind::Status { status, body, content_type, retry_after }) => {
            (status, Reply::Canned { status, body, content_type, retry_after })
        }
        Some(FaultKind::LostAfter) => {
            answer(state, call, is_crowded);
            (0, Reply::Lost)
        }
        None => {
            let (answer, credits) = answer(state, call, is_crowded);
            (answer.status, Reply::Given { answer, credits })
        }
    };
    let request = Request {
        method: call.method.to_string(),
        path: call.path.clone(),
        query: call.query.clone(),
        status,
        at: state.now(),
    };
    state.requests.push(request);
    reply
}

fn answer(state: &mut State, call: &Call, is_crowded: bool) -> gate::Told {
    if call.path.starts_with("/oauth/") {
        return (tokens::answer(state, call), None);
    }
    gate::pass(state, call, is_crowded)
}

fn render(reply: Reply, now: Timestamp) -> Response {
    let mut response = match reply {
        Reply::Given { answer, credits } => given(answer, credits),
        Reply::Canned { status, body, content_type, retry_after } => {
            canned(status, &body, content_type, retry_after)
        }
        Reply::Lost => lost(),
    };
    put(&mut response, header::DATE, &times::render_for_http(now));
    response
}

fn given(answer: Answer, credits: Option<u64>) -> Response {
    let body = answer.body.map(|body| body.to_string());
    let mut response = canned(answer.status, body.as_deref().unwrap_or_default(), "", None);
    if let Some(file) = answer.file {
        *response.body_mut() = Body::from(file);
        put(&mut response, header::CONTENT_TYPE, "application/zip");
    }
    if body.is_some() {
        put(&mut response, header::CONTENT_TYPE, "application/json;charset=UTF-8");
    }
    if let Some(credits) = credits {
        let name = HeaderName::from_static("x-api-credits-remaining");
        put(&mut response, name, &credits.to_string());
    }
    response
}

fn canned(status: u16, body: &str, kind: &str, retry_after: Option<u64>) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !kind.is_empty() {
        put(&mut response, header::CONTENT_TYPE, kind);
    }
    if let Some(seconds) = retry_after {
        put(&mut response, header::RETRY_AFTER, &seconds.to_string());
    }
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Tells a length that nothing follows, upon which the server has to break the connection.
fn lost() -> Response {
    let mut response = Response::new(Body::from_stream(Body::empty().into_data_stream()));
    put(&mut response, header::CONTENT_LENGTH, "1024");
    response
}
