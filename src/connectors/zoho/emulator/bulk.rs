//! Bulk read: a job that writes the records of a module into a file, which can be fetched for a day.

use std::io::{self, Cursor, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, count, cut};
use super::catalogue::Module;
use super::people::ME;
use super::records::Stored;
use super::state::State;

/// What a job costs, in credits.
const COST: u64 = 50;
/// Fields that may be named; beyond, all are written.
const FIELDS_MAX: usize = 200;
/// Pages that may be asked for.
const PAGES_MAX: u64 = 500;
/// How long a file is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A job, with what it found when it was begun.
pub(super) struct Job {
    id: String,
    query: Value,
    page: u64,
    at: Timestamp,
    rows: u64,
    is_more: bool,
    file: Vec<u8>,
}

impl Job {
    fn state(&self, now: Timestamp, takes: Duration) -> &'static str {
        let age = now.duration_since(self.at).unsigned_abs();
        if age >= takes {
            "COMPLETED"
        } else if age >= takes / 2 {
            "IN PROGRESS"
        } else {
            "ADDED"
        }
    }
}

/// `POST /crm/bulk/v8/read`.
pub(super) fn begin(state: &mut State, call: &Call) -> Outcome {
    let body = call.json()?;
    let query = body.get("query").cloned().unwrap_or_default();
    let module = module_of(&query)?;
    let named = query.get("fields").and_then(Value::as_array);
    let fields: Option<Vec<String>> =
        named.map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    let page = query.get("page").map_or(Some(1), Value::as_u64);
    let page = page.filter(|page| (1..=PAGES_MAX).contains(page));
    let page = page.ok_or_else(|| Refusal::kind("page", "$.query.page", "integer"))?;
    if ["criteria", "cvid"].iter().any(|name| query.get(*name).is_some()) {
        // Nobody has made a view here, and no reader of ours asks for a part.
        return Err(Refusal::bad_param("criteria"));
    }
    let all = state.catalogue.fields(module).iter().map(|field| field.api_name.clone());
    let fields = match fields {
        Some(fields) if fields.len() <= FIELDS_MAX => fields,
        _ => all.collect(),
    };
    let is_written = |stored: &&Stored| !stored.is_converted || state.options.bulk_has_converted;
    let mut found: Vec<&Stored> = state.of_module(module).filter(is_written).collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let (found, is_more) = cut(found, page, state.options.bulk_page);
    let rows = count(&found);
    let kept = found.len().saturating_sub(state.options.bulk_rows_lost);
    let table: Vec<Vec<String>> =
        found.into_iter().take(kept).map(|stored| row(state, stored, &fields)).collect();
    let (id, at) = (state.next_id(), state.now());
    let file = packed(&id, &fields, &table)?;
    let details = json!({
        "id": id,
        "operation": "read",
        "state": "ADDED",
        "created_by": state.short_user(ME),
        "created_time": state.time(at),
    });
    state.jobs.retain(|job| job.at + KEPT > at);
    state.jobs.push(Job { id, query, page, at, rows, is_more, file });
    let told = json!({
        "status": "success",
        "code": "ADDED_SUCCESSFULLY",
        "message": "Added successfully.",
        "details": details,
    });
    Ok(Answer::json(201, json!({ "data": [told], "info": {} })).costing(COST))
}

/// The module that a job is about.
pub(super) fn module_of(query: &Value) -> Result<Module, Refusal> {
    let name = query.pointer("/module/api_name").and_then(Value::as_str);
    let name = name.ok_or_else(|| Refusal::mandatory("module", "$.query.module"))?;
    Module::named(name).ok_or_else(|| Refusal::unknown_module(json!({"api_name": "module"})))
}

/// `GET /crm/bulk/v8/read/{id}`.
pub(super) fn tell(state: &State, id: &str) -> Outcome {
    let job = job(state, id)?;
    let doing = job.state(state.now(), state.options.bulk_takes);
    let mut told = json!({
        "id": job.id,
        "operation": "read",
        "state": doing,
        "query": job.query,
        "created_by": state.short_user(ME),
        "created_time": state.time(job.at),
        "file_type": "csv",
    });
    if doing == "COMPLETED" {
        let result = json!({
            "page": job.page,
            "per_page": state.options.bulk_page,
            "count": job.rows,
            "download_url": format!("/crm/bulk/v8/read/{id}/result"),
            "more_records": job.is_more,
        });
        told.as_object_mut().map(|told| told.insert("result".to_owned(), result));
    }
    Ok(Answer::json(200, json!({ "data": [told] })))
}

/// `GET /crm/bulk/v8/read/{id}/result`.
pub(super) fn fetch(state: &State, id: &str) -> Outcome {
    let job = job(state, id)?;
    if job.state(state.now(), state.options.bulk_takes) != "COMPLETED" {
        return Err(Refusal::bad_param("job_id"));
    }
    Ok(Answer::file(job.file.clone()))
}

fn job<'a>(state: &'a State, id: &str) -> Result<&'a Job, Refusal> {
    let now = state.now();
    let found = state.jobs.iter().find(|job| job.id == id && job.at + KEPT > now);
    found.ok_or_else(|| {
        Refusal::new(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", json!({}))
    })
}

fn row(state: &State, stored: &Stored, fields: &[String]) -> Vec<String> {
    let values = state.select(stored, fields);
    let cells = fields.iter().map(|field| {
        (state.options.bulk_cell)(field, cell(values.get(field).unwrap_or(&Value::Null)))
    });
    std::iter::once(stored.id.clone()).chain(cells).collect()
}

/// A value as the file has it: whoever is looked up by id, tags by name, several with a semicolon between
/// them.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(list) => {
            let name = |one: &Value| cell(one.get("name").unwrap_or(one));
            list.iter().map(name).collect::<Vec<_>>().join(";")
        }
        Value::Object(object) => object.get("id").map(cell).unwrap_or_default(),
    }
}

/// The one CSV in a ZIP.
fn packed(id: &str, fields: &[String], table: &[Vec<String>]) -> Result<Vec<u8>, Refusal> {
    table_of(fields, table)
        .and_then(|text| zipped(id, &text))
        .map_err(|_| Refusal::new(500, "INTERNAL_ERROR", "the file can't be written", json!({})))
}

fn table_of(fields: &[String], table: &[Vec<String>]) -> io::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let head = std::iter::once("Id").chain(fields.iter().map(String::as_str));
    csv.write_record(head)?;
    for row in table {
        csv.write_record(row)?;
    }
    csv.into_inner().map_err(|error| error.into_error())
}

fn zipped(id: &str, text: &[u8]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(format!("{id}.csv"), SimpleFileOptions::default())?;
    zip.write_all(text)?;
    Ok(zip.finish()?.into_inner())
}
