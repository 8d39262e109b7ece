//! Tags of records that are there: added and removed by calls of their own, so that those of others
//! stay. Records that get or lose the same tags travel together.

use serde_json::json;

use super::ZohoConnector;
use super::refusal::{self, Outcome};
use super::steps::Tagging;
use super::wire::Outcomes;
use crate::connectors::batches::{Answers, Batches, Next};
use crate::connectors::call::Failed;
use crate::connectors::{ErrorKind, Written};
use crate::net::Method;
use crate::record::RemoteId;

/// Changes the tags of these records. Gives what went wrong, by the places of the writes.
pub(super) async fn change(connector: &ZohoConnector, tagging: Tagging<'_>) -> Answers {
    let mut failed = Answers::new();
    let (path, Tagging { is_add, tags, records, .. }) = (tagging.path(), tagging);
    let mut batches = Batches::new(records);
    while let Some(batch) = batches.take() {
        batches.go_on(send(connector, &path, is_add, &tags, batch, &mut failed).await);
    }
    failed
}

async fn send<'a>(
    connector: &ZohoConnector,
    path: &str,
    is_add: bool,
    tags: &[String],
    records: Vec<(usize, &'a RemoteId)>,
    failed: &mut Answers,
) -> Next<(usize, &'a RemoteId)> {
    let mut all = |answer: Written| {
        failed.extend(records.iter().map(|(at, _)| (*at, answer.clone())));
        Next::Done
    };
    let tags: Vec<_> = tags.iter().map(|name| json!({ "name": name })).collect();
    let ids: Vec<&str> = records.iter().map(|(_, id)| id.as_str()).collect();
    let mut body = json!({ "tags": tags, "ids": ids });
    if let (Some(body), true) = (body.as_object_mut(), is_add) {
        body.insert("over_write".to_owned(), json!(false));
    }
    let reply = match connector.api.send("tags", Method::Post, path, &body).await {
        Ok(reply) => reply,
        Err(Failed::Undone(error)) => return all(Written::Later { code: error.code }),
        Err(Failed::Lost(code)) => return all(Written::Unknown { code: code.to_owned() }),
    };
    let outcomes: Vec<Outcome> =
        reply.json::<Outcomes>("tags").map(|outcomes| outcomes.data).unwrap_or_default();
    if outcomes.is_empty() {
        let error = refusal::error("tags", &reply);
        return match reply.status {
            500..=599 => all(Written::Unknown { code: error.code }),
            400 | 413 | 422 if error.kind == ErrorKind::Protocol => {
                if records.len() > 1 {
                    return Next::Halves(records);
                }
                all(Written::Rejected { code: error.code, field: None, holder: None })
            }
            _ => all(Written::Later { code: error.code }),
        };
    }
    // Told apart by id where ids are told; a record without an outcome is one of which nothing is known.
    let is_whole = outcomes.len() == records.len();
    let of = |place: usize, id: &RemoteId| {
        let named = outcomes.iter().find(|outcome| outcome.detail("id") == Some(id.as_str()));
        named.or_else(|| outcomes.get(place).filter(|o| is_whole && o.detail("id").is_none()))
    };
    let records = records.iter().enumerate();
    failed.extend(records.filter_map(|(place, (at, id))| match of(place, id) {
        Some(outcome) if outcome.is_success() => None,
        Some(outcome) => Some((*at, refusal::rejected(outcome))),
        None => Some((*at, Written::Unknown { code: "no_outcome".to_owned() })),
    }));
    Next::Done
}
