//! The app's own screen over HTTP, for other processes: no token, no limit, not in the log.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Emulator;
use super::answer::{Answer, Outcome};
use super::faults::{Fault, FaultKind};
use super::gate::Exchange;

pub(super) fn answer(emulator: &Emulator, exchange: &Exchange) -> Answer {
    route(emulator, exchange).unwrap_or_else(|refusal| refusal)
}

fn route(emulator: &Emulator, exchange: &Exchange) -> Outcome {
    let path = exchange.path.strip_prefix("/_emulator/").unwrap_or_default();
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let body = exchange.body.as_str();
    match (parts.as_slice(), exchange.method.as_str()) {
        (["contacts"], "GET") => Ok(Answer::json(200, &json!(emulator.contacts()))),
        (["contacts"], "POST") => match emulator.person_adds(read(body)?) {
            0 => Err(Answer::problem(400, "These are not values of a contact")),
            id => Ok(Answer::json(201, &json!({ "id": id }))),
        },
        (["contacts", id], "PATCH") => {
            let patch: Value = read(body)?;
            done(number(id).is_some_and(|id| emulator.person_edits(id, patch)))
        }
        (["contacts", id], "DELETE") => {
            done(number(id).is_some_and(|id| emulator.person_deletes(id)))
        }
        (["merge"], "POST") => {
            let merge: Merge = read(body)?;
            done(emulator.person_merges(merge.winner, merge.loser))
        }
        (["code"], "GET") => Ok(Answer::json(200, &json!({ "code": emulator.grant_code() }))),
        (["requests"], "GET") => Ok(Answer::json(200, &json!(emulator.requests()))),
        (["requests"], "DELETE") => {
            emulator.forget_requests();
            done(true)
        }
        (["faults"], "POST") => {
            emulator.order(read::<Order>(body)?.into());
            done(true)
        }
        _ => Err(Answer::unknown_route(&exchange.method, &exchange.path)),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Answer> {
    serde_json::from_str(body).map_err(|error| Answer::problem(400, &error.to_string()))
}

fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

fn done(is_done: bool) -> Outcome {
    if is_done { Ok(Answer::no_content()) } else { Err(Answer::problem(404, "Nothing was done")) }
}

#[derive(Deserialize)]
struct Merge {
    winner: u64,
    loser: u64,
}

/// A [`Fault`] as it is written in JSON.
#[derive(Deserialize)]
struct Order {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    after: u32,
    #[serde(default = "once")]
    times: u32,
    kind: OrderKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OrderKind {
    Status {
        status: u16,
        #[serde(default)]
        body: String,
        content_type: Option<String>,
        retry_after: Option<u64>,
    },
    LostBefore,
    LostAfter,
    Html403,
    PlainTooMany,
    TokenExpired,
}

fn once() -> u32 {
    1
}

impl From<Order> for Fault {
    fn from(order: Order) -> Self {
        let Order { method, path, after, times, kind } = order;
        let kind = match kind {
            OrderKind::Status { status, body, content_type, retry_after } => {
                let content_type = known_type(content_type.as_deref());
                FaultKind::Status { status, body, content_type, retry_after }
            }
            OrderKind::LostBefore => FaultKind::LostBefore,
            OrderKind::LostAfter => FaultKind::LostAfter,
            OrderKind::Html403 => FaultKind::Html403,
            OrderKind::PlainTooMany => FaultKind::PlainTooMany,
            OrderKind::TokenExpired => FaultKind::TokenExpired,
        };
        Self { method, path, after, times, kind }
    }
}

fn known_type(content_type: Option<&str>) -> &'static str {
    match content_type {
        Some("text/html") => "text/html",
        Some("text/plain") => "text/plain",
        Some("application/json") => "application/json",
        Some("application/hal+json") => "application/hal+json",
        _ => "application/problem+json",
    }
}
