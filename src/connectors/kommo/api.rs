//! Requests to Kommo, and lists as it pages them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::convert::not_understood;
use super::refusal;
use super::wire::Listing;
use crate::connectors::call::{Call, Caller, Failed, Reply};
use crate::connectors::{Access, Result};
use crate::net::{Answer, Line, Method, Pause};
use crate::ports::Clock;

pub(super) struct Api {
    caller: Caller,
    base: String,
}

/// A page of a list, with the server's time.
pub(super) struct List {
    listing: Option<Listing>,
    pub(super) has_next: bool,
    pub(super) at: Timestamp,
    operation: &'static str,
}

impl Api {
    pub(super) fn new(
        line: Line,
        base: String,
        access: Arc<dyn Access>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let refuses_key = |answer: &Answer| answer.status == 401;
        // Kommo counts no credits.
        let left = |_: &Answer| None;
        let caller = Caller { line, access, clock, scheme: "Bearer", pause, refuses_key, left };
        Self { caller, base }
    }

    /// Reads; none where there is nothing (204, which has no body).
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Option<T>> {
        Ok(self.get_timed(operation, path).await?.0)
    }

    async fn get_timed<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<(Option<T>, Timestamp)> {
        let reply = self.send(operation, Method::Get, path, None).await;
        let reply = reply.map_err(|failed| failed.of_read(operation))?;
        match reply.status {
            204 => Ok((None, reply.at)),
            200 | 201 => Ok((Some(reply.json(operation)?), reply.at)),
            _ => Err(refusal::error(operation, &reply)),
        }
    }

    /// Reads a page of a list: empty where there is nothing.
    pub(super) async fn read_list(&self, path: &str, operation: &'static str) -> Result<List> {
        let (listing, at) = self.get_timed::<Listing>(operation, path).await?;
        let has_next = listing.as_ref().is_some_and(Listing::has_next);
        Ok(List { listing, has_next, at, operation })
    }

    pub(super) async fn send(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> std::result::Result<Reply, Failed> {
        let url = format!("{}{path}", self.base);
        let call =
            Call { operation, method, url, headers: Vec::new(), body, credits: 0, file_max: None };
        self.caller.send(&call).await
    }
}

impl List {
    pub(super) fn elements<T: DeserializeOwned>(self, name: &str) -> Result<Vec<T>> {
        match self.listing {
            None => Ok(Vec::new()),
            Some(listing) => listing.take(name).ok_or_else(|| not_understood(self.operation)),
        }
    }
}

/// How long an answer asks us to wait: in a header, in the body, or without saying.
fn pause(answer: &Answer) -> Option<Pause> {
    if answer.status != 429 {
        return None;
    }
    let header = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
    let body = || {
        let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        body.get("retry_after")?.as_u64()
    };
    Some(Pause(header.or_else(body).map(Duration::from_secs)))
}
