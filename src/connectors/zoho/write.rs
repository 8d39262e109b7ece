//! Writing records: only the keys that change, with no automation set off in the customer's CRM, and
//! an outcome for each record whatever the status of the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::convert::{self, moment, sent};
use super::fields::TAG;
use super::refusal::{self, Outcome};
use super::wire::Outcomes;
use super::{OBJECTS, ZohoConnector, conversion, tags};
use crate::connectors::batches::{Answers, Batches, Next, in_order};
use crate::connectors::call::Failed;
use crate::connectors::{ErrorKind, Result, Write, Written};
use crate::net::Method;
use crate::record::RemoteId;

pub(super) async fn apply(connector: &ZohoConnector, writes: &[Write]) -> Result<Vec<Written>> {
    let numbered = || writes.iter().enumerate();
    let creates: Vec<(usize, &Write)> = numbered().filter(|(_, w)| w.id.is_none()).collect();
    let changes = |(_, write): &(usize, &Write)| write.id.is_some() && !write.fields.is_empty();
    let updates: Vec<(usize, &Write)> = numbered().filter(changes).collect();
    let converted: Vec<(usize, &Write)> = numbered().filter(|(_, w)| w.becomes.is_some()).collect();
    let sent = creates.iter().chain(&updates).chain(&converted);
    let sent: Vec<usize> = sent.map(|(at, _)| *at).collect();
    let mut answers = Answers::new();
    let mut done = send_all(connector, updates, creates, &mut answers).await;
    if done.is_ok() {
        done = convert_all(connector, &converted, &mut answers).await;
    }
    match done {
        Ok(()) => {}
        Err(error) if answers.is_empty() => return Err(error),
        // What was written before stays written: the rest has to be sent another time.
        Err(error) => {
            for at in sent {
                let later = || Written::Later { code: error.code.clone() };
                answers.entry(at).or_insert_with(later);
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
    for (at, id) in tagged.iter().filter_map(|(at, write)| Some((*at, write.id.clone()?))) {
        let applied = || Written::Applied { id, revision: None, also: BTreeMap::new() };
        answers.entry(at).or_insert_with(applied);
    }
    for (at, answer) in failed {
        // The fields are written and the tags are not: what landed is found out by reading.
        let has_fields = writes.get(at).is_some_and(|write| !write.fields.is_empty());
        let code = "tags_failed".to_owned();
        answers.insert(at, if has_fields { Written::Unknown { code } } else { answer });
    }
    let missing = || Written::Unknown { code: "no_answer".to_owned() };
    Ok(in_order(writes.len(), answers, missing))
}

async fn send_all<'a>(
    connector: &ZohoConnector,
    updates: Vec<(usize, &'a Write)>,
    creates: Vec<(usize, &'a Write)>,
    answers: &mut Answers,
) -> Result<()> {
    for (method, records) in [(Method::Put, updates), (Method::Post, creates)] {
        for object in OBJECTS.map(|object| object.name) {
            let of_it = records.iter().filter(|(_, write)| write.object.as_str() == object);
            let mut batches = Batches::new(of_it.copied().collect());
            while let Some(batch) = batches.take() {
                batches.go_on(send(connector, method, object, batch, answers).await?);
            }
        }
    }
    Ok(())
}

async fn convert_all(
    connector: &ZohoConnector,
    writes: &[(usize, &Write)],
    answers: &mut Answers,
) -> Result<()> {
    for (at, write) in writes {
        if let (Some(id), Some(becomes)) = (&write.id, &write.becomes) {
            answers.insert(*at, conversion::convert(connector, write, id, becomes).await?);
        }
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
    let path = format!("/crm/v8/{object}");
    let mut all = |answer: Written| {
        answers.extend(batch.iter().map(|(at, _)| (*at, answer.clone())));
        Ok(Next::Done)
    };
    let reply = match connector.api.send(operation, method, &path, &body).await {
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
