//! Reading contacts: listings, single ones, and searches.
//!
//! Pages are counted, not remembered, by Kommo: what happens during a walk moves records from page to
//! page. So a first walk goes by id, where edits move nothing and new ones come last; later walks go
//! from the newest change to the oldest, where an edit only moves others to a later page. A record
//! that is removed moves others to an earlier page, past us: then the walk is begun again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::convert::{Around, Users, not_understood, record};
use super::days::Days;
use super::fields;
use super::labelled::split;
use super::wire::{Contact, CustomField, Event};
use super::{CAPABILITY, KommoConnector};
use crate::connectors::{Change, Error, ErrorKind, Fetched, Lookup, Page, Query, Result};
use crate::record::{FieldId, FieldType, Record, RemoteId};

/// Records per page.
const PAGE: usize = 250;
/// How far back a walk begins before the end of the one before it: times are whole seconds, and a
/// listing may be late.
const OVERLAP_SECONDS: i64 = 120;
/// How often a walk is begun again because records were removed meanwhile.
const AGAIN_MAX: u32 = 3;

/// Where a read goes on. Times are seconds of the server's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Changes since then; everything, without.
    since: Option<i64>,
    /// When this walk began; none before its first page.
    began: Option<i64>,
    /// The last page that was read.
    page: u32,
    /// How often it was begun again.
    again: u32,
    /// Up to when removals are known; none before the first walk is done.
    removed_to: Option<i64>,
}

pub(super) async fn changes(
    connector: &KommoConnector,
    query: &Query,
    cursor: Option<&str>,
) -> Result<Page> {
    let lost = |_| Error::new(ErrorKind::CursorLost, "changes", "cursor");
    let mut at: Cursor = match cursor {
        Some(text) => serde_json::from_str(text).map_err(lost)?,
        None => Cursor::default(),
    };
    at.page += 1;
    let order = match at.since {
        Some(since) => {
            format!("filter[updated_at][from]={since}&order[updated_at]=desc")
        }
        None => "order[id]=asc".to_owned(),
    };
    let path = format!("/api/v4/contacts?{order}&limit={PAGE}&page={}", at.page);
    let read = connector.api.read_list(&path, "changes").await?;
    let (now, has_next) = (read.at.as_second(), read.has_next);
    let began = *at.began.get_or_insert(now);
    let contacts: Vec<Contact> = read.elements("contacts")?;
    // Some accounts leave filters aside: then the order says when the older ones begin.
    let is_older = |contact: &Contact| {
        at.since.is_some_and(|since| contact.updated_at.is_some_and(|changed| changed < since))
    };
    let reached_older = contacts.iter().any(is_older);
    let wanted: Vec<Contact> =
        contacts.into_iter().filter(|contact| !is_older(contact) && !contact.is_deleted).collect();
    let records = connector.records(&wanted, query).await?;
    let mut changes: Vec<Change> = records.into_iter().map(Change::Seen).collect();
    if has_next && !reached_older {
        return page(changes, &at, false);
    }
    let removals_due = at.removed_to.is_none_or(|to| {
        let age = now.saturating_sub(to + OVERLAP_SECONDS);
        u64::try_from(age).is_ok_and(|age| age >= query.removals_every.as_secs())
    });
    let mut next = Cursor {
        since: Some(began - OVERLAP_SECONDS),
        removed_to: at.removed_to.or(Some(began - OVERLAP_SECONDS)),
        ..Cursor::default()
    };
    // A first walk of one page has nothing to know of removals.
    if at.page > 1 || (at.removed_to.is_some() && removals_due) {
        let from = at.removed_to.unwrap_or(began);
        let removals = connector.removals(from).await?;
        let happened_meanwhile = removals.events.iter().any(|event| event.created_at >= began);
        changes.extend(connector.look(&removals.events, query).await?);
        if at.page > 1 && happened_meanwhile {
            // After some tries in one run the next goes on trying: a walk that may have missed
            // somebody is never taken for a whole one.
            let is_enough = at.again == AGAIN_MAX;
            let restart = Cursor {
                since: at.since,
                again: if is_enough { 0 } else { at.again + 1 },
                removed_to: at.removed_to.or(Some(began - OVERLAP_SECONDS)),
                ..Cursor::default()
            };
            return page(changes, &restart, is_enough);
        }
        next.removed_to = Some(removals.at.as_second() - OVERLAP_SECONDS);
    }
    page(changes, &next, true)
}

