//! Making contacts of leads: a call for each, which costs five credits
//! (zoho.com/crm/developer/docs/api/v8/convert-lead.html). Where no contact is named, Zoho takes one that has
//! the address, or else the name, of the lead: so it is asked first whom it would take
//! (zoho.com/crm/developer/docs/api/v8/lead-conversion-options.html).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::ZohoConnector;
use super::refusal::{self, Outcome};
use super::wire::Outcomes;
use crate::connectors::call::Failed;
use crate::connectors::{Error, ErrorKind, Result, Write, Written};
use crate::net::Method;
use crate::record::{Conversion, ObjectName, RemoteId};

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
    if becomes.into.is_none() {
        match merge(connector, write, id, becomes).await {
            Ok(None) => {}
            Ok(Some(merge)) => return Ok(merge),
            Err(Error { kind: ErrorKind::Unavailable, code, .. }) => {
                return Ok(Written::Later { code });
            }
            Err(error) if error.kind != ErrorKind::Protocol => return Err(error),
            // There is no such lead any more: the conversion itself says so.
            Err(error) if error.code == "INVALID_DATA" => {}
            Err(error) => {
                let outcome = Outcome { code: error.code, ..Outcome::default() };
                return Ok(refusal::rejected(&outcome));
            }
        }
    }
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
    let reply = match connector.api.send("convert", Method::Post, &path(write, id), &body).await {
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

/// Where a lead is converted.
pub(super) fn path(write: &Write, id: &RemoteId) -> String {
    format!("/crm/v8/{}/{id}/actions/convert", write.object)
}

/// Where it is asked whom a lead would be merged with.
pub(super) fn look_path(write: &Write, id: &RemoteId) -> String {
    format!("/crm/v8/{}/{id}/__conversion_options", write.object)
}

/// That Zoho would merge the lead with somebody if nobody were named; none, if it makes a new record.
async fn merge(
    connector: &ZohoConnector,
    write: &Write,
    id: &RemoteId,
    becomes: &Conversion,
) -> Result<Option<Written>> {
    let look = look_path(write, id);
    let reply: Option<Options> = connector.api.get("conversion_options", &look, &[]).await?;
    Ok(reply.and_then(|reply| reply.merge_into(&becomes.object)))
}

/// The records of each module that a lead is like, below its name.
#[derive(Deserialize)]
struct Options {
    #[serde(rename = "__conversion_options", default)]
    options: Map<String, Json>,
}

impl Options {
    /// What becomes of a conversion to this. Whatever can't be understood means that somebody is there.
    fn merge_into(&self, object: &ObjectName) -> Option<Written> {
        let known = match self.options.get(object.as_str())? {
            Json::Null => return None,
            Json::Array(known) if known.is_empty() => return None,
            known => known.get(0),
        };
        let holder = known.and_then(|known| known.get("id")?.as_str()).map(RemoteId::new);
        Some(Written::Rejected { code: "WOULD_MERGE".to_owned(), field: None, holder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom it would be merged with; none, if with nobody.
    fn holder(contacts: &Json) -> Option<Option<String>> {
        let options = json!({ "__conversion_options": { "Accounts": null, "Contacts": contacts } });
        let options: Options = serde_json::from_value(options).unwrap();
        match options.merge_into(&"Contacts".into())? {
            Written::Rejected { code, holder, .. } => {
                assert_eq!(code, "WOULD_MERGE");
                Some(holder.map(|id| id.to_string()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nobody_is_there_only_where_that_is_said() {
        assert_eq!(holder(&Json::Null), None);
        assert_eq!(holder(&json!([])), None);
        let known = json!([{ "Full_Name": "abc", "Email": null, "id": "1041" }, { "id": "1042" }]);
        assert_eq!(holder(&known), Some(Some("1041".to_owned())));
        for strange in [json!({}), json!([{ "id": 7 }]), json!(["1041"]), json!("1041")] {
            assert_eq!(holder(&strange), Some(None), "{strange}");
        }
    }
}
