//! Where apps send people back to after they were asked for consent (RFC 6749, section 4.1.2). The page
//! tells what happened in words of ours only: nothing of the address, the account or the app's answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use tokio::sync::Semaphore;

use crate::accounts::{Authorizations, CameBack, Error};

/// The page has nothing but text, and its address must go nowhere.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How many people are served at once.
const AT_ONCE: usize = 16;

struct Callback {
    authorizations: Arc<Authorizations>,
    places: Semaphore,
}

/// What a person reads.
struct Page {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
}

const CONNECTED: Page = Page {
    status: StatusCode::OK,
    title: "Connected",
    text: "The account is connected. You can close this page.",
};
const BUSY: Page = Page {
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not connected",
    text: "Too many people come at once: reload this page.",
};

pub(super) fn route<S: Clone + Send + Sync + 'static>(
    authorizations: Arc<Authorizations>,
) -> MethodRouter<S> {
    let callback = Callback { authorizations, places: Semaphore::new(AT_ONCE) };
    get(answer).head(look).with_state(Arc::new(callback))
}

async fn answer(
    State(callback): State<Arc<Callback>>,
    Path(app): Path<String>,
    address: Uri,
) -> Response {
    let Ok(_place) = callback.places.try_acquire() else { return BUSY.render() };
    let query = address.query().unwrap_or_default();
    let CameBack { account, return_url } = callback.authorizations.come_back(&app, query).await;
    let outcome = match &account {
        Ok(account) => ("accountId", account.id.to_string()),
        Err(error) => ("error", error.code().to_owned()),
    };
    match (return_url, account) {
        (Some(url), _) => send_on(&url, &outcome),
        (None, Ok(_)) => CONNECTED.render(),
        (None, Err(error)) => Page::of(&error).render(),
    }
}

/// Nothing is asked of an app by who only looks whether the page is there, such as what checks links.
async fn look() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

/// Sends the browser on to an address that the operator allows, with what happened.
fn send_on(url: &str, (name, value): &(&'static str, String)) -> Response {
    let sign = if url.contains('?') { '&' } else { '?' };
    let mut pair = form_urlencoded::Serializer::new(String::new());
    let address = format!("{url}{sign}{}", pair.append_pair(name, value).finish());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    match HeaderValue::from_str(&address) {
        Ok(address) => response.headers_mut().insert(header::LOCATION, address),
        Err(_) => return CONNECTED.render(),
    };
    response
}

impl Page {
    fn of(error: &Error) -> Self {
        let (status, text) = match error {
            Error::NoSuchApp(_) => {
                (StatusCode::NOT_FOUND, "This server knows no app of this name.")
            }
            Error::UnknownState => (
                StatusCode::BAD_REQUEST,
                "This page was opened before, or more than ten minutes after the connection was \
                 begun, or it was not begun here. Begin again.",
            ),
            Error::NoConsent => (
                StatusCode::FORBIDDEN,
                "No consent was given, so nothing was connected. To connect the account, begin again \
                 and accept what the app's page asks for.",
            ),
            Error::OtherAccount => (
                StatusCode::CONFLICT,
                "Access was given to another account than the one that is to be reconnected. Sign in \
                 to that one, and begin again.",
            ),
            Error::OtherUser => (
                StatusCode::CONFLICT,
                "Access was given by another user than the one who was expected. Sign in as that user, and \
                 begin again.",
            ),
            Error::App(error) if error.is_passing() => (
                StatusCode::BAD_GATEWAY,
                "The app can't be reached, or asks to wait. Begin again in some minutes.",
            ),
            Error::App(error) => (
                StatusCode::BAD_REQUEST,
                error.advice.unwrap_or("The app did not accept this. Begin again."),
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on this server, so nothing was connected. Begin again.",
            ),
        };
        Self { status, title: "Not connected", text }
    }

    fn render(self) -> Response {
        let Self { status, title, text } = self;
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }
}
