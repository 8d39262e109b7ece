//! Reading what changed: in the order of change, page by page under a token that Zoho keeps the list
//! for. A plain page number would end at 2,000 records, a token at 100,000: there the list is begun
//! again from where it ended. A large module is read from a file instead, where that can be had.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bulk::{self, Part, Reading};
use super::convert::{self, moment};
use super::wire::{Deleted, Records};
use super::{ZohoConnector, leads};
use crate::connectors::{Change, Error, ErrorKind, Page, Query, Result};
use crate::record::{FieldId, ObjectName, Record, RemoteId};

/// Records per page.
const PAGE: usize = 200;
/// Fields per read.
const FIELDS_MAX: usize = 50;
/// Records per read by id.
const IDS_MAX: usize = 100;
/// Pages of a walk through everything after which its records are counted: for fewer, it costs nothing.
const PAGES_BEFORE_COUNT: u32 = 10;
/// How far back a walk begins before the end of the one before it: times are whole seconds, and
/// whether the bound itself is included is not said.
const OVERLAP_SECONDS: i64 = 120;

/// Where a read goes on. Times are seconds of the server's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Changes since then; everything, without.
    since: Option<i64>,
    /// When this walk began; none before its first page.
    began: Option<i64>,
    /// Where its next page is.
    token: Option<String>,
    /// Its pages that were read; counted while it reads everything, up to where that matters.
    #[serde(default, skip_serializing_if = "is_none_read")]
    pages: u32,
    /// The time of change of the last record that was read in it as it was when it began.
    reached: Option<i64>,
    /// Up to when removals are known; none before the first walk is done.
    removed_to: Option<i64>,
    /// The file from which everything is read. Should it be no good, the walk goes on at the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<Reading>,
    /// Whether only those are read that a file may leave out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_of_converted: bool,
}

fn is_none_read(pages: &u32) -> bool {
    *pages == 0
}

impl Cursor {
    /// Counts a page of a walk through everything, and tells whether it is the one to count the records after.
    fn is_long_now(&mut self) -> bool {
        if self.since.is_some() || self.is_of_converted || self.pages == PAGES_BEFORE_COUNT {
            return false;
        }
        self.pages += 1;
        self.pages == PAGES_BEFORE_COUNT
    }

    /// Where the next walk begins, after one that began then.
    fn after(&self, began: i64) -> Self {
        let started = began - OVERLAP_SECONDS;
        let removed_to = self.removed_to.or(Some(started));
        Self { since: Some(started), removed_to, ..Self::default() }
    }

    /// From when on a list goes on that ends here: the last second once more, which may hold others.
    fn reaches_on(&self) -> Option<i64> {
        self.reached.map(|reached| reached - 1)
    }
}

