//! Zoho's token endpoint (zoho.com/accounts/protocol/oauth). Its errors come with HTTP 200.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use super::centres::{self, Centre};
use crate::connectors::{Error, ErrorKind, Key, Result, World};
use crate::net::{Answer, Line, Method, Request};

/// What is exchanged.
pub(super) enum Grant<'a> {
    Code {
        code: &'a str,
        /// The page that the person was sent back to; a self client has none.
        redirect_uri: Option<&'a str>,
    },
    Refresh(&'a str),
}

/// What it is exchanged for.
pub(super) struct Tokens {
    pub(super) key: Key,
    /// Only for a code.
    pub(super) refresh_token: Option<String>,
    /// What may be done with it, in Zoho's words.
    pub(super) scope: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    access_token: Option<String>,
    refresh_token: Option<String>,
    api_domain: Option<String>,
    scope: Option<String>,
    expires_in: Option<i64>,
    error: Option<String>,
}

const OPERATION: &str = "token";
const THROTTLED_ERROR: &str = "Access Denied";
/// Ten calls in ten minutes are allowed.
const THROTTLED: Duration = Duration::from_secs(600);

pub(super) async fn ask(
    world: &World,
    line: &Line,
    centre: &Centre,
    (client, secret): (&str, &str),
    grant: Grant<'_>,
) -> Result<Tokens> {
    let accounts = world.overrides.address("zoho_accounts").unwrap_or(centre.accounts);
    let url = format!("{accounts}/oauth/v2/token");
    let (kind, name, value) = match grant {
        Grant::Code { code, .. } => ("authorization_code", "code", code),
        Grant::Refresh(refresh) => ("refresh_token", "refresh_token", refresh),
    };
    let page = match grant {
        Grant::Code { redirect_uri, .. } => redirect_uri.map(|page| ("redirect_uri", page)),
        Grant::Refresh(_) => None,
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client)
        .append_pair("client_secret", secret)
        .append_pair("grant_type", kind)
        .append_pair(name, value)
        .extend_pairs(page)
        .finish();
    let request = || {
        let body = form.clone();
        Request::new(Method::Post, url.as_str()).body("application/x-www-form-urlencoded", body)
    };
    let now = world.clock.now();
    let answer = line.send(request, |_| None).await;
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    read(&answer, centre, world.overrides.address("zoho").is_some(), now)
}

/// Has a refresh token be worth nothing any more (zoho.com/accounts/protocol/oauth/web-apps/revoke-tokens).
/// One that is worth nothing already is as it should be.
pub(super) async fn revoke(
    world: &World,
    line: &Line,
    centre: &Centre,
    refresh: &str,
) -> Result<()> {
    const OPERATION: &str = "revoke";
    #[derive(Deserialize)]
    struct Revoked {
        status: Option<String>,
        error: Option<String>,
    }
    let accounts = world.overrides.address("zoho_accounts").unwrap_or(centre.accounts);
    let token =
        form_urlencoded::Serializer::new(String::new()).append_pair("token", refresh).finish();
    let url = format!("{accounts}/oauth/v2/token/revoke?{token}");
    let answer = line.send(|| Request::new(Method::Post, url.as_str()), |_| None).await;
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    let unavailable =
        || Error::new(ErrorKind::Unavailable, OPERATION, format!("http_{}", answer.status));
    let revoked: Revoked = serde_json::from_slice(&answer.body).map_err(|_| unavailable())?;
    match (revoked.status.as_deref(), revoked.error) {
        (Some("success"), _) => Ok(()),
        (_, Some(error)) if error == "invalid_code" => Ok(()),
        (_, Some(error)) => Err(Error::new(ErrorKind::Unavailable, OPERATION, error)),
        (_, None) => Err(unavailable()),
    }
}

fn read(answer: &Answer, centre: &Centre, is_elsewhere: bool, now: Timestamp) -> Result<Tokens> {
    let unavailable =
        || Error::new(ErrorKind::Unavailable, OPERATION, format!("http_{}", answer.status));
    let wire: Wire = serde_json::from_slice(&answer.body).map_err(|_| unavailable())?;
    match wire.error {
        Some(error) if error == THROTTLED_ERROR => return Err(refusal(&error, now)),
        // Whatever a server says that breaks down, it says nothing of the credentials.
        _ if answer.status >= 500 || answer.status == 429 => return Err(unavailable()),
        Some(error) => return Err(refusal(&error, now)),
        None => {}
    }
    let Some(token) = wire.access_token else { return Err(unavailable()) };
    let domain = wire.api_domain.unwrap_or_default();
    if !is_elsewhere && centres::at(&domain) != Some(centre) {
        return Err(Error::new(ErrorKind::Config, OPERATION, "other_data_centre")
            .advise("the organisation is in another data centre: connect it there"));
    }
    let life = Duration::from_secs(u64::try_from(wire.expires_in.unwrap_or(3600)).unwrap_or(0));
    let key = Key { token: SecretString::from(token), expires_at: now.checked_add(life).ok() };
    Ok(Tokens { key, refresh_token: wire.refresh_token, scope: wire.scope })
}

fn refusal(code: &str, now: Timestamp) -> Error {
    match code {
        THROTTLED_ERROR => Error::new(ErrorKind::RateLimited, OPERATION, "token_throttled")
            .at(now.checked_add(THROTTLED).unwrap_or(Timestamp::MAX))
            .advise("Zoho allows ten token requests in ten minutes: wait"),
        "invalid_code" => Error::new(ErrorKind::Config, OPERATION, code).advise(
            "the code or refresh token is used, revoked, too old or of another data centre: \
             generate a new code and connect again at once",
        ),
        "invalid_client" => Error::new(ErrorKind::Config, OPERATION, code)
            .advise("check the client id, and that the client belongs to this data centre"),
        "invalid_client_secret" => Error::new(ErrorKind::Config, OPERATION, code)
            .advise("check the client secret: each data centre has its own"),
        "invalid_redirect_uri" | "unauthorized_client" | "unsupported_grant_type" => {
            Error::new(ErrorKind::Config, OPERATION, code)
                .advise("check the client and its settings in Zoho's API console")
        }
        _ => Error::new(ErrorKind::Unavailable, OPERATION, code),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, headers: BTreeMap::new(), body: body.into() }
    }

    fn ask(body: &str) -> Result<Tokens> {
        let eu = centres::named("eu").unwrap();
        read(&answer(body), eu, false, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn errors_are_seen_although_the_status_is_200() {
        let error = ask(r#"{"error":"invalid_code"}"#).err().unwrap();
        assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Config, "invalid_code"));
        let throttled = ask(r#"{"error":"Access Denied","error_description":"x"}"#).err().unwrap();
        assert_eq!(throttled.kind, ErrorKind::RateLimited);
        assert_eq!(ask("<html>").err().unwrap().kind, ErrorKind::Unavailable);
        let other = ask(r#"{"error":"general_error"}"#).err().unwrap();
        assert_eq!(other.kind, ErrorKind::Unavailable, "nobody has to reconnect for this");
    }

    #[test]
    fn an_api_elsewhere_than_in_the_table_gets_no_token() {
        let body = |domain: &str| {
            format!(r#"{{"access_token":"a","api_domain":"{domain}","expires_in":3600}}"#)
        };
        assert!(ask(&body("https://www.zohoapis.eu")).is_ok());
        for other in ["https://www.zohoapis.com", "https://evil.example", ""] {
            assert_eq!(ask(&body(other)).err().unwrap().code, "other_data_centre");
        }
    }
}
