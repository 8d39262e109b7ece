//! Where apps post their notifications. The address is the secret: it is never written down.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::body::{self, Bounds};
use super::media::Media;
use super::refusal::{Refusal, shape};
use crate::webhooks::{Refused, Webhooks};

/// What is read of a notification.
const BOUNDS: Bounds = Bounds { kib: 1024, seconds: 5 };
/// How long keeping one may take: whoever sent it gives up soon after (Kommo after 2 seconds).
const KEPT_WITHIN: Duration = Duration::from_millis(1500);
/// How many notifications are taken at once.
const AT_ONCE: usize = 64;

struct Receiver {
    webhooks: Arc<Webhooks>,
    places: Semaphore,
}

pub(super) fn route<S: Clone + Send + Sync + 'static>(webhooks: Arc<Webhooks>) -> MethodRouter<S> {
    let receiver = Receiver { webhooks, places: Semaphore::new(AT_ONCE) };
    post(answer).with_state(Arc::new(receiver))
}

async fn answer(
    State(receiver): State<Arc<Receiver>>,
    Path((app, endpoint, secret)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let taken = receiver.take([&app, &endpoint, &secret], &head.headers, body).await;
    match taken {
        Ok(()) => shape(StatusCode::OK, Media::Json, Body::empty()),
        Err(refusal) => refusal.render(Media::Json),
    }
}

impl Receiver {
    async fn take(
        &self,
        [app, endpoint, secret]: [&str; 3],
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(), Refusal> {
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        // Before the body is read: nobody who knows no address can hold a place for long.
        let addressed = self.webhooks.addressed(app, endpoint, secret);
        let addressed = in_time(addressed).await?;
        let body = body::read(body, BOUNDS).await?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default();
        in_time(self.webhooks.receive(&addressed, kind, &body)).await
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Refused>>) -> Result<T, Refusal> {
    timeout(KEPT_WITHIN, work).await.map_err(|_| busy())?.map_err(refusal)
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Unknown => {
            let message = "there is nothing at this address: register the one that the account's \
                           `webhook` field of the API gives";
            Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
        }
        Refused::Unreadable(unreadable) if unreadable.is_forged() => {
            Refusal::new(StatusCode::FORBIDDEN, "FORGED", unreadable.to_string())
        }
        Refused::Unreadable(unreadable) => {
            Refusal::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", unreadable.to_string())
        }
        Refused::NotKept(_) => busy(),
    }
}

fn busy() -> Refusal {
    let message = "this could not be kept now: send it again";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", message).with(header::RETRY_AFTER, "5")
}