pub(super) async fn changes(
    connector: &ZohoConnector,
    query: &Query,
    cursor: Option<&str>,
) -> Result<Page> {
    let lost = |_| Error::new(ErrorKind::CursorLost, "changes", "cursor");
    let mut at: Cursor = match cursor {
        Some(text) => serde_json::from_str(text).map_err(lost)?,
        None => Cursor::default(),
    };
    if let Some(reading) = &at.file {
        let part = bulk::go_on(connector, query, reading).await?;
        return from_file(query, part, reading.moment, &at);
    }
    let (object, groups) = (&query.object, groups(query));
    let first = groups.first().map(String::as_str).unwrap_or_default();
    let mut path = format!(
        "/crm/v8/{object}?fields={first}&per_page={PAGE}&sort_by=Modified_Time&sort_order=asc{}",
        if at.is_of_converted { leads::ONLY_CONVERTED } else { leads::with_converted(object) }
    );
    if let Some(token) = &at.token {
        let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        path.push_str(&format!("&page_token={token}"));
    }
    let since: Vec<_> =
        at.since.map(|since| ("if-modified-since", iso(since))).into_iter().collect();
    let read = connector.api.get_timed::<Records>("changes", &path, &since).await;
    let (records, now) = match read {
        // The list has become too long for one token: it goes on where it ended. Were it a single
        // second that is too long, it would go on there for ever.
        Err(error) if error.code == "PAGINATION_LIMIT_EXCEEDED" && at.reaches_on() > at.since => {
            let next = Cursor { since: at.reaches_on(), token: None, ..at };
            return page(Vec::new(), &next, false);
        }
        other => other?,
    };
    let began = *at.began.get_or_insert(now.as_second());
    let (data, info) = records.map_or_else(Default::default, |page| (page.data, page.info));
    // Whoever was changed since the walk began has kept the place in the list, and tells another time.
    let times = data.iter().filter_map(|record| moment(record.get("Modified_Time")?.as_str()?));
    let reached = times.map(Timestamp::as_second).rfind(|time| *time < began);
    at.reached = reached.or(at.reached);
    let mut found: Vec<Record> = connector.records(&data, query).await?;
    connector.complete(&mut found, query, groups.get(1..).unwrap_or_default()).await?;
    let mut changes: Vec<Change> = found.into_iter().map(Change::Seen).collect();
    changes.extend(leads::converted("changes", object, &data)?.into_iter().map(Change::Left));
    if info.more_records {
        let token = info.next_page_token;
        if token.is_none() {
            return Err(Error::new(ErrorKind::Protocol, "changes", "no_page_token"));
        }
        let file = if at.is_long_now() { bulk::begin(connector, query, now).await? } else { None };
        return page(changes, &Cursor { token, file, ..at }, false);
    }
    let mut next = at.after(began);
    if at.is_of_converted {
        return page(changes, &next, false);
    }
    let removals_due = at.removed_to.filter(|to| {
        let age = now.as_second().saturating_sub(to + OVERLAP_SECONDS);
        u64::try_from(age).is_ok_and(|age| age >= query.removals_every.as_secs())
    });
    if let Some(from) = removals_due {
        changes.extend(connector.removals(object, from).await?.into_iter().map(Change::Gone));
        next.removed_to = Some(now.as_second() - OVERLAP_SECONDS);
    }
    page(changes, &next, true)
}

/// A part of a file. After its end come those that it may leave out, then what changed since the walk began.
fn from_file(query: &Query, part: Part, moment: u64, at: &Cursor) -> Result<Page> {
    let next = Cursor { file: None, ..at.clone() };
    let (changes, next) = match part {
        Part::Some(changes, reading) => (changes, Cursor { file: Some(reading), ..next }),
        Part::Last(changes) if leads::may_be_converted(&query.object) => {
            (changes, Cursor { token: None, reached: None, is_of_converted: true, ..next })
        }
        Part::Last(changes) => (changes, next.began.map_or(Cursor::default(), |at| next.after(at))),
        Part::Useless => (Vec::new(), next),
    };
    Ok(Page { moment: Some(moment), ..page(changes, &next, false)? })
}

/// Where a walk through everything begins in the place of another walk: what was removed since that
/// one knew of removals, or began, is still to be told.
pub(super) fn restart(cursor: &str) -> Option<String> {
    let lost: Cursor = serde_json::from_str(cursor).ok()?;
    let removed_to = lost.removed_to.or(lost.began.map(|began| began - OVERLAP_SECONDS))?;
    serde_json::to_string(&Cursor { removed_to: Some(removed_to), ..Cursor::default() }).ok()
}

fn page(changes: Vec<Change>, cursor: &Cursor, is_last: bool) -> Result<Page> {
    let cursor = serde_json::to_string(cursor)
        .map_err(|_| Error::new(ErrorKind::Protocol, "changes", "cursor"))?;
    Ok(Page { changes, cursor, is_last, moment: None })
}

/// The fields to ask for, as many at once as Zoho takes; the first with those that are always read.
pub(super) fn groups(query: &Query) -> Vec<String> {
    always_and(query).chunks(FIELDS_MAX).map(|group| group.join(",")).collect()
}

/// Those that are always read, then those that are wanted.
pub(super) fn always_and(query: &Query) -> Vec<&str> {
    let is_read = |field: &&str| !leads::always_read(&query.object).any(|always| always == *field);
    let wanted = query.fields.iter().map(FieldId::as_str).filter(is_read);
    leads::always_read(&query.object).chain(wanted).collect()
}

pub(super) fn iso(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN).to_string().replace('Z', "+00:00")
}

