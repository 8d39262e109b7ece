//! Tokens: how they are got, and which are good.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Emulator;
use super::answer::{Answer, Outcome};
use super::gate::Exchange;
use super::jwt;
use super::state::State;

/// The id of the one integration that the account knows.
pub const CLIENT_ID: &str = "0f7c5c4e-52a3-4c1b-9d5e-6d1c7f0a9b21";
/// The secret of that integration.
pub const CLIENT_SECRET: &str = "emulated-integration-secret";

const CODE_LIFE: Duration = Duration::from_secs(20 * 60);
const ACCESS_LIFE: Duration = Duration::from_secs(86_400);
const REFRESH_LIFE: Duration = Duration::from_secs(90 * 86_400);

#[derive(Default)]
pub(super) struct Tokens {
    issued: u64,
    /// With the time until when each is good.
    codes: BTreeMap<String, Timestamp>,
    access: BTreeMap<String, Timestamp>,
    refresh: BTreeMap<String, Refresh>,
    revoked: BTreeSet<String>,
    /// What the integration has as its redirect address; without, it takes any.
    redirect_uri: Option<String>,
}

struct Refresh {
    until: Timestamp,
    /// The address that was named when the code was redeemed; it has to be named again.
    redirect_uri: String,
    is_used: bool,
}

impl Emulator {
    /// An authorization code, as the redirect after a consent brings it: good once, for 20 minutes.
    #[must_use]
    pub fn grant_code(&self) -> String {
        grant_code(&mut self.lock())
    }

    /// A person gives the integration a redirect address: tokens are given only with it from then on.
    pub fn set_redirect_uri(&self, redirect_uri: &str) {
        self.lock().tokens.redirect_uri = Some(redirect_uri.to_owned());
    }

    /// A person opens the consent page at this address, and agrees or not: where their browser is sent
    /// then. None if the page shows an error instead.
    #[must_use]
    pub fn consent(&self, url: &str, agrees: bool) -> Option<String> {
        consent(&mut self.lock(), url, agrees)
    }

    /// A person gives the account another address. Emulated, the old one goes on to answer.
    pub fn rename(&self, subdomain: &str) {
        let mut state = self.lock();
        subdomain.clone_into(&mut state.options.subdomain);
        state.options.base_url = format!("https://{subdomain}.kommo.com");
    }

    /// Ends all access tokens but the long-lived one.
    pub fn expire_access_tokens(&self) {
        self.lock().tokens.access.clear();
    }

    /// A person takes the integration away: no token that it was given is good any more.
    pub fn uninstall(&self) {
        let mut state = self.lock();
        state.tokens.access.clear();
        state.tokens.refresh.clear();
    }

    /// An access or refresh token is worth nothing any more.
    pub fn revoke_token(&self, token: &str) {
        revoke(&mut self.lock(), token);
    }
}

fn grant_code(state: &mut State) -> String {
    state.tokens.issued += 1;
    let code = format!("def500{:058x}", state.tokens.issued);
    state.tokens.codes.insert(code.clone(), state.time + CODE_LIFE);
    code
}

/// What a person says on the consent page at this address: where the browser is sent then. None if
/// the page shows an error instead.
fn consent(state: &mut State, url: &str, agrees: bool) -> Option<String> {
    let (page, query) = url.split_once('?')?;
    let asked: BTreeMap<String, String> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_known = asked.get("client_id").is_some_and(|id| id == CLIENT_ID);
    if !page.ends_with("/oauth") || !is_known {
        return None;
    }
    let back = state.tokens.redirect_uri.clone()?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    if agrees {
        let referer = format!("{}.kommo.com", state.options.subdomain);
        query.append_pair("code", &grant_code(state)).append_pair("referer", &referer);
    } else {
        query.append_pair("error", "access_denied");
    }
    query.append_pair("client_id", CLIENT_ID);
    if let Some(repeated) = asked.get("state") {
        query.append_pair("state", repeated);
    }
    Some(format!("{back}?{}", query.finish()))
}

pub(super) fn revoke(state: &mut State, token: &str) {
    state.tokens.refresh.remove(token);
    state.tokens.revoked.insert(token.to_owned());
}

