//! OAuth of Kommo (developers.kommo.com/docs/oauth-20): its consent page, codes, and refresh tokens
//! that are good once. Kommo knows no PKCE.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::auth;
use crate::connectors::{
    AppRegistration, Asked, Clients, Credentials, Error, ErrorKind, Granted, Key, Overrides,
    Redirected, Result, World,
};
use crate::net::{self, Answer, Line, Method, Request};

const CONSENT: &str = "https://www.kommo.com";
const CONSENT_RU: &str = "https://www.amocrm.ru";

/// An account where most are.
const USUAL: &str = "any.kommo.com";

const OPERATION: &str = "token";
const SERVICE_ADVICE: &str = "the account is of kommo.com and not of amocrm.ru, or the other way round: begin again, and \
     name the account's address as its place";
const CODE_ADVICE: &str = "Kommo does not take the code: it may be used or older than 20 minutes, or the \
     client's secret or redirect address is not what the integration has: begin again";
const CLIENT_ADVICE: &str = "Kommo does not take the OAuth client: check CONCORD_APP_KOMMO_CLIENT_SECRET, and that the \
     integration has the redirect address that the account was authorized with";
const REFUSED_ADVICE: &str = "Kommo takes the refresh token no more: authorize the account again";
const GONE_ADVICE: &str = "the account's address answers no more, and Kommo does not tell where the account is: authorize it \
     again at the address under which you use it";
const LOST_ADVICE: &str = "Kommo's answer to a renewal got lost, and a refresh token is good once: \
     authorize the account again";

#[derive(Deserialize)]
struct Subdomain {
    domain: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
}

/// The consent page. No scopes are named: the integration has them.
pub(super) fn authorization_url(overrides: &Overrides, asked: &Asked<'_>) -> Result<String> {
    let (service, usual) = match service_of(asked.place)? {
        auth::RU => (auth::RU, CONSENT_RU),
        other => (other, CONSENT),
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &asked.clients.at(service)?.client_id)
        .append_pair("state", asked.state)
        .append_pair("mode", "popup")
        .finish();
    Ok(format!("{}/oauth?{query}", overrides.address("kommo").unwrap_or(usual)))
}

/// The service that a person was sent to.
fn service_of(place: Option<&str>) -> Result<&'static str> {
    Ok(auth::service(&auth::host(place.unwrap_or(USUAL))?))
}

/// Exchanges a code at the account that `referer` names, which is of the service that the person was
/// sent to.
pub(super) async fn redeem(
    world: &World,
    line: &Line,
    redirected: &Redirected<'_>,
) -> Result<Granted> {
    let given = |name: &str| redirected.parameters.get(name);
    let bad = |code, advice| Error::new(ErrorKind::Config, "connect", code).advise(advice);
    let host = auth::whole_host(given("referer").unwrap_or_default())?;
    let service = service_of(redirected.place)?;
    if auth::service(&host) != service {
        return Err(bad("other_service", SERVICE_ADVICE));
    }
    let code = given("code").ok_or_else(|| bad("code_missing", CODE_ADVICE))?;
    let client = redirected.clients.at(service)?;
    let credentials = Credentials::default()
        .with("host", &host)
        .with("client_id", &client.client_id)
        .with("redirect_uri", redirected.redirect_uri);
    let now = world.clock.now();
    let answer = ask(world, line, client, &credentials, Grant::Code(code)).await?;
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    match answer.status {
        400 | 401 => Err(bad("code_refused", CODE_ADVICE)),
        _ => granted(&answer, credentials, now),
    }
}

/// A new pair of tokens, where the account is by now.
pub(super) async fn refresh(
    world: &World,
    line: &Line,
    kept: &Credentials,
    clients: &Clients,
) -> Result<Granted> {
    let Some(token) = kept.get("refresh_token") else { return Err(auth::worn_out()) };
    let service = auth::service(kept.get("host").unwrap_or_default());
    let client = clients.of(kept, service)?;
    let now = world.clock.now();
    let first = exchange(world, line, client, kept, token).await?;
    // Where the account was before it moved, or had another name, nobody knows its tokens.
    let may_have_moved = matches!(first.answer.status, 300..=399 | 401 | 404);
    if may_have_moved
        && !first.is_after_a_loss
        && let Some(host) = moved_to(world, line, kept, token).await?
    {
        let kept = kept.clone().with("host", &host);
        let second = exchange(world, line, client, &kept, token).await?;
        return renewed(&second, kept, now);
    }
    renewed(&first, kept.clone(), now)
}

