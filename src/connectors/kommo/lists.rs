//! Lists as they stand just before they are written. Kommo takes a list only whole, so what a person
//! added since the record was planned upon would be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::labelled::{Labelled, split};
use super::{CONTACTS, KommoConnector, changes};
use crate::connectors::{Fetched, Query, Result, Write, Written};
use crate::record::{FieldId, ObjectName, RemoteId};

/// Lists of a record, by the field that is the whole.
pub(super) type Lists = BTreeMap<String, Labelled>;

/// How the lists stand that a write changes.
pub(super) enum Standing {
    /// As the plan knew them, as far as it did.
    Known(Lists),
    /// Not so that they may be written: the answer to the write.
    Unsent(Written),
}

/// Whether a field is a list of labelled values, or a part of one.
pub(super) fn is_list(field: &FieldId) -> bool {
    let (whole, part) = split(field);
    part.is_some() || matches!(whole, "PHONE" | "EMAIL")
}

/// The lists that a write changes of a record that is there.
fn changed(write: &Write) -> BTreeSet<&str> {
    let fields = write.fields.keys().filter(|field| write.id.is_some() && is_list(field));
    fields.map(|field| split(field).0).collect()
}

/// The requests that read the lists that writes change: one for the records, and another for the fields of
/// the account where none of the records is known to hold anything in one of the lists.
pub(super) fn looks(writes: &[Write]) -> u64 {
    let holds = |write: &Write, whole: &str| {
        let value = write.known.as_ref().and_then(|known| known.get(&FieldId::new(whole)));
        value.is_some_and(|value| !value.is_empty())
    };
    let all: BTreeSet<&str> = writes.iter().flat_map(changed).collect();
    let is_empty = |whole: &&str| !writes.iter().any(|write| holds(write, whole));
    u64::from(!all.is_empty()) + u64::from(all.iter().any(is_empty))
}

/// Reads the lists that writes change, all at once. Gives how they stand, by the place of the write.
pub(super) async fn standing(
    connector: &KommoConnector,
    writes: &[Write],
) -> Result<BTreeMap<usize, Standing>> {
    let touching = || writes.iter().enumerate().filter(|(_, write)| !changed(write).is_empty());
    let ids: BTreeSet<RemoteId> = touching().filter_map(|(_, write)| write.id.clone()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = Query {
        object: ObjectName::new(CONTACTS),
        collection: String::new(),
        fields: touching().flat_map(|(_, write)| changed(write)).map(FieldId::new).collect(),
        removals_every: Duration::MAX,
        moment: 0,
    };
    let read = changes::fetch(connector, &query, &ids).await?;
    let read: BTreeMap<RemoteId, Fetched> =
        read.into_iter().map(|fetched| (fetched.id().clone(), fetched)).collect();
    let stands = |write: &Write| stands(write, write.id.as_ref().and_then(|id| read.get(id)));
    Ok(touching().map(|(at, write)| (at, stands(write))).collect())
}

fn stands(write: &Write, read: Option<&Fetched>) -> Standing {
    let later = |code: &str| Standing::Unsent(Written::Later { code: code.to_owned() });
    let record = match read {
        Some(Fetched::Live(record)) => record,
        Some(Fetched::Gone(_)) => {
            let code = "not_found".to_owned();
            return Standing::Unsent(Written::Rejected { code, field: None, holder: None });
        }
        Some(Fetched::Forbidden(_) | Fetched::Left(_)) | None => return later("list_unknown"),
    };
    let mut lists = Lists::new();
    for whole in changed(write) {
        let Some(list) = Labelled::of(record, whole) else { return later("list_unknown") };
        if write.known.as_ref().is_some_and(|known| !list.is_as_in(known, whole)) {
            return later("changed_meanwhile");
        }
        lists.insert(whole.to_owned(), list);
    }
    Standing::Known(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, Value};

    fn list(numbers: &[(&str, &str)]) -> Labelled {
        Labelled(numbers.iter().map(|(v, l)| ((*v).to_owned(), (*l).to_owned())).collect())
    }

    fn record(numbers: &[(&str, &str)]) -> Record {
        let mut record = Record::new(CONTACTS, "7");
        record.fields = list(numbers).spread("PHONE");
        record
    }

    fn write(known: Option<Record>) -> Write {
        Write {
            object: ObjectName::new(CONTACTS),
            id: Some("7".into()),
            known,
            fields: [("PHONE.MOB".into(), Value::Phone("9".into()))].into(),
            tags_add: Vec::new(),
            tags_remove: Vec::new(),
            becomes: None,
        }
    }

    fn code(standing: &Standing) -> &str {
        match standing {
            Standing::Known(_) => "known",
            Standing::Unsent(Written::Later { code } | Written::Rejected { code, .. }) => code,
            Standing::Unsent(_) => "other",
        }
    }

    #[test]
    fn a_list_that_stands_as_it_was_planned_upon_is_written() {
        let own = [("1", "WORK"), ("2", "MOB")];
        let live = Fetched::Live(record(&own));
        for known in [Some(record(&own)), None, Some(Record::new(CONTACTS, "7"))] {
            let Standing::Known(lists) = stands(&write(known), Some(&live)) else { panic!() };
            assert_eq!(lists["PHONE"], list(&own));
        }
    }

    #[test]
    fn a_list_that_changed_meanwhile_is_not_written() {
        let known = record(&[("1", "WORK")]);
        for now in [&[("1", "WORK"), ("2", "OTHER")][..], &[("1", "HOME")], &[("3", "WORK")], &[]] {
            let live = Fetched::Live(record(now));
            assert_eq!(
                code(&stands(&write(Some(known.clone())), Some(&live))),
                "changed_meanwhile"
            );
        }
    }

    #[test]
    fn a_list_that_nobody_knows_is_not_written() {
        let without = Fetched::Live(Record::new(CONTACTS, "7"));
        let forbidden = Fetched::Forbidden("7".into());
        for known in [None, Some(record(&[("1", "WORK")]))] {
            for read in [None, Some(&without), Some(&forbidden)] {
                assert_eq!(code(&stands(&write(known.clone()), read)), "list_unknown");
            }
        }
        let gone = Fetched::Gone("7".into());
        assert_eq!(code(&stands(&write(None), Some(&gone))), "not_found");
    }

    #[test]
    fn a_new_record_has_no_list_to_look_at() {
        let mut write = write(None);
        assert_eq!(changed(&write), ["PHONE"].into());
        write.id = None;
        assert!(changed(&write).is_empty());
    }
}
