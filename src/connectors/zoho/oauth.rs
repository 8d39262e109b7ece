//! The consent page of Zoho and the way back from it (zoho.com/accounts/protocol/oauth/web-apps). Zoho
//! asks PKCE of clients without a secret only, which ours are not.

use secrecy::ExposeSecret as _;

use super::auth::{CENTRE_ADVICE, bad};
use super::centres::{self, Centre};
use super::scopes;
use super::token::{self, Grant};
use crate::connectors::{
    Asked, Credentials, Granted, Overrides, Parameters, Redirected, Result, World,
};
use crate::net::Line;

/// Where most begin: Zoho sends each person on to their own data centre.
const USUAL: &str = "us";

const BACK_ADVICE: &str = "the address does not come from Zoho's consent page: begin again";
const REFRESH_ADVICE: &str =
    "Zoho gave no lasting permission: begin again, and accept what the page asks for";

/// The consent page. It is shown also to who consented before: only then Zoho gives a refresh token.
pub(super) fn authorization_url(overrides: &Overrides, asked: &Asked<'_>) -> Result<String> {
    let place = asked.place.unwrap_or(USUAL);
    let centre = centres::named(place).ok_or_else(|| bad("unknown_data_centre", CENTRE_ADVICE))?;
    let accounts = overrides.address("zoho_accounts").unwrap_or(centre.accounts);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", &asked.clients.at(centre.name)?.client_id)
        .append_pair("redirect_uri", asked.redirect_uri)
        .append_pair("scope", &scopes::asked())
        .append_pair("access_type", "offline")
        .append_pair("prompt", "consent")
        .append_pair("state", asked.state)
        .finish();
    Ok(format!("{accounts}/oauth/v2/auth?{query}"))
}

/// Exchanges a code at the data centre that Zoho names.
pub(super) async fn redeem(
    world: &World,
    line: &Line,
    redirected: &Redirected<'_>,
) -> Result<Granted> {
    let centre = centre(redirected.parameters)?;
    let code = redirected.parameters.get("code");
    let code = code.ok_or_else(|| bad("code_missing", BACK_ADVICE))?;
    // The code is of the client with which the person set out, which may have another secret here.
    let begun = redirected.clients.at(redirected.place.unwrap_or(USUAL))?;
    let client = redirected.clients.same(begun, centre.name);
    let id = client.client_id.as_str();
    let grant = Grant::Code { code, redirect_uri: Some(redirected.redirect_uri) };
    let known = (id, client.client_secret.expose_secret());
    let answer = token::ask(world, line, centre, known, grant).await?;
    scopes::check(answer.scope.as_deref())?;
    let refresh = answer.refresh_token.ok_or_else(|| bad("no_refresh_token", REFRESH_ADVICE))?;
    let credentials = Credentials::default()
        .with("data_centre", centre.name)
        .with("client_id", id)
        .with("refresh_token", &refresh);
    Ok(Granted { credentials, key: answer.key })
}

/// The data centre that `location` and `accounts-server` name: both the same, or only one of them.
fn centre(parameters: &Parameters) -> Result<&'static Centre> {
    let by_name = parameters.get("location").map(centres::named);
    let by_server = parameters.get("accounts-server").map(centres::with_accounts);
    let named = match (by_name, by_server) {
        (Some(named), None) | (None, Some(named)) => named,
        (Some(one), Some(other)) if one == other => one,
        _ => None,
    };
    named.ok_or_else(|| bad("accounts_server_not_zoho", BACK_ADVICE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(parameters: &[(&str, &str)]) -> Option<&'static str> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let given = Parameters::read(&query.extend_pairs(parameters).finish()).unwrap();
        centre(&given).ok().map(|centre| centre.name)
    }

    #[test]
    fn a_code_is_redeemed_only_at_a_data_centre_of_the_table() {
        let eu = ("accounts-server", "https://accounts.zoho.eu");
        assert_eq!(found(&[("location", "eu"), eu]), Some("eu"));
        assert_eq!(found(&[eu]), Some("eu"));
        assert_eq!(found(&[("location", "au")]), Some("au"));
        for hostile in [
            vec![],
            vec![("location", "us"), eu],
            vec![("location", "eu"), ("accounts-server", "https://accounts.evil.example")],
            vec![("accounts-server", "https://accounts.zoho.eu.evil.example")],
            vec![("accounts-server", "http://accounts.zoho.eu")],
            vec![("location", "mars")],
        ] {
            assert_eq!(found(&hostile), None, "{hostile:?}");
        }
    }
}
