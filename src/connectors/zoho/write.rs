//! Writing contacts: only the keys that change, with no automation set off in the customer's CRM, and
//! an outcome for each record whatever the status of the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::convert::{self, moment, sent};
use super::fields::TAG;
use super::refusal::{self, Outcome};
use super::wire::Outcomes;
use super::{CONTACTS, ZohoConnector, tags};
use crate::connectors::call::Failed;
use crate::connectors::{Result, Write, Written};
use crate::net::Method;
use crate::record::RemoteId;

pub(super) async fn apply(connector: &ZohoConnector, writes: &[Write]) -> Result<Vec<Written>> {
    let numbered = || writes.iter().enumerate();
    let creates: Vec<(usize, &Write)> = numbered().filter(|(_, w)| w.id.is_none()).collect();
    let changes = |(_, write): &(usize, &Write)| write.id.is_some() && !write.fields.is_empty();
    let updates: Vec<(usize, &Write)> = numbered().filter(changes).collect();
    let mut answers: BTreeMap<usize, Written> = BTreeMap::new();
    for (method, batch) in [(Method::Put, updates), (Method::Post, creates)] {
        if batch.is_empty() {
            continue;
        }
        match send(connector, method, &batch).await {
            Ok(written) => answers.extend(written),
            Err(error) if answers.is_empty() => return Err(error),
            // What was written before stays written: the rest has to be sent another time.
            Err(error) => {
                let later =
                    |(at, _): (usize, &Write)| (at, Written::Later { code: error.code.clone() });
                answers.extend(batch.into_iter().map(later));
            }
        }
    }
    let refused: BTreeSet<usize> = answers
        .iter()
        .filter(|(_, answer)| !matches!(answer, Written::Applied { .. }))
        .map(|(at, _)| *at)
        .collect();
    let tagged: Vec<(usize, &Write)> = numbered()
        .filter(|(at, write)| write.id.is_some() && !refused.contains(at))
        .filter(|(_, write)| !(write.tags_add.is_empty() && write.tags_remove.is_empty()))
        .collect();
    let failed = tags::change(connector, &tagged).await;
    for (at, write) in &tagged {
        // Tags move the time of last change, and the answer does not say to when.
        let applied = write.id.clone().map(|id| Written::Applied {
            id,
            revision: None,
            also: BTreeMap::new(),
        });
        answers.extend(applied.map(|applied| (*at, applied)));
    }
    for (at, answer) in failed {
        // The fields are written and the tags are not: what landed is found out by reading.
        let has_fields = writes.get(at).is_some_and(|write| !write.fields.is_empty());
        let code = "tags_failed".to_owned();
        answers.insert(at, if has_fields { Written::Unknown { code } } else { answer });
    }
    let missing = || Written::Unknown { code: "no_answer".to_owned() };
    Ok((0..writes.len()).map(|at| answers.remove(&at).unwrap_or_else(missing)).collect())
}

async fn send(
    connector: &ZohoConnector,
    method: Method,
    batch: &[(usize, &Write)],
) -> Result<BTreeMap<usize, Written>> {
    let operation = if method == Method::Post { "create" } else { "update" };
    let data: Vec<Json> = batch.iter().map(|(_, write)| body(write)).collect();
    // Left out, workflows would run: they mail people, and change the record again.
    let body = json!({ "data": data, "trigger": [] });
    let path = format!("/crm/v8/{CONTACTS}");
    let all = |answer: Written| batch.iter().map(|(at, _)| (*at, answer.clone())).collect();
    let reply = match connector.api.send(operation, method, &path, &body).await {
        Ok(reply) => reply,
        Err(Failed::Undone(error)) => return Err(error),
        Err(Failed::Lost(code)) => return Ok(all(Written::Unknown { code: code.to_owned() })),
    };
    let outcomes: Vec<Outcome> =
        reply.json::<Outcomes>(operation).map(|outcomes| outcomes.data).unwrap_or_default();
    if outcomes.is_empty() {
        let error = refusal::error(operation, &reply);
        return match reply.status {
            200..=299 | 408 | 499 | 500..=599 => Ok(all(Written::Unknown { code: error.code })),
            _ => Err(error),
        };
    }
    Ok(batch.iter().zip(&outcomes).map(|((at, _), outcome)| (*at, written(outcome))).collect())
}

fn written(outcome: &Outcome) -> Written {
    let id = outcome.detail("id").map(RemoteId::new);
    match id.filter(|_| outcome.is_success()) {
        Some(id) => Written::Applied {
            id,
            revision: outcome.detail("Modified_Time").and_then(moment).map(convert::revision),
            also: BTreeMap::new(),
        },
        None if outcome.is_success() => Written::Unknown { code: "no_id".to_owned() },
        None => refusal::rejected(outcome),
    }
}

fn body(write: &Write) -> Json {
    let mut body = Map::new();
    body.extend(write.id.as_ref().map(|id| ("id".to_owned(), json!(id.as_str()))));
    for (field, value) in write.fields.iter().filter(|(field, _)| field.as_str() != TAG) {
        body.insert(field.as_str().to_owned(), sent(value));
    }
    if write.id.is_none() && !write.tags_add.is_empty() {
        let tags = write.tags_add.iter().map(|name| json!({ "name": name }));
        body.insert(TAG.to_owned(), tags.collect());
    }
    Json::Object(body)
}
