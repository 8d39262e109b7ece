//! What is different of leads: one that is converted becomes a contact under another id. It stays
//! readable as a lead, is out of the lists unless it is asked for, and takes no changes
//! (zoho.com/crm/developer/docs/api/v8/convert-lead.html, get-records.html).

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::about::{CONTACTS, LEADS};
use super::convert::TIMES;
use crate::connectors::{Departure, Error, ErrorKind, Result};
use crate::record::{FieldType, ObjectName, RecordName, RemoteId};

/// Whether a lead was converted.
const CONVERTED: &str = "Converted__s";
/// The contact that it became; a lookup.
const CONTACT: &str = "Converted_Contact";

/// Asks a list for converted leads too: otherwise one that is converted would seem to be lost.
pub(super) fn with_converted(object: &ObjectName) -> &'static str {
    if object.as_str() == LEADS { "&converted=both" } else { "" }
}

/// Asks a list for leads that were converted, and no others.
pub(super) const ONLY_CONVERTED: &str = "&converted=true";

/// Whether those that were converted are to be asked for beside the others: a file may leave them out.
pub(super) fn may_be_converted(object: &ObjectName) -> bool {
    object.as_str() == LEADS
}

/// The types of those that are read of leads in any case.
pub(super) fn kind_of(field: &str) -> Option<FieldType> {
    match field {
        CONVERTED => Some(FieldType::Boolean),
        CONTACT => Some(FieldType::Company),
        _ => None,
    }
}

/// The fields that are read whether somebody wants them or not.
pub(super) fn always_read(object: &ObjectName) -> impl Iterator<Item = &str> {
    let of_leads = [CONVERTED, CONTACT].into_iter().filter(|_| object.as_str() == LEADS);
    TIMES.into_iter().chain(of_leads)
}

pub(super) fn is_converted(data: &Map<String, Json>) -> bool {
    data.get(CONVERTED).and_then(Json::as_bool) == Some(true)
}

/// Those of an answer that are leads no more. An answer that does not say so of each is not understood:
/// taken for leads, customers would be made anew on the other side. The contact is not told to users who
/// do not see that field: then it is only known that they have left.
pub(super) fn converted(
    operation: &'static str,
    object: &ObjectName,
    data: &[Map<String, Json>],
) -> Result<BTreeSet<Departure>> {
    if object.as_str() == LEADS && data.iter().any(|record| !record.contains_key(CONVERTED)) {
        return Err(Error::new(ErrorKind::Protocol, operation, "conversion_not_told")
            .advise("let the user who connected the account see the field Converted of leads"));
    }
    let left = data.iter().filter(|record| is_converted(record));
    Ok(left.filter_map(departure).collect())
}

fn departure(record: &Map<String, Json>) -> Option<Departure> {
    let contact = record.get(CONTACT).and_then(|contact| contact.get("id")?.as_str());
    let became = contact.map(|id| RecordName { object: ObjectName::new(CONTACTS), id: id.into() });
    Some(Departure { id: RemoteId::new(record.get("id")?.as_str()?), became })
}

/// Whether the records of an object are read from its list, even a single one: only there those that
/// have left can be asked for.
pub(super) fn is_read_from_list(object: &ObjectName) -> bool {
    object.as_str() == LEADS
}
