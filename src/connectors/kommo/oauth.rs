//! OAuth of Kommo (developers.kommo.com/docs/oauth-20): its consent page, codes, and refresh tokens
//! that are good once. Kommo knows no PKCE.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth;
use crate::connectors::{
    AppRegistration, Asked, Credentials, Error, ErrorKind, Granted, Key, Overrides, Redirected,
    Result, World,
};
use crate::net::{self, Answer, Line, Method, Request};

const CONSENT: &str = "https://www.kommo.com";
/// amocrm.ru is a service of its own.
const CONSENT_RU: &str = "https://www.amocrm.ru";

const OPERATION: &str = "token";
const CODE_ADVICE: &str = "Kommo does not take the code: it may be used or older than 20 minutes, or the \
     client's secret or redirect address is not what the integration has: begin again";
const CLIENT_ADVICE: &str = "Kommo does not take the OAuth client: check CONCORD_APP_KOMMO_CLIENT_SECRET, and that the \
     integration has the redirect address that the account was authorized with";
const REFUSED_ADVICE: &str = "Kommo takes the refresh token no more: authorize the account again";
const LOST_ADVICE: &str = "Kommo's answer to a renewal got lost, and a refresh token is good once: \
     authorize the account again";

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
}

/// The consent page. No scopes are named: the integration has them.
pub(super) fn authorization_url(overrides: &Overrides, asked: &Asked<'_>) -> Result<String> {
    let is_ru = match asked.place {
        Some(place) => auth::host(place)?.ends_with(".amocrm.ru"),
        None => false,
    };
    let usual = if is_ru { CONSENT_RU } else { CONSENT };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &asked.client.client_id)
        .append_pair("state", asked.state)
        .append_pair("mode", "popup")
        .finish();
    Ok(format!("{}/oauth?{query}", overrides.address("kommo").unwrap_or(usual)))
}

/// Exchanges a code at the account that `referer` names.
pub(super) async fn redeem(
    world: &World,
    line: &Line,
    redirected: &Redirected<'_>,
) -> Result<Granted> {
    let given = |name: &str| redirected.parameters.get(name);
    let missing = |code| Error::new(ErrorKind::Config, "connect", code).advise(CODE_ADVICE);
    let host = auth::whole_host(given("referer").unwrap_or_default())?;
    let code = given("code").ok_or_else(|| missing("code_missing"))?;
    let credentials = Credentials::default()
        .with("host", &host)
        .with("client_id", &redirected.client.client_id)
        .with("redirect_uri", redirected.redirect_uri);
    let grant = json!({ "grant_type": "authorization_code", "code": code });
    let now = world.clock.now();
    let answer = ask(world, line, redirected.client, &credentials, grant).await?;
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    match answer.status {
        400 | 401 => Err(missing("code_refused")),
        _ => granted(&answer, credentials, now),
    }
}

/// A new pair of tokens. The old refresh token is dead from then on, whether or not the answer
/// arrives: if it does not, it is asked once more, which tells which of both it was.
pub(super) async fn refresh(world: &World, line: &Line, kept: &Credentials) -> Result<Granted> {
    let Some(token) = kept.get("refresh_token") else { return Err(auth::worn_out()) };
    let client = world.registrations.of("kommo", kept)?;
    let grant = || json!({ "grant_type": "refresh_token", "refresh_token": token });
    let now = world.clock.now();
    let first = ask(world, line, client, kept, grant()).await?;
    let is_lost = matches!(first, Err(net::Error::Lost(_)));
    let answer = if is_lost { ask(world, line, client, kept, grant()).await? } else { first };
    let answer = answer.map_err(|error| Error::from_net(&error, OPERATION, &*world.clock))?;
    let refused =
        |code, advice| Error::new(ErrorKind::Unauthorised, "refresh", code).advise(advice);
    match answer.status {
        401 if is_lost => Err(refused("refresh_answer_lost", LOST_ADVICE)),
        401 => Err(refused("refresh_token_refused", REFUSED_ADVICE)),
        400 => {
            let error = Error::new(ErrorKind::Config, "refresh", "client_refused");
            Err(error.advise(CLIENT_ADVICE))
        }
        _ => granted(&answer, kept.clone(), now),
    }
}

/// Asks the account's token endpoint; what comes back, or that nothing did.
async fn ask(
    world: &World,
    line: &Line,
    client: &AppRegistration,
    credentials: &Credentials,
    mut grant: Value,
) -> Result<std::result::Result<Answer, net::Error>> {
    let url = format!("{}/oauth2/access_token", auth::base(credentials, &world.overrides)?);
    let common = [
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.client_secret.expose_secret()),
        ("redirect_uri", credentials.get("redirect_uri").unwrap_or_default()),
    ];
    if let Some(grant) = grant.as_object_mut() {
        grant.extend(common.map(|(name, value)| (name.to_owned(), json!(value))));
    }
    let body = grant.to_string();
    let request =
        || Request::new(Method::Post, url.as_str()).body("application/json", body.clone());
    Ok(line.send(request, |_| None).await)
}

fn granted(answer: &Answer, credentials: Credentials, now: Timestamp) -> Result<Granted> {
    let failed = |kind| Error::new(kind, OPERATION, format!("http_{}", answer.status));
    match answer.status {
        200 => {}
        429 => return Err(failed(ErrorKind::RateLimited)),
        _ => return Err(failed(ErrorKind::Unavailable)),
    }
    let tokens: Tokens = serde_json::from_slice(&answer.body)
        .map_err(|_| Error::new(ErrorKind::Unavailable, OPERATION, "not_understood"))?;
    let expires_at = now.checked_add(Duration::from_secs(tokens.expires_in)).ok();
    let key = Key { token: SecretString::from(tokens.access_token), expires_at };
    Ok(Granted { credentials: credentials.with("refresh_token", &tokens.refresh_token), key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::Registrations;

    fn url(place: Option<&str>) -> Result<String> {
        let registrations = Registrations::default().with("kommo", "an id", "a secret");
        let client = registrations.get("kommo").unwrap();
        let redirect_uri = "https://sync.example.com/oauth/callback/kommo";
        let asked = Asked { client, redirect_uri, state: "a&b", place };
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
            (403, good, ErrorKind::Unavailable),
            (429, good, ErrorKind::RateLimited),
            (502, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(read(status, body).err().unwrap().kind, kind, "{status} {body}");
        }
    }
}
