//! Connecting an organisation: a self client's code or refresh token, exchanged at its own data centre.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;

use super::api::Api;
use super::centres::{self, Centre};
use super::token::{self, Grant};
use super::wire;
use super::{credits, scopes};
use crate::connectors::{
    Clients, Credentials, Error, ErrorKind, Granted, Identity, Overrides, Result, World,
};
use crate::net::Line;

pub(super) const CENTRE_ADVICE: &str = "the data centre is one of us, eu, in, au, jp, ca, sa, uk, cn: the ending of the address under \
     which you use Zoho tells which";
const MISSING_ADVICE: &str = "make a self client in the API console of your data centre, and give its id, its secret and \
     either a code or a refresh token";

pub(super) fn bad(code: &'static str, advice: &'static str) -> Error {
    Error::new(ErrorKind::Config, "connect", code).advise(advice)
}

fn centre(credentials: &Credentials) -> Result<&'static Centre> {
    let name = credentials.get("data_centre").unwrap_or_default();
    centres::named(name).ok_or_else(|| bad("unknown_data_centre", CENTRE_ADVICE))
}

/// Exchanges what was typed in. Only the refresh token is kept, never the code.
pub(super) async fn authorise(world: &World, line: &Line, typed: &Credentials) -> Result<Granted> {
    let centre = centre(typed)?;
    let needed =
        |name: &'static str, code| typed.get(name).ok_or_else(|| bad(code, MISSING_ADVICE));
    let client = needed("client_id", "client_id_missing")?;
    let secret = needed("client_secret", "client_secret_missing")?;
    let grant = match (typed.get("refresh_token"), typed.get("code")) {
        (Some(refresh), _) => Grant::Refresh(refresh),
        (None, Some(code)) => Grant::Code { code, redirect_uri: None },
        (None, None) => return Err(bad("code_missing", MISSING_ADVICE)),
    };
    let answer = token::ask(world, line, centre, (client, secret), grant).await?;
    scopes::check(answer.scope.as_deref())?;
    let kept = match (typed.get("refresh_token"), &answer.refresh_token) {
        (Some(refresh), _) => refresh.to_owned(),
        (None, Some(refresh)) => refresh.clone(),
        (None, None) => {
            return Err(bad("no_refresh_token", MISSING_ADVICE));
        }
    };
    let credentials = Credentials::default()
        .with("data_centre", centre.name)
        .with("client_id", client)
        .with("client_secret", secret)
        .with("refresh_token", &kept);
    Ok(Granted { credentials, key: answer.key })
}

/// A new access token. The refresh token stays the same.
pub(super) async fn refresh(
    world: &World,
    line: &Line,
    kept: &Credentials,
    clients: &Clients,
) -> Result<Granted> {
    let centre = centre(kept)?;
    let part = |name: &str| kept.get(name).unwrap_or_default();
    // What a person typed in is kept whole; of a client that the operator registered, only the id.
    let secret = match kept.get("client_secret") {
        Some(secret) => secret,
        None => clients.of(kept, centre.name)?.client_secret.expose_secret(),
    };
    let is_registered = kept.get("client_secret").is_none();
    let grant = Grant::Refresh(part("refresh_token"));
    let answer = token::ask(world, line, centre, (part("client_id"), secret), grant).await;
    let answer = answer.map_err(|error| match error.kind {
        // The client is the operator's to mend: the consent stays good.
        ErrorKind::Config if is_registered && error.code != "invalid_code" => error,
        // What was right once is right no more: a person has to act.
        ErrorKind::Config => Error { kind: ErrorKind::Unauthorised, operation: "refresh", ..error },
        _ => error,
    })?;
    Ok(Granted { credentials: kept.clone(), key: answer.key })
}

/// Gives the refresh token back that a person's consent gave us, and with it the access tokens that it
/// gave. That of a self client was typed in, or its code was: it stays.
pub(super) async fn revoke(world: &World, line: &Line, kept: &Credentials) -> Result<()> {
    match kept.get("refresh_token") {
        Some(refresh) if kept.get("client_secret").is_none() => {
            token::revoke(world, line, centre(kept)?, refresh).await
        }
        _ => Ok(()),
    }
}

/// Where the organisation's API is.
pub(super) fn base(kept: &Credentials, overrides: &Overrides) -> Result<String> {
    let centre = centre(kept)?;
    Ok(overrides.address("zoho").unwrap_or(centre.api).to_owned())
}

pub(super) async fn check(api: &Api) -> Result<Identity> {
    const OPERATION: &str = "check";
    let missing = || Error::new(ErrorKind::Protocol, OPERATION, "not_understood");
    let orgs: Option<wire::Orgs> = api.get(OPERATION, "/crm/v8/org", &[]).await?;
    let org = orgs.and_then(|orgs| orgs.org.into_iter().next()).ok_or_else(missing)?;
    let users: Option<wire::Users> =
        api.get(OPERATION, "/crm/v8/users?type=CurrentUser", &[]).await?;
    let user = users.and_then(|users| users.users.into_iter().next());
    Ok(Identity {
        remote_id: org.zgid,
        label: org.company_name.unwrap_or_default(),
        host: org.domain_name.unwrap_or_default(),
        email: user.and_then(|user| user.email),
        country: org.country_code.filter(|code| code.len() == 2),
        time_zone: org.time_zone,
        allowance: credits::allowance(&org.license_details),
    })
}

/// The active users: e-mail address in lower case to id.
pub(super) async fn users(api: &Api) -> Result<BTreeMap<String, String>> {
    let users = active_users(api).await?.into_iter();
    let with_address = users.filter_map(|user| Some((user.email?, user.id)));
    Ok(with_address.map(|(email, id)| (email.trim().to_lowercase(), id)).collect())
}

/// The active users as Zoho tells them, page by page.
pub(super) async fn active_users(api: &Api) -> Result<Vec<wire::User>> {
    let mut known = Vec::new();
    for page in 1.. {
        let path = format!("/crm/v8/users?type=ActiveUsers&per_page=200&page={page}");
        let Some(users) = api.get::<wire::Users>("users", &path, &[]).await? else { break };
        known.extend(users.users);
        if !users.info.more_records {
            break;
        }
    }
    Ok(known)
}
