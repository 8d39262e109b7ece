//! The accounts server: codes, refresh tokens and access tokens.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::forms;
use super::state::State;

/// The client that the accounts server knows.
pub const CLIENT_ID: &str = "1000.EMULATEDCLIENT0000000000000000";

/// The secret of [`CLIENT_ID`].
pub const CLIENT_SECRET: &str = "emulatedsecret000000000000000000000000000";

const CODE_LIFE: Duration = Duration::from_secs(2 * 60);
const ACCESS_LIFE: Duration = Duration::from_secs(60 * 60);
const CALLS_MAX: usize = 10;
const CALLS_WINDOW: Duration = Duration::from_secs(10 * 60);
const ACCESS_MAX: usize = 10;
const REFRESH_MAX: usize = 20;

pub(super) struct Tokens {
    codes: Vec<Code>,
    refresh: VecDeque<Refresh>,
    /// In words, as they are granted.
    scopes: Vec<String>,
    last: u64,
}

struct Code {
    code: String,
    expires_at: Timestamp,
    /// Where the person was sent back to; a self client has no such page.
    redirect_uri: Option<String>,
    /// Whether a refresh token is given for it.
    is_offline: bool,
}

struct Refresh {
    token: String,
    calls: VecDeque<Timestamp>,
    access: VecDeque<(String, Timestamp)>,
}

impl Tokens {
    pub(super) fn new(scopes: &str) -> Self {
        let (codes, refresh, scopes) = (Vec::new(), VecDeque::new(), words(scopes));
        let mut tokens = Self { codes, refresh, scopes, last: 0 };
        tokens.consent();
        tokens
    }

    pub(super) fn give_only(&mut self, scopes: &str) {
        self.scopes = words(scopes);
    }

    /// The newest refresh token; none is left when it was revoked.
    pub(super) fn newest_refresh(&self) -> Option<&str> {
        self.refresh.back().map(|refresh| refresh.token.as_str())
    }

    pub(super) fn grant_code(&mut self, now: Timestamp) -> String {
        self.add_code(now, None, true)
    }

    fn add_code(
        &mut self,
        now: Timestamp,
        redirect_uri: Option<String>,
        is_offline: bool,
    ) -> String {
        let code = self.next();
        let expires_at = now + CODE_LIFE;
        self.codes.push(Code { code: code.clone(), expires_at, redirect_uri, is_offline });
        code
    }

    /// What a person says on the consent page at this address: where the browser is sent then. None
    /// if the page shows an error instead.
    pub(super) fn page(&mut self, now: Timestamp, url: &str, agrees: bool) -> Option<String> {
        let (page, query) = url.split_once('?')?;
        let asked: BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let is = |name: &str, value: &str| asked.get(name).is_some_and(|given| given == value);
        let is_whole = is("response_type", "code") && is("client_id", CLIENT_ID);
        let has_scope = asked.get("scope").is_some_and(|scope| !scope.is_empty());
        if !page.ends_with("/oauth/v2/auth") || !is_whole || !has_scope {
            return None;
        }
        let back = asked.get("redirect_uri")?;
        if !agrees {
            return Some(format!("{back}?error=access_denied"));
        }
        let is_offline = is("access_type", "offline") && is("prompt", "consent");
        let code = self.add_code(now, Some(back.clone()), is_offline);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("code", &code)
            .append_pair("location", "eu")
            .append_pair("accounts-server", "https://accounts.zoho.eu");
        if let Some(state) = asked.get("state") {
            query.append_pair("state", state);
        }
        Some(format!("{back}?{}", query.finish()))
    }

    pub(super) fn expire_access(&mut self) {
        for refresh in &mut self.refresh {
            refresh.access.clear();
        }
    }

    pub(super) fn revoke_all(&mut self) {
        self.refresh.clear();
    }

    pub(super) fn is_valid(&self, access: &str, now: Timestamp) -> bool {
        let mut all = self.refresh.iter().flat_map(|refresh| &refresh.access);
        all.any(|(token, expires_at)| token == access && *expires_at > now)
    }

