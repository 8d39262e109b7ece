//! Which endpoint answers.

use serde_json::Value;

use super::account;
use super::answer::{Answer, Outcome};
use super::batch;
use super::contacts;
use super::events;
use super::fields;
use super::flaws::{Flaw, Flaws};
use super::gate::Exchange;
use super::query::Query;
use super::state::State;
use super::tags;
use super::webhooks;

/// Routes by a path under the API's root.
pub(super) fn route(state: &mut State, exchange: &Exchange, path: &str, actor: u64) -> Outcome {
    let query = Query::read(&exchange.query);
    let body = exchange.body.as_str();
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let unknown = || Answer::unknown_route(&exchange.method, &exchange.path);
    let number = |id: &str| id.parse::<u64>().map_err(|_| unknown());
    match (parts.as_slice(), exchange.method.as_str()) {
        (["account"], "GET") => Ok(account::show(state, &query)),
        (["users"], "GET") => Ok(account::users(state, &query)),
        (["users", id], "GET") => Ok(account::user(state, number(id)?)),
        (["contacts"], "GET") => Ok(contacts::list(state, &query)),
        (["contacts"], "POST") => contacts::create(state, body, actor),
        (["contacts"], "PATCH") => contacts::update_many(state, body, actor),
        (["contacts", "tags"], "GET") => Ok(tags::list(state, &query)),
        (["contacts", "tags"], "POST") => tags::create(state, body),
        (["contacts", "custom_fields"], "GET") => Ok(fields::list(state, &query)),
        (["contacts", "custom_fields"], "POST") => fields::create(state, body),
        (["contacts", id], "GET") => Ok(contacts::one(state, number(id)?, &query)),
        (["contacts", id], "PATCH") => contacts::update_one(state, number(id)?, body, actor),
        (["companies" | "leads"] | ["companies", "custom_fields"], "GET") => {
            Ok(Answer::no_content())
        }
        (["companies" | "leads"], "POST") => Err(Answer::problem(403, "Insufficient rights")),
        (["companies" | "leads"], "PATCH") => update_nothing(body),
        (["events"], "GET") => events::list(state, &query),
        (["events", "types"], "GET") => Ok(events::kinds(state)),
        (["webhooks"], "GET") => Ok(webhooks::list(state, &query)),
        (["webhooks"], "POST") => webhooks::create(state, body, actor),
        (["webhooks"], "DELETE") => webhooks::delete(state, body),
        (parts, _) if is_known(parts) => Err(Answer::problem(405, "Method not allowed")),
        _ => Err(unknown()),
    }
}

/// Whether the path answers to other methods.
fn is_known(parts: &[&str]) -> bool {
    match parts {
        ["account" | "users" | "contacts" | "companies" | "leads" | "events" | "webhooks"]
        | ["contacts", "tags" | "custom_fields"]
        | ["companies", "custom_fields"]
        | ["events", "types"] => true,
        ["contacts" | "users", id] => id.parse::<u64>().is_ok(),
        _ => false,
    }
}

/// Of what the account has none of, no item can be found.
fn update_nothing(body: &str) -> Outcome {
    let items: Vec<Value> = batch::items(body)?;
    let mut flaws = Flaws::default();
    for (index, item) in items.iter().enumerate() {
        flaws.note(&batch::request_id(item, index), &[Flaw::not_found("id")]);
    }
    flaws.settle()?;
    Ok(Answer::no_content())
}
