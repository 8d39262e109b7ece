//! The request in the body: read within limits, and understood.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use async_graphql::Request;
use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use tokio::time::timeout;

use super::refusal::Refusal;

/// How much is read, and for how long.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The largest body, in KiB.
    pub(super) kib: usize,
    /// Until the whole body has come, in seconds.
    pub(super) seconds: u64,
}

/// Reads the whole body, or refuses it as soon as it is known to be too large.
pub(super) async fn read(body: Body, bounds: Bounds) -> Result<Vec<u8>, Refusal> {
    let patience = Duration::from_secs(bounds.seconds);
    timeout(patience, collect(body, bounds.kib)).await.unwrap_or_else(|_| {
        let message = format!(
            "the request did not come whole within {} seconds: send it again",
            bounds.seconds
        );
        Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message))
    })
}

/// Not axum's own function for this: its errors do not tell a large body from a broken one.
async fn collect(mut body: Body, kib: usize) -> Result<Vec<u8>, Refusal> {
    let largest = kib * 1024;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > largest {
        return Err(too_large(kib));
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Refusal::bad("the request broke off: send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > largest {
            return Err(too_large(kib));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large(kib: usize) -> Refusal {
    let message = format!("the request is larger than {kib} KiB: send less at once");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}

/// Reads the one GraphQL request that a body may hold.
pub(super) fn parse(bytes: &[u8]) -> Result<Request, Refusal> {
    match bytes.trim_ascii_start().first() {
        // Serde would take a list for an object with its members in order.
        Some(b'[') => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "BATCH_NOT_ALLOWED",
            "several requests came in one list: send each by itself, or several fields in one",
        )),
        Some(b'{') => {
            let request: Request = serde_json::from_slice(bytes).map_err(|_| malformed())?;
            // The library takes a request without one for a request that asks nothing.
            if request.query.trim().is_empty() { Err(malformed()) } else { Ok(request) }
        }
        _ => Err(malformed()),
    }
}

fn malformed() -> Refusal {
    Refusal::bad(
        "the body is not a GraphQL request: send a JSON object with `query` as text and, where \
         needed, `variables` as an object and `operationName` as text",
    )
}
