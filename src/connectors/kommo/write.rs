//! Writing contacts. Only what is to change is sent. A batch of which Kommo refuses one record is
//! dropped whole: the refused ones are left out, it is looked whether any other was made after all,
//! and the rest is sent again.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::body::{Item, item};
use super::lists::{self, Lists, Standing};
use super::refusal::{self, Fault};
use super::wire::{Contact, WrittenContact};
use super::{KommoConnector, fields, tags};
use crate::connectors::batches::{Answers, Batches, Next, in_order};
use crate::connectors::call::{Failed, Reply};
use crate::connectors::{Error, ErrorKind, Result, Write, Written};
use crate::net::Method;
use crate::record::{FieldId, RemoteId, Revision, Toll};

pub(super) async fn apply(connector: &KommoConnector, writes: &[Write]) -> Result<Vec<Written>> {
    let mut standing = lists::standing(connector, writes).await?;
    let ids = tags::ids(connector, writes).await?;
    let mut unsent = Answers::new();
    let (mut creates, mut updates) = (Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        let lists = match standing.remove(&at) {
            Some(Standing::Known(lists)) => lists,
            Some(Standing::Unsent(answer)) => {
                unsent.insert(at, answer);
                continue;
            }
            None => Lists::new(),
        };
        let item = item(connector, at, write, &lists, &ids).await?;
        if write.id.is_some() { updates.push(item) } else { creates.push(item) }
    }
    let mut answers = Answers::new();
    let sent = send_all(connector, updates, creates, &mut answers).await;
    let missing = match sent {
        Ok(()) => Written::Unknown { code: "no_answer".to_owned() },
        Err(error) if answers.is_empty() => return Err(error),
        // What was written before stays written: the rest has to be sent another time.
        Err(error) => Written::Later { code: error.code },
    };
    answers.extend(unsent);
    Ok(in_order(writes.len(), answers, || missing.clone()))
}

/// What these writes cost: looks at their lists, one for each tag that is lost, the changes, the new ones.
pub(super) fn toll(writes: &[Write]) -> Toll {
    let changes = writes.iter().any(|write| write.id.is_some());
    let makes = writes.iter().any(|write| write.id.is_none());
    let looks = lists::looks(writes) + tags::lost(writes).len() as u64;
    Toll::of_calls(looks + u64::from(changes) + u64::from(makes))
}

async fn send_all(
    connector: &KommoConnector,
    updates: Vec<Item>,
    creates: Vec<Item>,
    answers: &mut Answers,
) -> Result<()> {
    for (method, items) in [(Method::Patch, updates), (Method::Post, creates)] {
        let mut batches = Batches::new(items);
        while let Some(batch) = batches.take() {
            batches.go_on(send(connector, method, batch, answers).await?);
        }
    }
    Ok(())
}

async fn send(
    connector: &KommoConnector,
    method: Method,
    batch: Vec<Item>,
    answers: &mut Answers,
) -> Result<Next<Item>> {
    let operation = if method == Method::Post { "create" } else { "update" };
    let bodies: Vec<&Map<String, Json>> = batch.iter().map(|item| &item.body).collect();
    let body = serde_json::to_vec(&bodies)
        .map_err(|_| Error::new(ErrorKind::Protocol, operation, "not_sendable"))?;
    let reply = connector.api.send(operation, method, "/api/v4/contacts", Some(body)).await;
    let unknown = |code: String| move |_: &Item| Written::Unknown { code: code.clone() };
    let reply = match reply {
        Ok(reply) => reply,
        Err(Failed::Undone(error)) => return Err(error),
        Err(Failed::Lost(code)) => {
            answer_all(&batch, unknown(code.to_owned()), answers);
            return Ok(Next::Done);
        }
    };
    match reply.status {
        200..=202 => {
            answer_all(&batch, unknown("no_outcome".to_owned()), answers);
            written(&batch, &reply, answers);
            Ok(Next::Done)
        }
        400 | 413 | 422 => refused(connector, method, batch, &reply, answers).await,
        // The server broke down on it: nobody knows how far it came.
        203..=299 | 408 | 499 | 500..=599 => {
            answer_all(&batch, unknown(format!("http_{}", reply.status)), answers);
            Ok(Next::Done)
        }
        _ => Err(refusal::error(operation, &reply)),
    }
}

fn answer_all(batch: &[Item], answer: impl Fn(&Item) -> Written, answers: &mut Answers) {
    answers.extend(batch.iter().map(|item| (item.at, answer(item))));
}

/// Answers are told apart by the request id that was given, or by the contact's own id; not by their
/// order.
fn written(batch: &[Item], reply: &Reply, answers: &mut Answers) {
    let listing: Option<super::wire::Listing> = serde_json::from_slice(&reply.body).ok();
    let made: Vec<WrittenContact> =
        listing.and_then(|listing| listing.take("contacts")).unwrap_or_default();
    for contact in made {
        let request = contact.request_id.as_ref().map(|id| match id {
            Json::String(id) => id.clone(),
            other => other.to_string(),
        });
        let is_it = |item: &&Item| match item.body.get("id") {
            Some(id) => id.as_u64() == Some(contact.id),
            None => request.as_deref() == Some(item.at.to_string().as_str()),
        };
        if let Some(item) = batch.iter().find(is_it) {
            answers.insert(
                item.at,
                Written::Applied {
                    id: RemoteId::new(contact.id.to_string()),
                    revision: contact.updated_at.map(|at| Revision::new(at.to_string())),
                    also: item.also.clone(),
                },
            );
        }
    }
}

