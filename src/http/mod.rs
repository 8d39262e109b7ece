//! What this server answers over HTTP: the GraphQL endpoint, subscriptions over a WebSocket, the notifications of apps, people who come
//! back from an app's consent page, whether it is alive and ready, and GraphiQL where it is switched on. A
//! worker answers only whether it is alive and ready.
//!
//! The endpoint takes one GraphQL request as JSON by `POST`, from somebody with a token, and nothing
//! else: a form, a link or a page of another site cannot make a browser send that. Every request has a
//! limit on its size and on its time, and only so many are answered at once.

mod body;
mod callback;
mod endpoint;
mod execution;
mod explorer;
mod followed;
mod headers;
mod media;
mod outcome;
mod places;
mod probe;
mod receiver;
mod refusal;
mod said;
mod socket;

use std::sync::Arc;

use async_graphql::Executor;
use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

use crate::accounts::Authorizations;
use crate::auth::Tokens;
use crate::webhooks::Webhooks;
use endpoint::Endpoint;
use media::Media;
use refusal::Refusal;
use socket::Sockets;

/// Tells whether the server can do its work.
#[async_trait]
pub trait Ready: Send + Sync {
    /// Whether it can now.
    async fn ready(&self) -> bool;
}

/// What the server is made of.
pub struct Http<E> {
    /// The schema that executes GraphQL requests; it finds a [`crate::auth::Principal`] in their data.
    pub executor: E,
    /// What checks the tokens.
    pub tokens: Arc<Tokens>,
    /// What takes the notifications of apps.
    pub webhooks: Arc<Webhooks>,
    /// What takes people back who gave consent to an app.
    pub authorizations: Arc<Authorizations>,
    /// Whether GraphiQL is served.
    pub graphiql: bool,
    /// What tells whether the server is ready.
    pub ready: Arc<dyn Ready>,
}

/// The server's addresses with what answers there.
pub fn router<E: Executor>(http: Http<E>) -> Router {
    let sockets = Arc::new(Sockets::new(http.executor.clone(), http.tokens.clone()));
    let endpoint = Arc::new(Endpoint::new(http.executor, http.tokens));
    let mut router = Router::new()
        .route("/graphql/ws", get(socket::open::<E>).with_state(sockets))
        .route("/graphql", post(endpoint::answer::<E>).with_state(endpoint))
        .route("/webhooks/{app}/{endpoint}/{secret}", receiver::route(http.webhooks))
        .route("/oauth/callback/{app}", callback::route(http.authorizations))
        .merge(probes(http.ready));
    if http.graphiql {
        router = explorer::add_to(router);
    }
    guarded(router, "there is nothing at this address: the API is at /graphql")
}

/// A worker's addresses: only whether it is alive and ready.
pub fn worker_router(ready: Arc<dyn Ready>) -> Router {
    guarded(probes(ready), "this is a worker: the API is at the server")
}

fn probes(ready: Arc<dyn Ready>) -> Router {
    Router::new()
        .route("/healthz", get(probe::is_alive))
        .route("/readyz", get(probe::is_ready).with_state(ready))
}

/// What is at no address, or takes no such method, is refused; and all that is answered is guarded.
fn guarded(router: Router, elsewhere: &'static str) -> Router {
    router
        .fallback(move || refuse_path(elsewhere))
        .method_not_allowed_fallback(refuse_method)
        .layer(map_response(headers::secure))
}

async fn refuse_path(message: &'static str) -> Response {
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", message).render(Media::Json)
}

/// The router adds the header that names the methods.
async fn refuse_method() -> Response {
    let message = "this address does not take this method: use one that the header Allow names";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message).render(Media::Json)
}
