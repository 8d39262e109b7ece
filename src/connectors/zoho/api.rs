//! Requests to Zoho CRM.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{credits, refusal};
use crate::connectors::call::{Call, Caller, Failed, Reply};
use crate::connectors::{Access, Result};
use crate::net::{Answer, Line, Method, Pause};
use crate::ports::Clock;

pub(super) struct Api {
    caller: Caller,
    base: String,
}

/// Extra headers of a request.
pub(super) type Headers<'a> = &'a [(&'static str, String)];

impl Api {
    pub(super) fn new(
        line: Line,
        base: String,
        access: Arc<dyn Access>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let scheme = "Zoho-oauthtoken";
        let (refuses_key, left) = (refusal::is_of_key, credits::left);
        let caller = Caller { line, access, clock, scheme, pause, refuses_key, left };
        Self { caller, base }
    }

    /// Reads; none where there is nothing (204, or 304 for nothing new; neither has a body).
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        headers: Headers<'_>,
    ) -> Result<Option<T>> {
        Ok(self.get_timed(operation, path, headers).await?.0)
    }

    /// Reads, with the server's time.
    pub(super) async fn get_timed<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        headers: Headers<'_>,
    ) -> Result<(Option<T>, Timestamp)> {
        let call = Call { headers: headers.to_vec(), ..self.call(operation, Method::Get, path) };
        let reply = self.caller.send(&call).await.map_err(|failed| failed.of_read(operation))?;
        Self::read(operation, &reply)
    }

    /// Reads a file of at most so many bytes.
    pub(super) async fn file(
        &self,
        operation: &'static str,
        path: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>> {
        let call = self.call(operation, Method::Get, path);
        let call = Call { file_max: Some(bytes_max), ..call };
        let reply = self.caller.send(&call).await.map_err(|failed| failed.of_read(operation))?;
        match reply.status {
            200 => Ok(reply.body),
            _ => Err(refusal::error(operation, &reply)),
        }
    }

    /// Asks a question that is too long for an address. Changes nothing.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Option<T>> {
        let reply = self.send(operation, Method::Post, path, body).await;
        let reply = reply.map_err(|failed| failed.of_read(operation))?;
        Ok(Self::read(operation, &reply)?.0)
    }

    /// Asks for a removal. It can be repeated.
    pub(super) async fn delete(&self, operation: &'static str, path: &str) -> Result<Reply> {
        let call = self.call(operation, Method::Delete, path);
        self.caller.send(&call).await.map_err(|failed| failed.of_read(operation))
    }

    /// The time, as this machine has it.
    pub(super) fn now(&self) -> Timestamp {
        self.caller.clock.now()
    }

    fn read<T: DeserializeOwned>(
        operation: &'static str,
        reply: &Reply,
    ) -> Result<(Option<T>, Timestamp)> {
        match reply.status {
            204 | 304 => Ok((None, reply.at)),
            200 => Ok((Some(reply.json(operation)?), reply.at)),
            _ => Err(refusal::error(operation, reply)),
        }
    }

    pub(super) async fn send(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: &serde_json::Value,
    ) -> std::result::Result<Reply, Failed> {
        let credits = credits::cost(path, credits::records(body));
        let body = Some(body.to_string().into_bytes());
        self.caller.send(&Call { body, credits, ..self.call(operation, method, path) }).await
    }

    /// A call without a body that is about no record.
    fn call(&self, operation: &'static str, method: Method, path: &str) -> Call {
        Call {
            operation,
            method,
            url: format!("{}{path}", self.base),
            headers: Vec::new(),
            body: None,
            credits: credits::cost(path, 0),
            file_max: None,
        }
    }
}

/// How long an answer asks us to wait: in a header, in its details, or without saying.
fn pause(answer: &Answer) -> Option<Pause> {
    if answer.status != 429 {
        return None;
    }
    let header = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
    let body = || {
        let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        body.get("details")?.get("retry_after")?.as_u64()
    };
    Some(Pause(header.or_else(body).map(Duration::from_secs)))
}
