//! Making contacts of leads: a call for each, which costs five credits
//! (zoho.com/crm/developer/docs/api/v8/convert-lead.html).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::ZohoConnector;
use super::refusal::{self, Outcome};
use super::wire::Outcomes;
use crate::connectors::call::Failed;
use crate::connectors::{ErrorKind, Result, Write, Written};
use crate::net::Method;
use crate::record::{Conversion, RemoteId};

/// What became of a lead that is to become something else.
///
/// # Errors
/// Certainly nothing was done, and nothing else would be either.
pub(super) async fn convert(
    connector: &ZohoConnector,
    write: &Write,
    id: &RemoteId,
    becomes: &Conversion,
) -> Result<Written> {
    let path = format!("/crm/v8/{}/{id}/actions/convert", write.object);
    // What the contact holds stays: the merge decides field by field. Nobody is mailed.
    let mut wish = Map::from_iter([
        ("overwrite".to_owned(), json!(false)),
        ("notify_lead_owner".to_owned(), json!(false)),
        ("notify_new_entity_owner".to_owned(), json!(false)),
    ]);
    if let Some(into) = &becomes.into {
        wish.insert(becomes.object.to_string(), json!({ "id": into.as_str() }));
    }
    let body = json!({ "data": [Json::Object(wish)] });
    let reply = match connector.api.send("convert", Method::Post, &path, &body).await {
        Ok(reply) => reply,
        Err(Failed::Undone(error)) => return Err(error),
        Err(Failed::Lost(code)) => return Ok(Written::Unknown { code: code.to_owned() }),
    };
    let outcomes = reply.json::<Outcomes>("convert").map(|outcomes| outcomes.data);
    if let Some(outcome) = outcomes.unwrap_or_default().into_iter().next() {
        return Ok(if outcome.is_success() {
            Written::Applied { id: id.clone(), revision: None, also: BTreeMap::new() }
        } else {
            refusal::rejected(&outcome)
        });
    }
    let error = refusal::error("convert", &reply);
    match reply.status {
        200..=299 | 408 | 499 | 500..=599 => Ok(Written::Unknown { code: error.code }),
        400..=499 if error.kind == ErrorKind::Protocol => {
            let outcome = reply.json::<Outcome>("convert").unwrap_or_default();
            Ok(refusal::rejected(&outcome))
        }
        _ => Err(error),
    }
}
