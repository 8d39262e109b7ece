//! The way to both apps, in this process and in virtual time: requests take a while, and some get lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http;
use concord::net::{Answer, Error, Method, Request, Wire};
use concord::ports::Clock;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};
use tower_service::Service as _;

use crate::crowd::Dice;

/// What the runtime's time is by the calendar.
pub struct Virtual {
    begun: Instant,
    at: Timestamp,
}

impl Virtual {
    pub fn at(at: Timestamp) -> Self {
        Self { begun: Instant::now(), at }
    }
}

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        let micros = i64::try_from(self.begun.elapsed().as_micros()).unwrap();
        self.at + jiff::SignedDuration::from_micros(micros)
    }
}

/// The way to the apps.
pub struct Wires {
    /// Where each is reached, and what answers there.
    pub apps: [(&'static str, Router); 2],
    pub dice: Dice,
    /// Whether requests get lost.
    pub is_rough: AtomicBool,
}

/// What happens to one request in so many.
const TROUBLE: u64 = 100;
/// How long a request takes there, and its answer back, at most: in milliseconds.
const TRIP_MAX: u64 = 400;

impl Wires {
    async fn ask(&self, request: Request) -> Result<Answer, Error> {
        let app = self.apps.iter().find(|(address, _)| request.url.starts_with(address));
        let (_, router) = app.ok_or(Error::NotSent("connect"))?;
        let response = router.clone().call(as_http(request)).await.unwrap();
        let (head, body) = response.into_parts();
        let headers = head.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()));
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Error::Lost("cut_off"))?;
        Ok(Answer { status: head.status.as_u16(), headers: headers.collect(), body: body.into() })
    }

    async fn trip(&self) {
        sleep(Duration::from_millis(self.dice.throw(TRIP_MAX))).await;
    }
}

#[async_trait]
impl Wire for Wires {
    async fn carry(&self, request: Request) -> Result<Answer, Error> {
        // An answer with new tokens that is lost takes the account with it: Kommo gives them once.
        let is_tokens = request.url.contains("/oauth");
        let luck = self.dice.throw(TROUBLE);
        let luck = if self.is_rough.load(Ordering::SeqCst) { luck } else { TROUBLE };
        self.trip().await;
        match luck {
            0 => return Err(Error::NotSent("connect")),
            1 if !is_tokens => return Err(Error::Lost("broken")),
            2 if !is_tokens => {
                let body = Vec::new();
                return Ok(Answer { status: 503, headers: [].into(), body });
            }
            _ => {}
        }
        let answer = self.ask(request).await;
        self.trip().await;
        if luck == 3 && !is_tokens {
            return Err(Error::Lost("timeout"));
        }
        answer
    }
}

fn as_http(request: Request) -> http::Request<Body> {
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    };
    let mut builder = http::Request::builder().method(method).uri(&request.url);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    if let Some(secret) = &request.authorization {
        builder = builder.header(http::header::AUTHORIZATION, secret.expose_secret());
    }
    let (content_type, body) = match request.body {
        Some((content_type, body)) => (Some(content_type), Body::from(body)),
        None => (None, Body::empty()),
    };
    if let Some(content_type) = content_type {
        builder = builder.header(http::header::CONTENT_TYPE, content_type);
    }
    builder.body(body).unwrap()
}
