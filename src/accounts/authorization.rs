//! Authorizing an account by OAuth (RFC 6749, section 4.1): a person is sent to the app's consent page
//! and comes back with a code, to this server or to a front-end.
//!
//! The state with which a person is sent out cannot be guessed, is kept as a hash only, belongs to who
//! began it, and is good once and for ten minutes.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;

use super::{Accounts, Error, Result, app};
use crate::connectors::{AppRegistration, Asked, Credentials, Redirected};
use crate::ports::Entropy;
use crate::store::{Account, AccountId, AuthorizationRequest, WorkspaceId};

/// How long a person may take to come back.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// The longest address to come back to, in bytes.
const REDIRECT_MAX: usize = 2000;

/// The ways of people to the apps and back.
pub struct Authorizations {
    accounts: Arc<Accounts>,
    entropy: Arc<dyn Entropy>,
    /// Where this server is reached from outside, without a slash at the end.
    public_url: Option<String>,
}

/// Who does it.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// Their workspace.
    pub workspace: WorkspaceId,
    /// Their name.
    pub subject: &'a str,
}

/// What is to be authorized.
#[derive(Clone, Copy, Default)]
pub struct Begin<'a> {
    /// The app's slug.
    pub app: &'a str,
    /// The account that is to be reconnected; none for whichever the person gives access to.
    pub account: Option<AccountId>,
    /// The name for people of an account that is new.
    pub label: Option<&'a str>,
    /// Where the account is, in the app's words; none for where most are.
    pub place: Option<&'a str>,
    /// Where the app sends the person back to; none for this server.
    pub redirect_uri: Option<&'a str>,
}

/// That a person can set out.
pub struct Begun {
    /// Where the person is to be sent.
    pub url: String,
    /// Where the app sends them back to.
    pub redirect_uri: String,
    /// Until when they may come back.
    pub expires_at: Timestamp,
}

/// Where an app sends people back to on a server that is reached at this address.
#[must_use]
pub fn callback(public_url: &str, slug: &str) -> String {
    format!("{public_url}/oauth/callback/{slug}")
}

impl Authorizations {
    /// The ways to the apps of these accounts.
    #[must_use]
    pub fn new(
        accounts: Arc<Accounts>,
        entropy: Arc<dyn Entropy>,
        public_url: Option<String>,
    ) -> Self {
        Self { accounts, entropy, public_url }
    }

    /// The client that the operator registered with an app.
    #[must_use]
    pub fn registration(&self, slug: &str) -> Option<&AppRegistration> {
        self.accounts.world.registrations.get(slug)
    }

    /// Where an app sends people back to on this server; none while nobody has said where it is
    /// reached.
    #[must_use]
    pub fn redirect_uri(&self, slug: &str) -> Option<String> {
        self.public_url.as_deref().map(|url| callback(url, slug))
    }

    /// Gives the address to which a person is to be sent.
    ///
    /// # Errors
    /// [`Error::NotRegistered`] without a client at the app, [`Error::NoRedirect`] without an address
    /// to come back to.
    pub async fn begin(&self, by: By<'_>, begin: &Begin<'_>) -> Result<Begun> {
        let app = app(begin.app)?;
        let store = &self.accounts.store;
        if let Some(id) = begin.account
            && store.account(by.workspace, id).await?.app != begin.app
        {
            return Err(Error::OtherApp);
        }
        let client = self.client(begin.app)?;
        let redirect_uri = match begin.redirect_uri {
            Some(uri) if is_redirect(uri) => uri.to_owned(),
            Some(_) => return Err(Error::BadRedirect),
            None => self.redirect_uri(begin.app).ok_or(Error::NoRedirect)?,
        };
        let state = self.state()?;
        let asked =
            Asked { client, redirect_uri: &redirect_uri, state: &state, place: begin.place };
        let url = app.authorization_url(&self.accounts.world.overrides, &asked)?;
        let now = self.accounts.world.clock.now();
        let request = AuthorizationRequest {
            state_hash: hash(&state),
            workspace: by.workspace,
            actor: by.subject.to_owned(),
            app: begin.app.to_owned(),
            account: begin.account,
            label: begin.label.map(str::to_owned),
            redirect_uri: redirect_uri.clone(),
            expires_at: now + LIFE,
        };
        store.add_authorization_request(&request, now).await?;
        Ok(Begun { url, redirect_uri, expires_at: request.expires_at })
    }

