//! The HTTP client: what it sends, what comes back, and whether a failed request may have arrived.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

/// The client, shared by all; cheap to clone.
#[derive(Clone)]
pub struct Http {
    wire: Arc<dyn Wire>,
}

/// What carries requests: the network, or what stands for it in a simulation.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Carries a request there once, and the whole answer back.
    ///
    /// # Errors
    /// [`Error`], which says whether the request may have arrived.
    async fn carry(&self, request: Request) -> Result<Answer, Error>;
}

/// The network.
struct Network {
    client: reqwest::Client,
    body_max: usize,
}

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Until an answer was read to its end.
const WHOLE: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// What is done to a resource (RFC 9110, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or does.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

/// A request. Its address and body may hold people's data, so neither is ever printed.
pub struct Request {
    /// What is done.
    pub method: Method,
    /// To what.
    pub url: String,
    /// The headers but those of authorization and body: names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The `Authorization` header.
    pub authorization: Option<SecretString>,
    /// The body's content type, and the body.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// The longest answer that is read, in bytes, where that is not the client's.
    pub answer_max: Option<usize>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            authorization: None,
            body: None,
            answer_max: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the `Authorization` header.
    #[must_use]
    pub fn authorization(mut self, value: SecretString) -> Self {
        self.authorization = Some(value);
        self
    }

    /// Sets the body with its content type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some((content_type, body.into()));
        self
    }

    /// Sets how long an answer may be, in bytes.
    #[must_use]
    pub fn answer_max(mut self, bytes: usize) -> Self {
        self.answer_max = Some(bytes);
        self
    }
}

/// An answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request did not leave: certainly nothing was done.
    #[error("not sent ({0})")]
    NotSent(&'static str),
    /// It may have arrived and may have been done.
    #[error("no answer ({0})")]
    Lost(&'static str),
    /// It may not be sent for this long: the app asked for a pause.
    #[error("asked to pause for {0:?}")]
    Resting(Duration),
}

impl Http {
    /// A client with our limits.
    ///
    /// # Errors
    /// [`Error::NotSent`] if the machine has no certificates to check servers by.
    pub fn new() -> Result<Self, Error> {
        Self::with_body_max(BODY_MAX)
    }

    /// A client with another limit on the size of answers, in bytes.
    ///
    /// # Errors
    /// As for [`Http::new`].
    pub fn with_body_max(body_max: usize) -> Result<Self, Error> {
        // A second start in the same process finds it installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("concord/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| Error::NotSent("client"))?;
        Ok(Self::over(Arc::new(Network { client, body_max })))
    }

    /// A client whose requests are carried by something else than the network.
    #[must_use]
    pub fn over(wire: Arc<dyn Wire>) -> Self {
        Self { wire }
    }

    /// Sends a request once and reads the whole answer.
    ///
    /// # Errors
    /// [`Error`], which says whether the request may have arrived.
    pub async fn send(&self, request: Request) -> Result<Answer, Error> {
        self.wire.carry(request).await
    }
}

#[async_trait]
impl Wire for Network {
    async fn carry(&self, request: Request) -> Result<Answer, Error> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let body_max = request.answer_max.unwrap_or(self.body_max);
        let mut builder = self.client.request(method, &request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        if let Some(secret) = &request.authorization {
            let mut value = reqwest::header::HeaderValue::from_str(secret.expose_secret())
                .map_err(|_| Error::NotSent("credentials"))?;
            value.set_sensitive(true);
            builder = builder.header(reqwest::header::AUTHORIZATION, value);
        }
        if let Some((content_type, body)) = request.body {
            builder = builder.header(reqwest::header::CONTENT_TYPE, content_type).body(body);
        }
        let mut response = builder.send().await.map_err(|error| unsent(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Error::Lost("cut_off"))? {
            if body.len() + chunk.len() > body_max {
                return Err(Error::Lost("too_large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

fn unsent(error: &reqwest::Error) -> Error {
    if error.is_builder() {
        Error::NotSent("address")
    } else if error.is_connect() {
        Error::NotSent("connect")
    } else if error.is_timeout() {
        Error::Lost("timeout")
    } else {
        Error::Lost("broken")
    }
}
