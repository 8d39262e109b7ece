//! Reading everything of a large module from the file of a bulk job, for a part of the credits that its pages cost
//! (zoho.com/crm/developer/docs/api/v8/bulk-read/overview.html).
//!
//! How the file writes values is hardly documented, so it is believed only where it is seen to be right: a hundred
//! of every two thousand rows are read by id too, among them some of each field, and so is every record of which a
//! cell does not say for sure what it means. Where one differs from its unchanged record, everything is read by
//! pages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::changes::{always_and, iso};
use super::table::{Row, Table};
use super::wire::{Counted, Jobs, Outcomes, Records};
use super::{ZohoConnector, auth, cells, convert, find, leads, refusal};
use crate::connectors::{Change, Error, ErrorKind, Fetched, Query, Result};
use crate::net::Method;
use crate::record::{Field, FieldId, FieldType, Record, RemoteId, Schema};

/// Fewer records are read by pages: a job pays from 14,000 on, and has to be waited for.
const RECORDS_MIN: u64 = 20_000;
/// What one job writes. More would come in several files, of which nobody says that they fit together.
const RECORDS_MAX: u64 = 200_000;
/// Fields that a job can be asked for.
const FIELDS_MAX: usize = 200;
/// The longest file that is fetched, in bytes, packed.
const FILE_MAX: usize = 64 * 1024 * 1024;
/// Rows that are told at once.
const ROWS: usize = 2_000;
/// Records that are read by id at once.
const IDS: usize = 100;
/// Rows of each field that are compared with their records.
const PROOFS: usize = 2;
/// How long a job may take, in seconds.
const PATIENCE: i64 = 60 * 60;
/// How often it is asked after, in seconds: at first, and later.
const ASK_EVERY: (i64, i64) = (1, 10);

const OPERATION: &str = "bulk_read";
const JOBS: &str = "/crm/bulk/v8/read";

/// A job whose file is read, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    job: String,
    /// When it was begun, in seconds of the server's clock.
    began: i64,
    /// The moment of which it tells.
    pub(super) moment: u64,
    /// Rows that were read.
    row: u64,
    /// The fields of which a value was seen to be right.
    proven: BTreeSet<FieldId>,
    /// The fields of which there was a value.
    met: BTreeSet<FieldId>,
}

/// A part of a file.
pub(super) enum Part {
    /// Some of it, and where it goes on. Nothing, while it is not written yet.
    Some(Vec<Change>, Reading),
    /// The end of it.
    Last(Vec<Change>),
    /// It can't be had, or is not right: everything is read by pages.
    Useless,
}

/// A file that is being read.
pub(super) struct File {
    job: String,
    count: u64,
    table: Table,
    /// E-mail addresses by id.
    users: BTreeMap<String, String>,
}

/// A row, as a list would tell it.
struct Told {
    id: RemoteId,
    data: Map<String, Json>,
    /// Whether a cell does not say for sure what it means; it is not in the data.
    is_in_doubt: bool,
    filled: BTreeSet<FieldId>,
}

