//! COQL: `POST /coql` with a `select` statement. It sees what was written at once.

mod evaluate;
mod parser;
mod statement;
mod words;

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, count};
use super::catalogue::Module;
use super::state::State;

/// The module that a statement reads, for the check of the scopes; none, if it is no statement.
pub(super) fn module_of(call: &Call) -> Option<Module> {
    let body = call.json().ok()?;
    let text = body.get("select_query")?.as_str()?;
    parser::parse(text).ok().and_then(|statement| Module::named(&statement.module))
}

/// Runs a statement.
pub(super) fn run(state: &State, call: &Call) -> Outcome {
    let body = call.json()?;
    let path = "$.select_query";
    let text = body.get("select_query").ok_or_else(|| Refusal::mandatory("select_query", path))?;
    let text = text.as_str().ok_or_else(|| Refusal::kind("select_query", path, "text"))?;
    let statement = parser::parse(text)?;
    let module = Module::named(&statement.module).ok_or_else(|| {
        let details = json!({"module": statement.module});
        Refusal::new(400, "INVALID_QUERY", "invalid query formed", details)
    })?;
    statement.check(&state.catalogue, module)?;
    let cost = match statement.limit {
        0..=200 => 1,
        201..=1_000 => 2,
        _ => 3,
    };
    let (data, is_more) = state.evaluate(module, &statement);
    if data.is_empty() {
        return Ok(Answer::empty(204).costing(cost));
    }
    let info = json!({"count": count::<Value>(&data), "more_records": is_more});
    Ok(Answer::json(200, json!({"data": data, "info": info})).costing(cost))
}