    pub(super) fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted.eq_ignore_ascii_case(scope))
    }

    fn next(&mut self) -> String {
        self.last += 1;
        format!("1000.{}.{}", opaque(self.last), opaque(self.last ^ u64::MAX))
    }

    /// A new refresh token. A user has so many for a client: one more kills the oldest.
    fn consent(&mut self) -> String {
        let token = self.next();
        let refresh =
            Refresh { token: token.clone(), calls: VecDeque::new(), access: VecDeque::new() };
        self.refresh.push_back(refresh);
        while self.refresh.len() > REFRESH_MAX {
            self.refresh.pop_front();
        }
        token
    }

    /// A new access token, unless there were too many of late.
    fn renew(&mut self, refresh: &str, now: Timestamp) -> Result<String, Value> {
        let access = self.next();
        let Some(refresh) = self.refresh.iter_mut().find(|known| known.token == refresh) else {
            return Err(error("invalid_code"));
        };
        refresh.calls.retain(|at| *at + CALLS_WINDOW > now);
        if refresh.calls.len() >= CALLS_MAX {
            return Err(json!({
                "error_description": "You have made too many requests continuously. \
                    Please try again after some time.",
                "error": "Access Denied",
            }));
        }
        refresh.calls.push_back(now);
        refresh.access.retain(|(_, expires_at)| *expires_at > now);
        refresh.access.push_back((access.clone(), now + ACCESS_LIFE));
        while refresh.access.len() > ACCESS_MAX {
            refresh.access.pop_front();
        }
        Ok(access)
    }

    fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<(String, Option<String>), Value> {
        let place = self.codes.iter().position(|known| known.code == code);
        let code = place
            .map(|place| self.codes.swap_remove(place))
            .ok_or_else(|| error("invalid_code"))?;
        if code.expires_at <= now {
            return Err(error("invalid_code"));
        }
        if code.redirect_uri.is_some_and(|page| page != redirect_uri) {
            return Err(error("invalid_redirect_uri"));
        }
        let refresh = self.consent();
        let access = self.renew(&refresh, now)?;
        Ok((access, code.is_offline.then_some(refresh)))
    }

    fn revoke(&mut self, token: &str) -> bool {
        let before = self.refresh.len();
        self.refresh.retain(|refresh| refresh.token != token);
        self.refresh.len() < before
    }
}

fn words(scopes: &str) -> Vec<String> {
    let scopes = scopes.split([',', ' ']).filter(|scope| !scope.is_empty());
    scopes.map(str::to_owned).collect()
}

fn error(name: &str) -> Value {
    json!({"error": name})
}

/// A name that tells nothing, another one for each number.
pub(super) fn opaque(number: u64) -> String {
    let mix = |seed: u64| {
        let mut bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x2545_f491_4f6c_dd1d);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    };
    format!("{:016x}{:016x}", mix(number), mix(number.rotate_left(32) ^ 0x5a5a))
}

/// `/oauth/...`. Errors come with status 200 here.
pub(super) fn answer(state: &mut State, call: &Call) -> Answer {
    let body = match (&call.method, call.segments().as_slice()) {
        (&Method::POST, ["oauth", "v2", "token"]) => {
            token(state, call).unwrap_or_else(std::convert::identity)
        }
        (&Method::POST, ["oauth", "v2", "token", "revoke"]) => {
            let fields = forms::fields(call);
            let token = fields.get("token").map(String::as_str).unwrap_or_default();
            if state.tokens.revoke(token) {
                json!({"status": "success"})
            } else {
                error("invalid_code")
            }
        }
        (&Method::GET, ["oauth", "serverinfo"]) => servers(),
        _ => return Answer::json(404, error("invalid_url")),
    };
    Answer::json(200, body)
}

fn token(state: &mut State, call: &Call) -> Result<Value, Value> {
    let now = state.now();
    let fields = forms::fields(call);
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != CLIENT_ID {
        return Err(error("invalid_client"));
    }
    if field("client_secret") != CLIENT_SECRET {
        return Err(error("invalid_client_secret"));
    }
    let (access, refresh) = match field("grant_type") {
        "authorization_code" => {
            // A self client has no page to return to and names none.
            let page = field("redirect_uri");
            if !page.is_empty() && !page.starts_with("http://") && !page.starts_with("https://") {
                return Err(error("invalid_redirect_uri"));
            }
            state.tokens.exchange(field("code"), page, now)?
        }
        "refresh_token" => (state.tokens.renew(field("refresh_token"), now)?, None),
        _ => return Err(error("unsupported_grant_type")),
    };
    let mut body = json!({
        "access_token": access,
        "scope": state.tokens.scopes.join(" "),
        "api_domain": state.options.base_url,
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFE.as_secs(),
    });
    if let (Some(body), Some(refresh)) = (body.as_object_mut(), refresh) {
        body.insert("refresh_token".to_owned(), json!(refresh));
    }
    Ok(body)
}

/// Which accounts server is where.
fn servers() -> Value {
    json!({
        "result": "success",
        "locations": {
            "us": "https://accounts.zoho.com",
            "eu": "https://accounts.zoho.eu",
            "in": "https://accounts.zoho.in",
            "au": "https://accounts.zoho.com.au",
            "jp": "https://accounts.zoho.jp",
            "ca": "https://accounts.zohocloud.ca",
            "sa": "https://accounts.zoho.sa",
            "uk": "https://accounts.zoho.uk",
            "cn": "https://accounts.zoho.com.cn",
        },
    })
}
