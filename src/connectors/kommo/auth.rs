//! Connecting an account: its address and a long-lived token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;

use super::api::Api;
use super::wire;
use crate::connectors::{Credentials, Error, ErrorKind, Granted, Identity, Key, Overrides, Result};

/// The hosts of Kommo's accounts: those of amoCRM are the same service.
const HOSTS: [&str; 3] = [".kommo.com", ".amocrm.com", ".amocrm.ru"];
/// Names that are the vendor's own: no account has them.
const OWN: [&str; 14] = [
    "www",
    "api",
    "api-a",
    "api-b",
    "api-c",
    "amojo",
    "developers",
    "drive",
    "forms",
    "gso",
    "id",
    "partners",
    "support",
    "widgets",
];
/// A service of its own: its clients are others.
pub(super) const RU: &str = "amocrm.ru";

const HOST_ADVICE: &str =
    "give the account's address as it stands in the browser, such as acme.kommo.com";
const BACK_ADVICE: &str = "the address does not come from Kommo's consent page: begin again";
const TOKEN_ADVICE: &str = "make a long-lived token in Kommo under Settings, Integrations, your private integration, Keys and scopes";

fn bad(code: &'static str, advice: &'static str) -> Error {
    Error::new(ErrorKind::Config, "connect", code).advise(advice)
}

pub(super) fn authorise(typed: &Credentials) -> Result<Granted> {
    let host = host(typed.get("host").ok_or_else(|| bad("host_missing", HOST_ADVICE))?)?;
    let token = typed.get("token").ok_or_else(|| bad("token_missing", TOKEN_ADVICE))?;
    let expires_at = expiry(token).ok_or_else(|| bad("token_malformed", TOKEN_ADVICE))?;
    let credentials = Credentials::default().with("host", &host);
    let key = Key { token: SecretString::from(token), expires_at: Some(expires_at) };
    Ok(Granted { credentials, key })
}

/// A long-lived token cannot be renewed.
pub(super) fn worn_out() -> Error {
    Error::new(ErrorKind::Unauthorised, "refresh", "token_refused").advise(TOKEN_ADVICE)
}

/// The account's own host, from whatever form of it was typed: only names of Kommo's.
pub(super) fn host(typed: &str) -> Result<String> {
    let typed = typed.to_ascii_lowercase();
    let bare = typed.strip_prefix("https://").unwrap_or(&typed);
    let bare = bare.split('/').next().unwrap_or_default();
    let whole = if bare.contains('.') { bare.to_owned() } else { format!("{bare}.kommo.com") };
    let is_account = name_at_kommo(&whole).is_some_and(|name| !OWN.contains(&name));
    is_account.then_some(whole).ok_or_else(|| bad("host_not_kommo", HOST_ADVICE))
}

/// The host that the app itself is said to have named: nothing is added to it.
pub(super) fn whole_host(named: &str) -> Result<String> {
    host(named).ok().filter(|host| host == named).ok_or_else(|| bad("host_not_kommo", BACK_ADVICE))
}

/// The first part of a host of Kommo's, an account's or its own; none if it is no such host.
pub(super) fn name_at_kommo(host: &str) -> Option<&str> {
    let name = HOSTS.iter().find_map(|end| host.strip_suffix(end))?;
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_name =
        name.len() <= 63 && name.starts_with(letter) && name.chars().all(|c| letter(c) || c == '-');
    is_name.then_some(name)
}

/// The service that has the account of this host.
pub(super) fn service(host: &str) -> &'static str {
    if host.ends_with(".amocrm.ru") { RU } else { "kommo.com" }
}

/// Where the account's API is.
pub(super) fn base(kept: &Credentials, overrides: &Overrides) -> Result<String> {
    let host = host(kept.get("host").ok_or_else(|| bad("host_missing", HOST_ADVICE))?)?;
    Ok(overrides.address("kommo").map_or_else(|| format!("https://{host}"), str::to_owned))
}

/// When a token runs out.
fn expiry(token: &str) -> Option<Timestamp> {
    // Some issuers write a fraction.
    let seconds = claims(token)?.get("exp")?.as_f64()?;
    Timestamp::from_second(seconds as i64).ok()
}

/// What a token says of itself: it is a JSON Web Token (RFC 7519), which nobody here can verify.
pub(super) fn claims(token: &str) -> Option<serde_json::Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&claims).ok()
}

/// The account, with its time zone.
pub(super) async fn account(api: &Api, operation: &'static str) -> Result<wire::Account> {
    let account = api.get(operation, "/api/v4/account?with=datetime_settings").await?;
    account.ok_or_else(|| Error::new(ErrorKind::Protocol, operation, "no_account"))
}

pub(super) async fn check(api: &Api) -> Result<Identity> {
    const OPERATION: &str = "check";
    let account = account(api, OPERATION).await?;
    // Only administrators may read users: without, the address stays unknown.
    let path = format!("/api/v4/users/{}", account.current_user_id.unwrap_or_default());
    let user: Option<wire::User> = match api.get(OPERATION, &path).await {
        Ok(user) => user,
        Err(error) if error.kind == ErrorKind::Forbidden => None,
        Err(error) => return Err(error),
    };
    Ok(Identity {
        time_zone: account.time_zone().map(str::to_owned),
        remote_id: account.id.to_string(),
        label: account.name.unwrap_or_default(),
        host: account.subdomain.unwrap_or_default(),
        email: user.and_then(|user| user.email),
        country: account.country.filter(|country| country.len() == 2),
        allowance: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("signature"))
    }

    #[test]
    fn an_account_is_found_by_any_form_of_its_address() {
        for typed in ["acme", "acme.kommo.com", "https://Acme.kommo.com/leads/", "ACME"] {
            assert_eq!(host(typed).unwrap(), "acme.kommo.com", "{typed}");
        }
        assert_eq!(host("acme.amocrm.ru").unwrap(), "acme.amocrm.ru");
    }

    #[test]
    fn other_hosts_are_refused() {
        for typed in [
            "kommo.com.evil.example",
            "evil.example/.kommo.com",
            "127.0.0.1",
            "www.kommo.com",
            "developers.kommo.com",
            "amojo.amocrm.ru",
            "a.b.kommo.com",
            "acme@evil.kommo.com",
            "http://acme.kommo.com",
            "acme.kommo.com:8080",
            "-x.kommo.com",
            ".kommo.com",
            "",
        ] {
            assert!(host(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn of_a_host_that_comes_with_a_redirect_nothing_is_made_better() {
        assert_eq!(whole_host("acme.kommo.com").unwrap(), "acme.kommo.com");
        for named in ["acme", "https://acme.kommo.com", "acme.kommo.com/x", "evil.example", ""] {
            assert!(whole_host(named).is_err(), "{named}");
        }
    }

    #[test]
    fn a_token_tells_when_it_runs_out_and_what_is_none_is_refused() {
        let typed = |token: &str| Credentials::default().with("host", "acme").with("token", token);
        let granted = authorise(&typed(&token(r#"{"exp":1786000000}"#))).unwrap();
        assert_eq!(granted.key.expires_at.unwrap().as_second(), 1_786_000_000);
        for bad in ["", "abc", "a.b.c", &token("{}")] {
            let error = authorise(&typed(bad)).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Config);
            assert!(error.advice.is_some());
        }
    }
}
