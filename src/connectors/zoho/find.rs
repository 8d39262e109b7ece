//! Reading records directly, and looking them up.

use std::collections::BTreeSet;

use super::changes::groups;
use super::wire::Records;
use super::{ZohoConnector, leads};
use crate::connectors::{Departure, Error, ErrorKind, Fetched, Lookup, Query, Result};
use crate::record::{FieldType, Record, RemoteId};

/// Addresses per question. 100 are allowed now; 50 were before.
const IN_MAX: usize = 50;

/// Reads many at once; who is not in the answer is asked for alone, because only that says why.
pub(super) async fn fetch(
    connector: &ZohoConnector,
    query: &Query,
    ids: &BTreeSet<RemoteId>,
) -> Result<Vec<Fetched>> {
    let object = &query.object;
    let mut found: Vec<Record> = Vec::new();
    let mut left: BTreeSet<Departure> = BTreeSet::new();
    if ids.len() > 1 || leads::is_read_from_list(object) {
        let groups = groups(query);
        let fields = groups.first().map(String::as_str).unwrap_or_default();
        let list: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
        let path = format!(
            "/crm/v8/{object}?fields={fields}&ids={}&per_page=200{}",
            list.join(","),
            leads::with_converted(object)
        );
        let page: Option<Records> = connector.api.get("fetch", &path, &[]).await?;
        let data = page.map(|page| page.data).unwrap_or_default();
        left.extend(leads::converted("fetch", object, &data)?);
        left.retain(|departure| ids.contains(&departure.id));
        found = connector.records(&data, query).await?;
        connector.complete(&mut found, query, groups.get(1..).unwrap_or_default()).await?;
    }
    let departed = left.iter().map(|departure| &departure.id);
    let known: BTreeSet<RemoteId> =
        found.iter().map(|record| &record.id).chain(departed).cloned().collect();
    let mut answers: Vec<Fetched> =
        found.into_iter().filter(|record| ids.contains(&record.id)).map(Fetched::Live).collect();
    answers.extend(left.into_iter().map(Fetched::Left));
    for id in ids.difference(&known) {
        let path = format!("/crm/v8/{object}/{id}");
        match connector.api.get::<Records>("fetch", &path, &[]).await {
            Ok(page) => {
                let data = page.map(|page| page.data).unwrap_or_default();
                let record = connector.records(&data, query).await?.into_iter().next();
                let left = leads::converted("fetch", object, &data)?.pop_first();
                let answer = record.map(Fetched::Live).or(left.map(Fetched::Left));
                answers.push(answer.unwrap_or_else(|| Fetched::Gone(id.clone())));
            }
            Err(error) if error.code == "INVALID_DATA" => answers.push(Fetched::Gone(id.clone())),
            Err(error) if error.code == "NO_PERMISSION" => {
                answers.push(Fetched::Forbidden(id.clone()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answers)
}

/// Addresses are looked up by a query, which sees what was just written; numbers by the search, because
/// a query compares them letter by letter.
pub(super) async fn find(
    connector: &ZohoConnector,
    query: &Query,
    lookups: &BTreeSet<Lookup>,
) -> Result<Vec<Record>> {
    let mut ids = BTreeSet::new();
    let of = |kind| lookups.iter().filter(move |lookup| lookup.kind == kind);
    let emails: Vec<String> = of(FieldType::Email).map(|lookup| quoted(&lookup.value)).collect();
    for chunk in emails.chunks(IN_MAX) {
        let list = chunk.join(",");
        let select = format!(
            "select id from {} where (Email in ({list}) or Secondary_Email in ({list})) limit 0, 200",
            query.object
        );
        let body = serde_json::json!({ "select_query": select });
        let page: Option<Records> = connector.api.query("find", "/crm/v8/coql", &body).await?;
        if page.as_ref().is_some_and(|page| page.info.more_records) {
            return Err(Error::new(ErrorKind::Protocol, "find", "too_many_alike"));
        }
        ids.extend(
            page.into_iter()
                .flat_map(|page| page.data)
                .filter_map(|data| Some(RemoteId::new(data.get("id")?.as_str()?))),
        );
    }
    for lookup in of(FieldType::Phone) {
        let number: String = form_urlencoded::byte_serialize(lookup.value.as_bytes()).collect();
        let path = format!("/crm/v8/{}/search?phone={number}&per_page=200", query.object);
        let page: Option<Records> = connector.api.get("find", &path, &[]).await?;
        ids.extend(
            page.into_iter()
                .flat_map(|page| page.data)
                .filter_map(|data| Some(RemoteId::new(data.get("id")?.as_str()?))),
        );
    }
    let mut records = Vec::new();
    let ids: Vec<RemoteId> = ids.into_iter().collect();
    for chunk in ids.chunks(super::CAPABILITY.read_many_max) {
        let chunk: BTreeSet<RemoteId> = chunk.iter().cloned().collect();
        let fetched = fetch(connector, query, &chunk).await?;
        records.extend(fetched.into_iter().filter_map(|fetched| match fetched {
            Fetched::Live(record) => Some(record),
            Fetched::Gone(_) | Fetched::Forbidden(_) | Fetched::Left(_) => None,
        }));
    }
    Ok(records)
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}