/// What came of a refresh.
struct Exchanged {
    answer: Answer,
    /// Whether an answer got lost before: what was asked may have been done.
    is_after_a_loss: bool,
}

/// Exchanges a refresh token, which is dead from then on, whether or not the answer arrives: if it does
/// not, it is asked once more, which tells which of both it was.
async fn exchange(
    world: &World,
    line: &Line,
    client: &AppRegistration,
    kept: &Credentials,
    token: &str,
) -> Result<Exchanged> {
    let grant = Grant::Refresh(token);
    let first = ask(world, line, client, kept, grant).await?;
    let is_after_a_loss = matches!(first, Err(net::Error::Lost(_)));
    let answer = if is_after_a_loss { ask(world, line, client, kept, grant).await? } else { first };
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    Ok(Exchanged { answer, is_after_a_loss })
}

fn renewed(exchanged: &Exchanged, kept: Credentials, now: Timestamp) -> Result<Granted> {
    let Exchanged { answer, is_after_a_loss } = exchanged;
    let refused =
        |code, advice| Error::new(ErrorKind::Unauthorised, "refresh", code).advise(advice);
    match answer.status {
        401 if *is_after_a_loss => Err(refused("refresh_answer_lost", LOST_ADVICE)),
        401 => Err(refused("refresh_token_refused", REFUSED_ADVICE)),
        400 => {
            let error = Error::new(ErrorKind::Config, "refresh", "client_refused");
            Err(error.advise(CLIENT_ADVICE))
        }
        300..=399 | 404 => {
            let error = Error::new(ErrorKind::Config, "refresh", "account_not_there");
            Err(error.advise(GONE_ADVICE))
        }
        _ => granted(answer, kept, now),
    }
}

/// The account's host of today, if it is another than the one we know. Kommo tells who has the refresh
/// token, at the host that the last access token named.
async fn moved_to(
    world: &World,
    line: &Line,
    kept: &Credentials,
    token: &str,
) -> Result<Option<String>> {
    let api = kept.get("api_domain").map(|api| format!("https://{api}"));
    let known = world.overrides.address("kommo").map(str::to_owned);
    let Some(base) = known.or(api) else { return Ok(None) };
    let url = format!("{base}/oauth2/account/current/subdomain");
    let request = || Request::new(Method::Get, url.as_str()).header("X-Refresh-Token", token);
    let answer = line.send(request, |_| None).await;
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    let told: Option<Subdomain> = match answer.status {
        200 => serde_json::from_slice(&answer.body).ok(),
        _ => None,
    };
    let host = told.and_then(|told| auth::whole_host(&told.domain).ok());
    let is_same_service = |host: &String| {
        let before = kept.get("host").unwrap_or_default();
        auth::service(host) == auth::service(before) && host != before
    };
    Ok(host.filter(is_same_service))
}