async fn refused(
    connector: &KommoConnector,
    method: Method,
    batch: Vec<Item>,
    reply: &Reply,
    answers: &mut Answers,
) -> Result<Next<Item>> {
    let named = refusal::named(&reply.body);
    let (bad, mut rest): (Vec<Item>, Vec<Item>) =
        batch.into_iter().partition(|item| named.contains_key(&item.at.to_string()));
    for item in &bad {
        let fault = named.get(&item.at.to_string()).cloned().unwrap_or_default();
        answers.insert(item.at, rejected(item, &fault));
    }
    if method == Method::Post && !rest.is_empty() {
        match newest(connector).await {
            Ok(newest) => rest = take_out_made(rest, &newest, reply.at.as_second(), answers),
            // Whether any of them was made after all can't be told now.
            Err(error) => {
                answer_all(&rest, |_| Written::Unknown { code: error.code.clone() }, answers);
                return Ok(Next::Done);
            }
        }
    }
    if !bad.is_empty() || rest.is_empty() {
        return Ok(Next::Again(rest));
    }
    if rest.len() > 1 {
        return Ok(Next::Halves(rest));
    }
    let code = format!("http_{}", reply.status);
    answer_all(
        &rest,
        |item| rejected(item, &Fault { code: code.clone(), path: String::new() }),
        answers,
    );
    Ok(Next::Done)
}

fn rejected(item: &Item, fault: &Fault) -> Written {
    let mut steps = fault.path.split('.');
    let field = match (steps.next(), steps.next()) {
        (Some("custom_fields_values"), Some(at)) => {
            let values = item.body.get("custom_fields_values").and_then(Json::as_array);
            let value = at.parse::<usize>().ok().and_then(|at| values?.get(at));
            value.and_then(|value| match (value.get("field_code"), value.get("field_id")) {
                (Some(code), _) => code.as_str().map(FieldId::new),
                (None, Some(id)) => Some(FieldId::new(format!("cf_{id}"))),
                (None, None) => None,
            })
        }
        (Some(""), _) | (None, _) => None,
        (Some(name), _) => Some(FieldId::new(name)),
    };
    let code = if fault.code == "NotFound" { "not_found" } else { fault.code.as_str() };
    Written::Rejected { code: code.to_owned(), field, holder: None }
}

/// The contacts that were made last.
async fn newest(connector: &KommoConnector) -> Result<Vec<Contact>> {
    let path = "/api/v4/contacts?order[id]=desc&limit=250";
    connector.api.read_list(path, "look_up").await?.elements("contacts")
}

/// Whether any of a dropped batch was made after all: the newest contacts are compared with what was
/// sent. A listing shows them at once, where a search may be late.
fn take_out_made(
    batch: Vec<Item>,
    newest: &[Contact],
    now: i64,
    answers: &mut Answers,
) -> Vec<Item> {
    /// Longer than any request may take.
    const RECENT_SECONDS: i64 = 120;
    let recent =
        newest.iter().filter(|c| c.created_at.is_some_and(|at| at >= now - RECENT_SECONDS));
    let mut made: BTreeMap<u64, Map<String, Json>> =
        recent.map(|contact| (contact.id, likeness_of(contact))).collect();
    let mut rest = Vec::new();
    for item in batch {
        let wanted = likeness(&item.body);
        let twin = made.iter().find(|(_, there)| **there == wanted).map(|(id, _)| *id);
        match twin {
            Some(id) => {
                made.remove(&id);
                let id = RemoteId::new(id.to_string());
                let also = item.also.clone();
                answers.insert(item.at, Written::Applied { id, revision: None, also });
            }
            None => rest.push(item),
        }
    }
    rest
}

/// What tells a contact from others: its names, phones and addresses.
fn likeness(body: &Map<String, Json>) -> Map<String, Json> {
    let mut like = Map::new();
    for name in [fields::FIRST_NAME, fields::LAST_NAME] {
        let text = body.get(name).and_then(Json::as_str).unwrap_or_default();
        like.insert(name.to_owned(), Json::from(text));
    }
    let custom = body.get("custom_fields_values").and_then(Json::as_array);
    for code in ["EMAIL", "PHONE"] {
        let field = custom
            .into_iter()
            .flatten()
            .find(|field| field.get("field_code") == Some(&json!(code)));
        let values = field.and_then(|field| field.get("values")?.as_array());
        let values = values.into_iter().flatten().filter_map(|value| value.get("value").cloned());
        like.insert(code.to_owned(), values.collect());
    }
    like
}

fn likeness_of(contact: &Contact) -> Map<String, Json> {
    let mut body = Map::new();
    body.insert(fields::FIRST_NAME.to_owned(), json!(contact.first_name));
    body.insert(fields::LAST_NAME.to_owned(), json!(contact.last_name));
    let custom = contact.custom_fields_values.iter().flatten().map(|field| {
        let values: Vec<Json> =
            field.values.iter().map(|value| json!({ "value": value.value })).collect();
        json!({ "field_code": field.field_code, "values": values })
    });
    body.insert("custom_fields_values".to_owned(), custom.collect());
    likeness(&body)
}
