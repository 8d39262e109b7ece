//! What a request passes before the API answers it: faults to order, the limit, the token. And the
//! log of them all.

use jiff::Timestamp;
use serde::Serialize;

use super::answer::Answer;
use super::faults::{self, FaultKind};
use super::oauth;
use super::routes;
use super::state::State;
use super::throttle::Verdict;

/// A request in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query as it came, without its question mark.
    pub query: String,
    /// The status of the answer, or 0 if the connection broke instead.
    pub status: u16,
    /// When it came.
    pub at: Timestamp,
}

/// A request as it came.
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) authorization: Option<String>,
    /// In whose name the client wants to act.
    pub(super) context_user: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) body: String,
}

impl Exchange {
    fn bearer(&self) -> &str {
        let token = self.authorization.as_ref().and_then(|value| value.strip_prefix("Bearer "));
        token.map(str::trim).unwrap_or_default()
    }
}

pub(super) fn answer(state: &mut State, exchange: &Exchange) -> Answer {
    let at = state.time;
    let fault = faults::meet(&mut state.faults, &exchange.method, &exchange.path);
    let answer = match fault {
        None => pass(state, exchange),
        Some(FaultKind::LostBefore) => Answer::lost(),
        Some(FaultKind::LostAfter) => {
            pass(state, exchange);
            Answer::lost()
        }
        Some(FaultKind::Html403) => Answer::blocked(),
        Some(FaultKind::PlainTooMany) => Answer::too_many_in_plain(),
        Some(FaultKind::TokenExpired) => {
            oauth::revoke(state, exchange.bearer());
            Answer::unauthorised()
        }
        Some(FaultKind::Status { status, body, content_type, retry_after }) => {
            Answer { retry_after, ..Answer::text(status, content_type, body) }
        }
    };
    state.requests.push(Request {
        method: exchange.method.clone(),
        path: exchange.path.clone(),
        query: exchange.query.clone(),
        status: if answer.is_lost { 0 } else { answer.status },
        at,
    });
    answer
}

fn pass(state: &mut State, exchange: &Exchange) -> Answer {
    let outcome = match (exchange.path.as_str(), exchange.method.as_str()) {
        ("/oauth2/access_token", "POST") => oauth::token(state, exchange),
        ("/oauth2/account/current/subdomain", "GET") => oauth::subdomain(state, exchange),
        (path, method) => match path.strip_prefix("/api/v4/") {
            Some(rest) => enter(state, exchange, rest),
            None => Err(Answer::unknown_route(method, path)),
        },
    };
    outcome.unwrap_or_else(|refusal| refusal)
}

fn enter(state: &mut State, exchange: &Exchange, path: &str) -> Result<Answer, Answer> {
    match state.throttle.judge(state.time, state.options.requests_per_second) {
        Verdict::Pass => {}
        Verdict::TooMany => return Err(Answer::too_many()),
        Verdict::Blocked => return Err(Answer::blocked()),
    }
    if !oauth::is_good(state, exchange.bearer()) {
        return Err(Answer::unauthorised());
    }
    let wished = exchange.context_user.as_ref().and_then(|id| id.parse::<u64>().ok());
    let known = wished.filter(|id| state.users.iter().any(|user| user.id == *id));
    let actor = known.unwrap_or(state.integration);
    routes::route(state, exchange, path, actor)
}