/// Whether the API is open to this token.
pub(super) fn is_good(state: &State, token: &str) -> bool {
    if token.is_empty() || state.tokens.revoked.contains(token) {
        return false;
    }
    if token == state.options.token {
        return jwt::expiry(token).is_none_or(|second| state.now() < second);
    }
    state.tokens.access.get(token).is_some_and(|until| state.time < *until)
}

/// `POST /oauth2/access_token`, with a JSON body or a form.
pub(super) fn token(state: &mut State, exchange: &Exchange) -> Outcome {
    let given = parameters(&exchange.body);
    let get = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
    if get("client_id") != CLIENT_ID || get("client_secret") != CLIENT_SECRET {
        return Err(Answer::problem(400, "Client authentication failed"));
    }
    let redirect_uri = get("redirect_uri");
    if redirect_uri.is_empty() {
        return Err(Answer::problem(400, "The redirect URI is missing"));
    }
    if state.tokens.redirect_uri.as_deref().is_some_and(|own| own != redirect_uri) {
        return Err(Answer::problem(400, "The redirect URI is not the configured one"));
    }
    match get("grant_type") {
        "authorization_code" => {
            let until = state.tokens.codes.remove(get("code"));
            if until.is_none_or(|until| until <= state.time) {
                return Err(Answer::problem(400, "The authorization code is not valid"));
            }
            Ok(issue(state, redirect_uri))
        }
        "refresh_token" => refresh(state, get("refresh_token"), redirect_uri),
        _ => Err(Answer::problem(400, "The grant type is not supported")),
    }
}

/// `GET /oauth2/account/current/subdomain`: where the account of a refresh token lives now.
pub(super) fn subdomain(state: &State, exchange: &Exchange) -> Outcome {
    let token = exchange.refresh_token.as_deref().unwrap_or_default();
    let known = state.tokens.refresh.get(token).filter(|refresh| refresh.is_good(state.time));
    if known.is_none() {
        return Err(revoked());
    }
    let body = json!({
        "id": state.options.account_id,
        "subdomain": state.options.subdomain,
        "domain": host(&state.options.base_url),
    });
    Ok(Answer::json(200, &body))
}

impl Refresh {
    fn is_good(&self, now: Timestamp) -> bool {
        !self.is_used && now < self.until
    }
}

/// Good once, whether or not the answer arrives.
fn refresh(state: &mut State, token: &str, redirect_uri: &str) -> Outcome {
    let now = state.time;
    let known = state.tokens.refresh.get_mut(token).filter(|refresh| refresh.is_good(now));
    let Some(refresh) = known else { return Err(revoked()) };
    if refresh.redirect_uri != redirect_uri {
        return Err(Answer::problem(400, "The redirect URI is not the configured one"));
    }
    refresh.is_used = true;
    Ok(issue(state, redirect_uri))
}

fn issue(state: &mut State, redirect_uri: &str) -> Answer {
    state.tokens.issued += 1;
    let (number, now) = (state.tokens.issued, state.now());
    let until = state.time + ACCESS_LIFE;
    let access = jwt::make(&json!({
        "aud": CLIENT_ID,
        "jti": format!("{number:032x}"),
        "iat": now,
        "nbf": now,
        "exp": until.as_second(),
        "sub": state.integration.to_string(),
        "account_id": state.options.account_id,
        "api_domain": host(&state.options.base_url),
        "scopes": ["crm", "notifications"],
    }));
    let refresh = format!("def502{number:090x}");
    state.tokens.access.insert(access.clone(), until);
    let kept = Refresh {
        until: state.time + REFRESH_LIFE,
        redirect_uri: redirect_uri.to_owned(),
        is_used: false,
    };
    state.tokens.refresh.insert(refresh.clone(), kept);
    let body = json!({
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFE.as_secs(),
        "server_time": now,
        "access_token": access,
        "refresh_token": refresh,
    });
    Answer::json(200, &body)
}

fn revoked() -> Answer {
    let body = json!({
        "hint": "Token has been revoked",
        "title": "No autorizado",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "status": 401,
        "detail": "El token no es válido",
    });
    Answer::refusal(401, &body)
}

fn parameters(body: &str) -> BTreeMap<String, String> {
    match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(object)) => object
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect(),
        _ => form_urlencoded::parse(body.as_bytes()).into_owned().collect(),
    }
}

fn host(base_url: &str) -> &str {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