/// What is exchanged.
#[derive(Clone, Copy)]
enum Grant<'a> {
    Code(&'a str),
    Refresh(&'a str),
}

/// Asks the account's token endpoint; what comes back, or that nothing did.
async fn ask(
    world: &World,
    line: &Line,
    client: &AppRegistration,
    credentials: &Credentials,
    grant: Grant<'_>,
) -> Result<std::result::Result<Answer, net::Error>> {
    let url = format!("{}/oauth2/access_token", auth::base(credentials, &world.overrides)?);
    let (kind, name, value) = match grant {
        Grant::Code(code) => ("authorization_code", "code", code),
        Grant::Refresh(token) => ("refresh_token", "refresh_token", token),
    };
    let body = json!({
        "client_id": client.client_id,
        "client_secret": client.client_secret.expose_secret(),
        "redirect_uri": credentials.get("redirect_uri").unwrap_or_default(),
        "grant_type": kind,
        name: value,
    });
    let body = body.to_string();
    let request =
        || Request::new(Method::Post, url.as_str()).body("application/json", body.clone());
    Ok(line.send(request, |_| None).await)
}

fn granted(answer: &Answer, credentials: Credentials, now: Timestamp) -> Result<Granted> {
    let failed = |kind| Error::new(kind, OPERATION, format!("http_{}", answer.status));
    match answer.status {
        200 => {}
        429 => {
            let pause = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
            let until =
                pause.and_then(|seconds| now.checked_add(Duration::from_secs(seconds)).ok());
            let limited = failed(ErrorKind::RateLimited);
            return Err(until.map_or_else(|| limited.clone(), |until| limited.clone().at(until)));
        }
        _ => return Err(failed(ErrorKind::Unavailable)),
    }
    let tokens: Tokens = serde_json::from_slice(&answer.body)
        .map_err(|_| Error::new(ErrorKind::Unavailable, OPERATION, "not_understood"))?;
    let expires_at = now.checked_add(Duration::from_secs(tokens.expires_in)).ok();
    let mut credentials = credentials.with("refresh_token", &tokens.refresh_token);
    let claims = auth::claims(&tokens.access_token);
    let api = claims.as_ref().and_then(|claims| claims.get("api_domain")?.as_str());
    if let Some(api) = api.filter(|api| auth::name_at_kommo(api).is_some()) {
        credentials = credentials.with("api_domain", api);
    }
    let key = Key { token: SecretString::from(tokens.access_token), expires_at };
    Ok(Granted { credentials, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::Registrations;

    fn url(place: Option<&str>) -> Result<String> {
        let clients = Registrations::default().with("kommo", "an id", "a secret").of("kommo");
        let redirect_uri = "https://sync.example.com/oauth/callback/kommo";
        let asked = Asked { clients: &clients, redirect_uri, state: "a&b", place };
        authorization_url(&Overrides::default(), &asked)
    }

    #[test]
    fn a_person_is_sent_to_the_service_that_has_the_account_and_to_no_other() {
        let usual = url(None).unwrap();
        assert_eq!(usual, "https://www.kommo.com/oauth?client_id=an+id&state=a%26b&mode=popup");
        assert_eq!(url(Some("acme.kommo.com")).unwrap(), usual);
        let ru = url(Some("acme.amocrm.ru")).unwrap();
        assert!(ru.starts_with("https://www.amocrm.ru/oauth?"), "{ru}");
        assert_eq!(url(Some("acme.evil.example")).unwrap_err().code, "host_not_kommo");
    }

    #[test]
    fn an_answer_that_is_none_is_no_pair() {
        let read = |status, body: &str| {
            let answer = Answer { status, headers: Default::default(), body: body.into() };
            granted(&answer, Credentials::default(), Timestamp::UNIX_EPOCH)
        };
        let good = r#"{"access_token":"a","refresh_token":"r","expires_in":86400}"#;
        let pair = read(200, good).unwrap();
        assert_eq!(pair.credentials.get("refresh_token"), Some("r"));
        assert_eq!(pair.key.expires_at.unwrap().as_second(), 86_400);
        for (status, body, kind) in [
            (200, "<html>", ErrorKind::Unavailable),
            (200, r#"{"access_token":"a","expires_in":1}"#, ErrorKind::Unavailable),
            (301, good, ErrorKind::Unavailable),
            (403, good, ErrorKind::Unavailable),
            (429, good, ErrorKind::RateLimited),
            (502, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(read(status, body).err().unwrap().kind, kind, "{status} {body}");
        }
    }
    #[test]
    fn a_limit_is_kept_as_long_as_it_is_said_to_last() {
        let headers = [("retry-after".to_owned(), "300".to_owned())].into();
        let answer = Answer { status: 429, headers, body: Vec::new() };
        let refused = granted(&answer, Credentials::default(), Timestamp::UNIX_EPOCH);
        let until = Timestamp::from_second(300).unwrap();
        assert_eq!(refused.err().unwrap().retry, crate::connectors::Retry::At(until));
    }

    #[test]
    fn a_host_for_later_is_kept_only_if_it_is_the_vendors() {
        use base64::Engine as _;
        let kept = |api: &str| {
            let claims = json!({ "api_domain": api }).to_string();
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            let body = json!({
                "access_token": format!("e30.{claims}.sig"), "refresh_token": "r", "expires_in": 1
            });
            let body = body.to_string().into_bytes();
            let answer = Answer { status: 200, headers: Default::default(), body };
            let granted = granted(&answer, Credentials::default(), Timestamp::UNIX_EPOCH).unwrap();
            granted.credentials.get("api_domain").map(str::to_owned)
        };
        assert_eq!(kept("api-b.kommo.com").as_deref(), Some("api-b.kommo.com"));
        for other in ["evil.example", "api-b.kommo.com.evil.example", "x@evil/.kommo.com"] {
            assert_eq!(kept(other), None, "{other}");
        }
    }
}
