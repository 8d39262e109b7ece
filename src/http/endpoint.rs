//! The GraphQL endpoint: who asks is checked first, then what they send, and only then is it executed.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::media::Media;
use super::refusal::Refusal;
use super::{body, execution, media, outcome};
use crate::auth::{Principal, Tokens};
use crate::idempotency::{BadKey, Cancellation, Key};

/// Until a request is answered.
const WHOLE: Duration = Duration::from_secs(30);
/// What is read of a request.
const BOUNDS: body::Bounds = body::Bounds { kib: 256, seconds: 10 };
/// How many requests are answered at once.
const AT_ONCE: usize = 64;

/// By which a client may send a mutation again without having it done again.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the endpoint needs.
pub(super) struct Endpoint<E> {
    executor: E,
    tokens: Arc<Tokens>,
    places: Arc<Semaphore>,
}

pub(super) async fn answer<E: Executor>(
    State(endpoint): State<Arc<Endpoint<E>>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let media = Media::wanted(&head.headers);
    let answer = timeout(WHOLE, endpoint.respond(&head.headers, body, media)).await;
    answer.unwrap_or_else(|_| Err(too_slow())).unwrap_or_else(|refusal| refusal.render(media))
}

impl<E: Executor> Endpoint<E> {
    pub(super) fn new(executor: E, tokens: Arc<Tokens>) -> Self {
        Self { executor, tokens, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    async fn respond(
        &self,
        headers: &HeaderMap,
        body: Body,
        media: Media,
    ) -> Result<Response, Refusal> {
        let principal = self.admit(headers)?;
        media::check(headers)?;
        let key = idempotency_key(headers)?;
        // Taken after the token was checked: a stranger can keep nobody out.
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let bytes = body::read(body, BOUNDS).await?;
        let cancellation = Cancellation::default();
        let mut request = body::parse(&bytes)?.data(principal).data(cancellation.clone());
        if let Some(key) = key {
            request = request.data(key);
        }
        let executor = self.executor.clone();
        let work = async move {
            // Kept until it ends, whoever waits for it.
            let _place = place;
            executor.execute(request).await
        };
        let done = execution::run(work, cancellation).await.map_err(|_| outcome::unexpected())?;
        Ok(outcome::render(done, media))
    }

    fn admit(&self, headers: &HeaderMap) -> Result<Principal, Refusal> {
        let Some(token) = bearer(headers) else {
            return Err(Refusal::unauthenticated(
                "there is no token: send `Authorization: Bearer <token>` with a token that \
                 `concord token` made",
            ));
        };
        let principal = self.tokens.verify(token);
        principal.map_err(|refused| Refusal::unauthenticated(refused.to_string()))
    }
}

/// The token, if there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    bearer_token(value.to_str().ok()?)
}

/// The token in `Bearer <token>`.
pub(super) fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The key of the request, if it has one; two are none.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<Key>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = match values.next() {
        None => value.to_str().map_err(|_| BadKey).and_then(str::parse),
        Some(_) => Err(BadKey),
    };
    let refuse = |bad: BadKey| {
        Refusal::new(StatusCode::BAD_REQUEST, "IDEMPOTENCY_KEY_INVALID", bad.to_string())
    };
    key.map(Some).map_err(refuse)
}

fn busy() -> Refusal {
    let message = "too many requests are being answered: send it again in a second";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", message).with(header::RETRY_AFTER, "1")
}

fn too_slow() -> Refusal {
    Refusal::new(
        StatusCode::GATEWAY_TIMEOUT,
        "TIMEOUT",
        "this was not done within 30 seconds: ask for less at once. A mutation with an idempotency \
         key goes on, and may be sent again with its key; of any other, look whether it was done \
         before you send it again",
    )
}
