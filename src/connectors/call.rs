//! One request to an app: the key, the pace, one replacement of a refused key, and the server's time.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::{Access, Error, ErrorKind, Result};
use crate::net::{self, Answer, Left, Line, Method, Pause, Request};
use crate::ports::Clock;

/// How requests to one account are made.
pub(super) struct Caller {
    pub(super) line: Line,
    pub(super) access: Arc<dyn Access>,
    pub(super) clock: Arc<dyn Clock>,
    /// The word before the token in the `Authorization` header.
    pub(super) scheme: &'static str,
    /// Whether an answer asks us to wait; it then says that nothing was done.
    pub(super) pause: fn(&Answer) -> Option<Pause>,
    /// Whether an answer says that the key is not valid; it then says that nothing was done.
    pub(super) refuses_key: fn(&Answer) -> bool,
    /// What an answer says of the credits that are left, if it says anything.
    pub(super) left: fn(&Answer) -> Option<Left>,
}

/// What is asked.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    /// What it costs, in credits, unless it is refused.
    pub(super) credits: u64,
    /// The longest answer that is read, in bytes, where a file is asked for.
    pub(super) file_max: Option<usize>,
}

/// What a call came to.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The server's time.
    pub(super) at: Timestamp,
}

/// Why there is no reply.
pub(super) enum Failed {
    /// Certainly nothing was done.
    Undone(Error),
    /// It may have been done.
    Lost(&'static str),
}

impl Failed {
    /// The error, for calls that only read or can be repeated: whether they arrived does not matter.
    pub(super) fn of_read(self, operation: &'static str) -> Error {
        match self {
            Self::Undone(error) => error,
            Self::Lost(code) => Error::new(ErrorKind::Unavailable, operation, code),
        }
    }
}

impl Reply {
    /// The body as JSON of this shape.
    pub(super) fn json<T: DeserializeOwned>(&self, operation: &'static str) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Error::new(ErrorKind::Protocol, operation, "not_understood"))
    }
}

impl Caller {
    pub(super) async fn send(&self, call: &Call) -> std::result::Result<Reply, Failed> {
        let mut key = self.access.key().await.map_err(Failed::Undone)?;
        let mut is_replaced = false;
        let pause = |answer: &Answer| {
            if let Some(left) = (self.left)(answer) {
                self.line.meter().told(left);
            }
            (self.pause)(answer)
        };
        loop {
            let token = key.token.expose_secret();
            let authorization = SecretString::from(format!("{} {token}", self.scheme));
            let request = || {
                let request = Request::new(call.method, call.url.as_str());
                let request = request.authorization(authorization.clone());
                let headers = call.headers.iter();
                let request =
                    headers.fold(request, |request, (name, value)| request.header(name, value));
                let request = match &call.body {
                    Some(body) => request.body("application/json", body.clone()),
                    None => request,
                };
                match call.file_max {
                    Some(bytes) => request.answer_max(bytes),
                    None => request,
                }
            };
            let answer = self.line.send(request, pause).await.map_err(|error| match error {
                net::Error::Lost(code) => {
                    self.line.meter().spent(call.credits);
                    Failed::Lost(code)
                }
                other => Failed::Undone(Error::from_net(&other, call.operation, &*self.clock)),
            })?;
            if !(self.refuses_key)(&answer) {
                self.line.meter().spent(call.credits);
            } else if !is_replaced {
                key = self.access.replace(&key).await.map_err(Failed::Undone)?;
                is_replaced = true;
                continue;
            }
            let at = self.server_time(&answer);
            return Ok(Reply { status: answer.status, body: answer.body, at });
        }
    }

    /// The time of the server where it tells, so that a wrong clock here loses nothing.
    fn server_time(&self, answer: &Answer) -> Timestamp {
        let told = answer.header("date").and_then(|date| rfc2822::parse(date).ok());
        told.map_or_else(|| self.clock.now(), |date| date.timestamp())
    }
}