/// Begins a job, if there are so many records that it pays and we may.
pub(super) async fn begin(
    connector: &ZohoConnector,
    query: &Query,
    now: Timestamp,
) -> Result<Option<Reading>> {
    match begun(connector, query).await {
        Ok(job) => Ok(job.map(|job| Reading {
            job,
            began: now.as_second(),
            moment: query.moment,
            row: 0,
            proven: BTreeSet::new(),
            met: BTreeSet::new(),
        })),
        Err(error) if is_refusal(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn begun(connector: &ZohoConnector, query: &Query) -> Result<Option<String>> {
    let (api, object) = (&connector.api, &query.object);
    let fields = always_and(query);
    if fields.len() > FIELDS_MAX {
        return Ok(None);
    }
    let counted: Option<Counted> =
        api.get(OPERATION, &format!("/crm/v8/{object}/actions/count"), &[]).await?;
    if !counted.is_some_and(|all| (RECORDS_MIN..=RECORDS_MAX).contains(&all.count)) {
        return Ok(None);
    }
    let asked = json!({ "module": { "api_name": object.as_str() }, "fields": fields, "page": 1 });
    let body = json!({ "query": asked, "file_type": "csv" });
    let reply = api.send(OPERATION, Method::Post, JOBS, &body).await;
    let reply = reply.map_err(|failed| failed.of_read(OPERATION))?;
    if !(200..300).contains(&reply.status) {
        return Err(refusal::error(OPERATION, &reply));
    }
    let outcomes: Outcomes = reply.json(OPERATION)?;
    let job = outcomes.data.iter().find(|outcome| outcome.is_success());
    Ok(job.and_then(|job| job.detail("id")).map(str::to_owned))
}

/// Whether it will be the same the next time, and pages may be read all the same.
fn is_refusal(error: &Error) -> bool {
    !error.is_passing() && error.kind != ErrorKind::Unauthorised
}

/// Reads the next rows. Waits a little where the file is not written yet.
pub(super) async fn go_on(
    connector: &ZohoConnector,
    query: &Query,
    reading: &Reading,
) -> Result<Part> {
    let mut kept = connector.file.lock().await;
    let is_next = |file: &File| file.job == reading.job && file.table.row() == reading.row;
    let open = match kept.take().filter(|file| is_next(file)) {
        Some(file) => Open::Ready(file),
        None => match open(connector, query, reading).await {
            Err(error) if is_refusal(&error) || error.code == "too_large" => Open::Never,
            other => other?,
        },
    };
    let mut file = match open {
        Open::Ready(file) => file,
        Open::In(wait) => {
            drop(kept);
            tokio::time::sleep(wait).await;
            return Ok(Part::Some(Vec::new(), reading.clone()));
        }
        Open::Never => return Ok(Part::Useless),
    };
    let Some(rows) = file.table.next(ROWS) else { return Ok(Part::Useless) };
    let mut next = Reading { row: file.table.row(), ..reading.clone() };
    let is_last = rows.len() < ROWS;
    let schema = connector.schema(&query.object).await?;
    let told: Vec<Told> =
        rows.into_iter().map(|row| tell(row, query, schema, &file.users)).collect();
    let Some(changes) = proven(connector, query, schema, told, &mut next).await? else {
        return Ok(Part::Useless);
    };
    if !is_last {
        *kept = Some(file);
        return Ok(Part::Some(changes, next));
    }
    let is_whole = next.row == file.count && !holds_more(connector, query, schema, &next).await?;
    Ok(if is_whole { Part::Last(changes) } else { Part::Useless })
}

enum Open {
    Ready(Box<File>),
    /// It is not written yet: it is asked after again after this long.
    In(Duration),
    Never,
}

/// Fetches the file of a job, once that is done, and goes to where it is read on.
async fn open(connector: &ZohoConnector, query: &Query, reading: &Reading) -> Result<Open> {
    let (api, job) = (&connector.api, &reading.job);
    let (jobs, now) = api.get_timed::<Jobs>(OPERATION, &format!("{JOBS}/{job}"), &[]).await?;
    let Some(doing) = jobs.and_then(|jobs| jobs.data.into_iter().next()) else {
        return Ok(Open::Never);
    };
    let age = now.as_second() - reading.began;
    let result = match (doing.state.as_str(), doing.result) {
        ("COMPLETED", Some(result)) if !result.more_records => result,
        ("ADDED" | "QUEUED" | "IN PROGRESS", _) if age < PATIENCE => {
            let (first, most) = ASK_EVERY;
            let seconds = u64::try_from((age / 4).clamp(first, most)).unwrap_or_default();
            return Ok(Open::In(Duration::from_secs(seconds)));
        }
        _ => return Ok(Open::Never),
    };
    let packed = api.file(OPERATION, &format!("{JOBS}/{job}/result"), FILE_MAX).await?;
    let table = Table::open(packed, &always_and(query)).and_then(|mut table| {
        table.skip(reading.row)?;
        Some(table)
    });
    let Some(table) = table else { return Ok(Open::Never) };
    let schema = connector.schema(&query.object).await?;
    let has_users = query
        .fields
        .iter()
        .any(|field| schema.get(field).is_some_and(|field| field.kind == FieldType::User));
    let users = if has_users { auth::active_users(api).await? } else { Vec::new() };
    let users = users.into_iter().filter_map(|user| Some((user.id, user.email?))).collect();
    Ok(Open::Ready(Box::new(File { job: job.clone(), count: result.count, table, users })))
}

/// A row, as a list would tell it.
fn tell(row: Row, query: &Query, schema: &Schema, users: &BTreeMap<String, String>) -> Told {
    let id = RemoteId::new(row.id.as_str());
    let mut data = Map::from_iter([("id".to_owned(), json!(row.id))]);
    let (mut is_in_doubt, mut filled) = (false, BTreeSet::new());
    for (name, cell) in always_and(query).into_iter().zip(&row.cells) {
        let field = FieldId::new(name);
        if !cell.is_empty() && query.fields.contains(&field) {
            filled.insert(field);
        }
        match cells::told(cell, &field_of(name, schema), users) {
            Some(value) => {
                data.insert(name.to_owned(), value);
            }
            None => is_in_doubt = true,
        }
    }
    Told { id, data, is_in_doubt, filled }
}

/// What is always read may be hidden from those who choose fields.
fn field_of(name: &str, schema: &Schema) -> Field {
    let always = if convert::TIMES.contains(&name) {
        Some(FieldType::DateTime)
    } else {
        leads::kind_of(name)
    };
    match (always, schema.get(&FieldId::new(name))) {
        (Some(kind), _) => Field::new(name, kind),
        (None, Some(field)) => field.clone(),
        (None, None) => Field::new(name, FieldType::Text),
    }
}

/// The rows as changes, once they are seen to be right: those that prove something, and those in doubt, are read
/// by id. None if a row differs from its record, or so many are in doubt that pages cost less.
async fn proven(
    connector: &ZohoConnector,
    query: &Query,
    schema: &Schema,
    told: Vec<Told>,
    reading: &mut Reading,
) -> Result<Option<Vec<Change>>> {
    let in_doubt = told.iter().filter(|row| row.is_in_doubt).count();
    if in_doubt > told.len() / 2 {
        return Ok(None);
    }
    let mut answers = BTreeMap::new();
    let asked: Vec<RemoteId> = to_be_read(&told, &reading.proven).into_iter().collect();
    for ids in asked.chunks(IDS) {
        let ids = ids.iter().cloned().collect();
        let fetched = find::fetch(connector, query, &ids).await?;
        answers.extend(fetched.into_iter().map(|answer| (answer.id().clone(), answer)));
    }
    let mut changes = Vec::new();
    for row in told {
        reading.met.extend(row.filled.iter().cloned());
        let filed = convert::record(&row.data, query, schema);
        match (answers.remove(&row.id), filed) {
            (Some(Fetched::Live(live)), Some(filed)) => {
                let changed = live.modified_at.map_or(i64::MAX, Timestamp::as_second);
                if changed < reading.began {
                    if !agrees(&filed, &live) {
                        return Ok(None);
                    }
                    let is_sure = |field: &&FieldId| filed.fields.contains_key(*field);
                    reading.proven.extend(row.filled.iter().filter(is_sure).cloned());
                }
                changes.push(Change::Seen(live));
            }
            (Some(Fetched::Left(departure)), _) => changes.push(Change::Left(departure)),
            // Whoever is gone is told with the removals.
            (Some(_), _) => {}
            // Those that were converted are told by the list of those.
            (None, _) if leads::is_converted(&row.data) => {}
            (None, Some(filed)) => changes.push(Change::Seen(filed)),
            (None, None) => return Ok(None),
        }
    }
    Ok(Some(changes))
}

/// The records that are read by id: those in doubt, some for each field of which no value was seen to be right
/// yet, and others from all over the rows, as many as one request takes.
fn to_be_read(told: &[Told], proven: &BTreeSet<FieldId>) -> BTreeSet<RemoteId> {
    let mut proofs: BTreeMap<&FieldId, usize> = BTreeMap::new();
    let mut chosen = BTreeSet::new();
    for row in told {
        let open = row.filled.iter().filter(|field| !proven.contains(*field));
        let is_wanted = |field: &&FieldId| proofs.get(field).is_none_or(|times| *times < PROOFS);
        let wanted: Vec<&FieldId> = open.filter(is_wanted).collect();
        if row.is_in_doubt || !wanted.is_empty() {
            chosen.insert(row.id.clone());
        }
        for field in wanted {
            *proofs.entry(field).or_default() += 1;
        }
    }
    let step = told.len().div_ceil(IDS).max(1);
    let missing = IDS.saturating_sub(chosen.len());
    chosen.extend(told.iter().step_by(step).take(missing).map(|row| row.id.clone()));
    chosen
}

/// Whether a record says the same of all that a row says.
fn agrees(filed: &Record, live: &Record) -> bool {
    let times = |record: &Record| (record.created_at, record.modified_at);
    times(filed) == times(live)
        && filed.fields.iter().all(|(field, value)| {
            let same = live.get(field);
            same.is_some_and(|same| same == value || (same.is_empty() && value.is_empty()))
        })
}

/// Whether there are values of a field of which the file had none, in records that have not changed since.
async fn holds_more(
    connector: &ZohoConnector,
    query: &Query,
    schema: &Schema,
    reading: &Reading,
) -> Result<bool> {
    // Queries can't ask for lists.
    let is_asked = |field: &&FieldId| {
        !reading.met.contains(*field) && schema.get(field).is_none_or(|field| !field.many)
    };
    for field in query.fields.iter().filter(is_asked) {
        let (object, began) = (&query.object, iso(reading.began));
        let select = format!(
            "select id from {object} where ({field} is not null and Modified_Time < '{began}') limit 0, 1"
        );
        let body = json!({ "select_query": select });
        match connector.api.query::<Records>(OPERATION, "/crm/v8/coql", &body).await {
            Ok(Some(found)) if !found.data.is_empty() => return Ok(true),
            Err(error) if !is_refusal(&error) => return Err(error),
            // Queries can't ask for texts of several lines: of those the witnesses say enough.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(false)
}
