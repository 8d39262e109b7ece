//! Writing records: only the keys that change, with no automation set off in the customer's CRM, and
//! an outcome for each record whatever the status of the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::convert::{self, moment, sent};
use super::fields::TAG;
use super::refusal::{self, Outcome};
use super::steps::{self, Step, steps};
use super::wire::Outcomes;
use super::{ZohoConnector, conversion, tags};
use crate::connectors::batches::{Answers, Batches, Next, in_order};
use crate::connectors::call::Failed;
use crate::connectors::{ErrorKind, Result, Write, Written};
use crate::net::Method;
use crate::record::RemoteId;

pub(super) async fn apply(connector: &ZohoConnector, writes: &[Write]) -> Result<Vec<Written>> {
    let mut answers = Answers::new();
    let mut stopped: Option<String> = None;
    // Records of which only the tags failed: their fields may be written.
    let (mut tagged, mut untagged) = (BTreeSet::new(), Answers::new());
    for step in steps(writes) {
        let places = step.places();
        let done = match step {
            Step::Tags(mut tagging) => {
                tagging.records.retain(|(at, _)| answers.get(at).is_none_or(is_applied));
                tagged.extend(tagging.records.iter().map(|(at, id)| (*at, (*id).clone())));
                untagged.extend(tags::change(connector, tagging).await);
                continue;
            }
            _ if stopped.is_some() => Ok(()),
            Step::Records { method, object, writes } => {
                send_all(connector, method, object, writes, &mut answers).await
            }
            Step::Conversion { at, write, id, becomes } => {
                let converted = conversion::convert(connector, write, id, becomes).await;
                converted.map(|answer| _ = answers.insert(at, answer))
            }
        };
        match done {
            Ok(()) => {}
            Err(error) if answers.is_empty() => return Err(error),
            Err(error) => stopped = Some(error.code),
        }
        // What was written before stays written: the rest has to be sent another time.
        if let Some(code) = &stopped {
            for at in places {
                answers.entry(at).or_insert_with(|| Written::Later { code: code.clone() });
            }
        }
    }
    for (at, id) in tagged {
        let applied = || Written::Applied { id, revision: None, also: BTreeMap::new() };
        answers.entry(at).or_insert_with(applied);
    }
    for (at, answer) in untagged {
        // The fields are written and the tags are not: what landed is found out by reading.
        let has_fields = writes.get(at).is_some_and(|write| !write.fields.is_empty());
        let code = "tags_failed".to_owned();
        answers.insert(at, if has_fields { Written::Unknown { code } } else { answer });
    }
    let missing = || Written::Unknown { code: "no_answer".to_owned() };
    Ok(in_order(writes.len(), answers, missing))
}

fn is_applied(answer: &Written) -> bool {
    matches!(answer, Written::Applied { .. })
}

async fn send_all(
    connector: &ZohoConnector,
    method: Method,
    object: &str,
    writes: Vec<(usize, &Write)>,
    answers: &mut Answers,
) -> Result<()> {
    let mut batches = Batches::new(writes);
    while let Some(batch) = batches.take() {
        batches.go_on(send(connector, method, object, batch, answers).await?);
    }
    Ok(())
}

async fn send<'a>(
    connector: &ZohoConnector,
    method: Method,
    object: &str,
    batch: Vec<(usize, &'a Write)>,
    answers: &mut Answers,
) -> Result<Next<(usize, &'a Write)>> {
    let operation = if method == Method::Post { "create" } else { "update" };
    let data: Vec<Json> = batch.iter().map(|(_, write)| body(write)).collect();
    // Left out, workflows would run: they mail people, and change the record again.
    let body = json!({ "data": data, "trigger": [] });
    let mut all = |answer: Written| {
        answers.extend(batch.iter().map(|(at, _)| (*at, answer.clone())));
        Ok(Next::Done)
    };
    let reply = match connector.api.send(operation, method, &steps::path(object), &body).await {
        Ok(reply) => reply,
        Err(Failed::Undone(error)) => return Err(error),
        Err(Failed::Lost(code)) => return all(Written::Unknown { code: code.to_owned() }),
    };
    let outcomes: Vec<Outcome> =
        reply.json::<Outcomes>(operation).map(|outcomes| outcomes.data).unwrap_or_default();
    if !outcomes.is_empty() {
        let places = batch.iter().map(|(at, _)| *at);
        answers.extend(places.zip(outcomes.iter().map(written)));
        return Ok(Next::Done);
    }
    let error = refusal::error(operation, &reply);
    match reply.status {
        200..=299 | 408 | 499 | 500..=599 => all(Written::Unknown { code: error.code }),
        // Refused as a whole, with no word of whose fault it was: nothing of it was written.
        400 | 413 | 422 if error.kind == ErrorKind::Protocol => {
            if batch.len() > 1 {
                return Ok(Next::Halves(batch));
            }
            all(Written::Rejected { code: error.code, field: None, holder: None })
        }
        _ => Err(error),
    }
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