impl ZohoConnector {
    /// The records of an answer, but for leads that were converted.
    pub(super) async fn records(
        &self,
        data: &[serde_json::Map<String, serde_json::Value>],
        query: &Query,
    ) -> Result<Vec<Record>> {
        if data.is_empty() {
            return Ok(Vec::new());
        }
        let schema = self.schema(&query.object).await?;
        let live = data.iter().filter(|record| !leads::is_converted(record));
        Ok(live.filter_map(|record| convert::record(record, query, schema)).collect())
    }

    /// Reads the fields that did not fit into the first request.
    pub(super) async fn complete(
        &self,
        records: &mut [Record],
        query: &Query,
        groups: &[String],
    ) -> Result<()> {
        for group in groups {
            let part: std::collections::BTreeSet<FieldId> =
                group.split(',').map(FieldId::new).collect();
            let part = Query { fields: part, ..query.clone() };
            for chunk in records.chunks_mut(IDS_MAX) {
                let ids: Vec<&str> = chunk.iter().map(|record| record.id.as_str()).collect();
                let (object, ids) = (&query.object, ids.join(","));
                let path = format!("/crm/v8/{object}?fields={group}&ids={ids}");
                let page: Option<Records> = self.api.get("changes", &path, &[]).await?;
                let data = page.map(|page| page.data).unwrap_or_default();
                for found in self.records(&data, &part).await? {
                    if let Some(record) = chunk.iter_mut().find(|record| record.id == found.id) {
                        record.fields.extend(found.fields);
                    }
                }
                // Removed in between: what could not be read is not known to be empty.
                for record in chunk.iter_mut() {
                    let missing = |field: &FieldId| !record.fields.contains_key(field);
                    if part.fields.iter().any(missing) {
                        record.fields.retain(|field, _| !part.fields.contains(field));
                    }
                }
            }
        }
        Ok(())
    }

    /// What was removed since a time: into the recycle bin or for good.
    async fn removals(&self, object: &ObjectName, from: i64) -> Result<Vec<RemoteId>> {
        let mut gone = Vec::new();
        for page in 1.. {
            let path = format!("/crm/v8/{object}/deleted?type=all&per_page={PAGE}&page={page}");
            let since = [("if-modified-since", iso(from))];
            let Some(deleted) = self.api.get::<Deleted>("removals", &path, &since).await? else {
                break;
            };
            gone.extend(deleted.data.into_iter().map(|record| RemoteId::new(record.id)));
            if !deleted.info.more_records {
                break;
            }
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_fields_are_asked_for_in_groups_that_zoho_takes() {
        let fields = (0..120).map(|n| FieldId::new(format!("F{n:03}"))).collect();
        let query = Query {
            object: ObjectName::new("Contacts"),
            collection: String::new(),
            fields,
            removals_every: std::time::Duration::ZERO,
            moment: 0,
        };
        let groups = groups(&query);
        assert_eq!(groups.len(), 3);
        assert!(groups.iter().all(|group| group.split(',').count() <= FIELDS_MAX));
        assert!(groups[0].starts_with("Created_Time,Modified_Time,F000"));
    }

    fn restarted(cursor: &Cursor) -> Option<Cursor> {
        let text = restart(&serde_json::to_string(cursor).unwrap())?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_walk_through_everything_goes_on_with_the_removals_where_the_last_one_was() {
        let lost = Cursor {
            since: Some(5_000),
            began: Some(6_000),
            token: Some("page".to_owned()),
            pages: 3,
            reached: Some(5_500),
            removed_to: Some(4_000),
            ..Cursor::default()
        };
        let kept = Cursor { removed_to: Some(4_000), ..Cursor::default() };
        assert_eq!(restarted(&lost), Some(kept));
        let first = Cursor { began: Some(6_000), ..Cursor::default() };
        let began = Cursor { removed_to: Some(6_000 - OVERLAP_SECONDS), ..Cursor::default() };
        assert_eq!(restarted(&first), Some(began), "what a first walk saw may be gone");
        assert_eq!(restarted(&Cursor::default()), None);
        assert_eq!(restart("not a cursor"), None);
    }
}