/// Where a walk through everything begins in the place of another walk: what was removed since that
/// one knew of removals, or began, is still to be told.
pub(super) fn restart(cursor: &str) -> Option<String> {
    let lost: Cursor = serde_json::from_str(cursor).ok()?;
    let removed_to = lost.removed_to.or(lost.began.map(|began| began - OVERLAP_SECONDS))?;
    serde_json::to_string(&Cursor { removed_to: Some(removed_to), ..Cursor::default() }).ok()
}

fn page(changes: Vec<Change>, cursor: &Cursor, is_last: bool) -> Result<Page> {
    let cursor = serde_json::to_string(cursor).map_err(|_| not_understood("changes"))?;
    Ok(Page { changes, cursor, is_last, moment: None })
}

/// What was removed, restored or merged away.
struct Removals {
    events: Vec<Event>,
    at: Timestamp,
}

impl KommoConnector {
    /// Contacts as records, with what else has to be known of the account for it.
    pub(super) async fn records(&self, contacts: &[Contact], query: &Query) -> Result<Vec<Record>> {
        if contacts.is_empty() {
            return Ok(Vec::new());
        }
        let around = Around {
            fields: self.fields_there(contacts, query).await?,
            days: if holds_days(contacts, query) {
                self.days().await?.clone()
            } else {
                Days::default()
            },
            users: self.users_of(contacts, query).await?,
        };
        Ok(contacts.iter().map(|contact| record(contact, query, &around)).collect())
    }

    /// The fields that the account has, as far as that has to be known. One that a contact fills is
    /// there. Of others only the account's own list says so; read after the contacts, it says that an
    /// empty field was there to be filled.
    async fn fields_there(&self, contacts: &[Contact], query: &Query) -> Result<BTreeSet<FieldId>> {
        let mut there: BTreeSet<FieldId> = custom(contacts).map(CustomField::id).collect();
        let asked = query.fields.iter().map(|field| split(field).0);
        let mut optional = asked.filter(|whole| !fields::is_built_in(whole)).map(FieldId::new);
        if optional.any(|whole| !there.contains(&whole)) {
            let schema = fields::describe(&self.api).await?;
            there.extend(schema.iter().map(|field| field.id.clone()));
        }
        Ok(there)
    }

    /// Users are read only where an owner is asked for and not yet known.
    async fn users_of(&self, contacts: &[Contact], query: &Query) -> Result<Users> {
        let mut users = self.users.lock().await;
        let asks_owner = query.fields.contains(&FieldId::new(fields::OWNER));
        let owner = |contact: &Contact| u64::try_from(contact.responsible_user_id?).ok();
        let owners = contacts.iter().filter_map(owner).filter(|id| *id > 0);
        if asks_owner && owners.into_iter().any(|id| !users.knows(id)) {
            let mut known = Users::load(&self.api).await?;
            // Whoever left is asked for once, not with every page.
            known.forgive(contacts.iter().filter_map(owner));
            *users = known;
        }
        Ok(users.clone())
    }

    async fn removals(&self, from: i64) -> Result<Removals> {
        let mut removals = Removals { events: Vec::new(), at: Timestamp::UNIX_EPOCH };
        for page in 1.. {
            let path = format!(
                "/api/v4/events?filter[entity]=contact\
                 &filter[type]=contact_deleted,contact_restored,entity_merged\
                 &filter[created_at][from]={from}&limit=100&page={page}"
            );
            let read = self.api.read_list(&path, "removals").await?;
            if page == 1 {
                removals.at = read.at;
            }
            let has_next = read.has_next;
            removals.events.extend(read.elements::<Event>("events")?);
            if !has_next {
                break;
            }
        }
        Ok(removals)
    }

    /// What events say is only a hint where a record may have come back.
    async fn look(&self, events: &[Event], query: &Query) -> Result<Vec<Change>> {
        let id = |event: &Event| RemoteId::new(event.entity_id.to_string());
        let restored: BTreeSet<RemoteId> =
            events.iter().filter(|event| event.kind == "contact_restored").map(id).collect();
        let gone: BTreeSet<RemoteId> =
            events.iter().map(id).filter(|id| !restored.contains(id)).collect();
        let mut changes: Vec<Change> = gone.into_iter().map(Change::Gone).collect();
        let restored: Vec<RemoteId> = restored.into_iter().collect();
        for chunk in restored.chunks(CAPABILITY.read_many_max) {
            let found = fetch(self, query, &chunk.iter().cloned().collect()).await?;
            changes.extend(found.into_iter().map(|fetched| match fetched {
                Fetched::Live(record) => Change::Seen(record),
                Fetched::Gone(id) | Fetched::Forbidden(id) => Change::Gone(id),
                Fetched::Left(departure) => Change::Left(departure),
            }));
        }
        Ok(changes)
    }
}