    /// Connects or reconnects the account that a person came back from, with the query of the address
    /// to which the app sent them. `by` is whoever brings it; none if the person's browser does.
    ///
    /// # Errors
    /// [`Error::UnknownState`] unless it was begun here, by the same, within ten minutes and for this
    /// app; [`Error::NoConsent`]; [`Error::App`] if the app does not take the code.
    pub async fn finish(&self, slug: &str, query: &str, by: Option<By<'_>>) -> Result<Account> {
        app(slug)?;
        let parameters = parameters(query)?;
        let is_refused = parameters.get("error").is_some();
        // Not every app repeats the state when it has nothing to give.
        let missing = if is_refused { Error::NoConsent } else { Error::UnknownState };
        let state = parameters.get("state").ok_or(missing)?;
        let store = &self.accounts.store;
        let known = store.authorization_request(&hash(state)).await?;
        let is_own = |request: &AuthorizationRequest| {
            by.is_none_or(|by| request.workspace == by.workspace && request.actor == by.subject)
        };
        let is_live = |request: &AuthorizationRequest| {
            request.app == slug && self.accounts.world.clock.now() < request.expires_at
        };
        let request = known.filter(|request| is_own(request) && is_live(request));
        let request = request.ok_or(Error::UnknownState)?;
        if !store.take_authorization_request(&request).await? {
            return Err(Error::UnknownState);
        }
        if is_refused {
            return Err(Error::NoConsent);
        }
        let redirected = Redirected {
            client: self.client(slug)?,
            redirect_uri: &request.redirect_uri,
            parameters: &parameters,
        };
        self.accounts.redeem(&request, &redirected).await
    }

    fn client(&self, slug: &str) -> Result<&AppRegistration> {
        self.registration(slug).ok_or_else(|| Error::NotRegistered(slug.to_uppercase()))
    }

    /// 256 bits that nobody can guess.
    fn state(&self) -> Result<Zeroizing<String>> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.entropy.fill(bytes.as_mut())?;
        Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }
}

fn hash(state: &str) -> [u8; 32] {
    *blake3::hash(state.as_bytes()).as_bytes()
}

/// Whether an app can send somebody there (RFC 6749, section 3.1.2: absolute, and without a fragment).
fn is_redirect(uri: &str) -> bool {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    uri.len() <= REDIRECT_MAX
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// The parameters of a query, none of which may come twice (RFC 6749, section 3.1).
fn parameters(query: &str) -> Result<Credentials> {
    let query = query.strip_prefix('?').unwrap_or(query);
    let mut known = Credentials::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if known.names().any(|other| other == name) {
            return Err(Error::UnknownState);
        }
        known = known.with(&name, &value);
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_an_absolute_address_without_a_fragment() {
        for good in ["https://app.example.com/connected?a=b", "http://127.0.0.1:3000/"] {
            assert!(is_redirect(good), "{good}");
        }
        let long = format!("https://a/{}", "x".repeat(REDIRECT_MAX));
        for bad in ["", "app.example.com", "https://", "https:///x", "javascript:alert(1)", &long] {
            assert!(!is_redirect(bad), "{bad}");
        }
        for bad in ["https://a/#b", "https://a/ b", "https://a/\n", "https://ä/"] {
            assert!(!is_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn a_parameter_that_comes_twice_is_refused() {
        let read = parameters("?code=a%2Fb&state=s&accounts-server=x").unwrap();
        assert_eq!((read.get("code"), read.get("state")), (Some("a/b"), Some("s")));
        assert!(matches!(parameters("state=s&code=a&state=t"), Err(Error::UnknownState)));
    }
}
