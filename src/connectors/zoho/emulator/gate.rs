//! What a call of the API must pass before anything is done: the token, the scopes, the limits.

use serde_json::json;

use super::answer::{Answer, Outcome, Refusal};
use super::call::Call;
use super::routes;
use super::state::State;
use super::tokens::opaque;

/// An answer, and the credits that are left, if the answer tells them.
pub(super) type Told = (Answer, Option<u64>);

/// Answers a call of the API. `is_crowded`, if too many are being answered already.
pub(super) fn pass(state: &mut State, call: &Call, is_crowded: bool) -> Told {
    let outcome = admit(state, call, is_crowded).and_then(|()| run(state, call));
    let answer = outcome.unwrap_or_else(Refusal::into_answer);
    if answer.status == 401 || answer.status == 429 {
        return (answer, None);
    }
    let now = state.now();
    state.credits.spend(answer.cost, now);
    let (used, all) = (state.credits.used(now), state.credits_allowed());
    let is_told = used.saturating_mul(2) > all;
    (answer, is_told.then_some(all.saturating_sub(used)))
}

fn admit(state: &State, call: &Call, is_crowded: bool) -> Result<(), Refusal> {
    let header = call.header("authorization").unwrap_or_default();
    let token = header.strip_prefix("Zoho-oauthtoken ").unwrap_or_default();
    if !state.tokens.is_valid(token, state.now()) {
        return Err(Refusal::new(401, "INVALID_TOKEN", "invalid oauth token", json!({})));
    }
    if is_crowded {
        let details = json!({
            "trace_id": opaque(state.credits.used(state.now())),
            "retry_after": 60,
            "limit": state.options.concurrency,
            "window": 60,
        });
        let message = "too many requests at the same time";
        return Err(Refusal::new(429, "TOO_MANY_REQUESTS", message, details));
    }
    if state.credits.used(state.now()) >= state.credits_allowed() {
        let details = json!({"limit": state.credits_allowed()});
        let message = "the credits of the last 24 hours are used up";
        return Err(Refusal::new(429, "LIMIT_EXCEEDED", message, details));
    }
    Ok(())
}

fn run(state: &mut State, call: &Call) -> Outcome {
    let route = routes::find(call)?;
    if !route.takes(&call.method) {
        return Err(Refusal::wrong_method());
    }
    if !route.scopes(call).iter().all(|(area, verb)| is_granted(state, area, verb)) {
        let message = "invalid oauth scope to access this URL";
        return Err(Refusal::new(401, "OAUTH_SCOPE_MISMATCH", message, json!({})));
    }
    route.run(state, call)
}

/// Whether the tokens may do something in an area: by its own name or by the group it belongs to.
fn is_granted(state: &State, area: &str, verb: &str) -> bool {
    let service = if area == "securesearch" { "ZohoSearch" } else { "ZohoCRM" };
    let group = area.split('.').next().unwrap_or(area);
    let verbs = match verb {
        "CREATE" | "UPDATE" => [verb, "WRITE", "ALL"],
        _ => [verb, verb, "ALL"],
    };
    [area, group]
        .iter()
        .any(|name| verbs.iter().any(|v| state.tokens.may(&format!("{service}.{name}.{v}"))))
}