fn custom(contacts: &[Contact]) -> impl Iterator<Item = &CustomField> {
    contacts.iter().flat_map(|contact| contact.custom_fields_values.iter().flatten())
}

/// Whether a day is among what is asked for.
fn holds_days(contacts: &[Contact], query: &Query) -> bool {
    custom(contacts)
        .any(|field| fields::is_day(&field.field_type) && query.fields.contains(&field.id()))
}

/// Reads many at once; who is not in the answer is asked for alone, because only that says why.
pub(super) async fn fetch(
    connector: &KommoConnector,
    query: &Query,
    ids: &BTreeSet<RemoteId>,
) -> Result<Vec<Fetched>> {
    let mut found: BTreeMap<RemoteId, Contact> = BTreeMap::new();
    if ids.len() > 1 {
        let wanted: Vec<String> = ids.iter().map(|id| format!("filter[id][]={id}")).collect();
        let path = format!("/api/v4/contacts?{}&limit={PAGE}", wanted.join("&"));
        let read = connector.api.read_list(&path, "fetch").await?;
        let id = |contact: Contact| (RemoteId::new(contact.id.to_string()), contact);
        let contacts: Vec<Contact> = read.elements("contacts")?;
        found.extend(contacts.into_iter().map(id).filter(|(id, _)| ids.contains(id)));
    }
    let mut answers = Vec::new();
    for id in ids.iter().filter(|id| !found.contains_key(id)).cloned().collect::<Vec<_>>() {
        match connector.api.get::<Contact>("fetch", &format!("/api/v4/contacts/{id}")).await {
            Ok(Some(read)) => {
                found.insert(id, read);
            }
            Ok(None) => answers.push(Fetched::Gone(id)),
            Err(error) if error.kind == ErrorKind::Forbidden && error.code == "no_right" => {
                answers.push(Fetched::Forbidden(id));
            }
            Err(error) => return Err(error),
        }
    }
    let (removed, live): (Vec<Contact>, Vec<Contact>) =
        found.into_values().partition(|contact| contact.is_deleted);
    let gone = |contact: &Contact| Fetched::Gone(RemoteId::new(contact.id.to_string()));
    answers.extend(removed.iter().map(gone));
    answers.extend(connector.records(&live, query).await?.into_iter().map(Fetched::Live));
    Ok(answers)
}

/// Searches the full text, one value at a time.
pub(super) async fn find(
    connector: &KommoConnector,
    query: &Query,
    lookups: &BTreeSet<Lookup>,
) -> Result<Vec<Record>> {
    let mut found: BTreeMap<u64, Contact> = BTreeMap::new();
    for lookup in lookups {
        let words = match lookup.kind {
            FieldType::Phone => lookup.value.trim_start_matches('+'),
            _ => lookup.value.as_str(),
        };
        let words: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
        let path = format!("/api/v4/contacts?query={words}&limit={PAGE}");
        let read = connector.api.read_list(&path, "find").await?;
        let contacts: Vec<Contact> = read.elements("contacts")?;
        found.extend(contacts.into_iter().map(|contact| (contact.id, contact)));
    }
    let live: Vec<Contact> = found.into_values().filter(|contact| !contact.is_deleted).collect();
    connector.records(&live, query).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarted(cursor: &Cursor) -> Option<Cursor> {
        let text = restart(&serde_json::to_string(cursor).unwrap())?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_walk_through_everything_goes_on_with_the_removals_where_the_last_one_was() {
        let lost = Cursor {
            since: Some(5_000),
            began: Some(6_000),
            page: 3,
            again: 1,
            removed_to: Some(4_000),
        };
        let kept = Cursor { removed_to: Some(4_000), ..Cursor::default() };
        assert_eq!(restarted(&lost), Some(kept));
        let first = Cursor { began: Some(6_000), page: 1, ..Cursor::default() };
        let began = Cursor { removed_to: Some(6_000 - OVERLAP_SECONDS), ..Cursor::default() };
        assert_eq!(restarted(&first), Some(began), "what a first walk saw may be gone");
        assert_eq!(restarted(&Cursor::default()), None);
        assert_eq!(restart("not a cursor"), None);
    }
}
