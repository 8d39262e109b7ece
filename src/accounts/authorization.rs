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
use crate::connectors::{Asked, Parameters, is_redirect_uri};
use crate::ports::Entropy;
use crate::store::{Account, AccountId, AuthorizationRequest, WorkspaceId};

/// How long a person may take to come back.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// The ways of people to the apps and back.
pub struct Authorizations {
    accounts: Arc<Accounts>,
    entropy: Arc<dyn Entropy>,
    /// Where this server is reached from outside, without a slash at the end.
    public_url: Option<String>,
    /// Where people may be sent on to, from this server's page.
    return_urls: Vec<String>,
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
    /// The e-mail address of the user who is to give access, if it matters.
    pub email: Option<&'a str>,
    /// Where the account is, in the app's words; none for where most are.
    pub place: Option<&'a str>,
    /// Where the app sends the person back to; none for this server.
    pub redirect_uri: Option<&'a str>,
    /// Where this server sends the person on to, with what happened; none to leave them on its page.
    pub return_url: Option<&'a str>,
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

/// That a person's browser came back.
pub struct CameBack {
    /// What became of it.
    pub account: Result<Account>,
    /// Where the person is to be sent on to.
    pub return_url: Option<String>,
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
        Self { accounts, entropy, public_url, return_urls: Vec::new() }
    }

    /// Lets people be sent on to these addresses, and to what lies below them. Gives them back, to be
    /// chained.
    #[must_use]
    pub fn returning_to(mut self, return_urls: Vec<String>) -> Self {
        self.return_urls = return_urls;
        self
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
    /// to come back to, [`Error::BadReturn`].
    pub async fn begin(&self, by: By<'_>, begin: &Begin<'_>) -> Result<Begun> {
        let app = app(begin.app)?;
        let store = &self.accounts.store;
        if let Some(id) = begin.account
            && store.account(by.workspace, id).await?.app != begin.app
        {
            return Err(Error::OtherApp);
        }
        let clients = self.accounts.clients(by.workspace, begin.app).await?;
        let redirect_uri = match begin.redirect_uri {
            Some(uri) if is_redirect_uri(uri) => uri.to_owned(),
            Some(_) => return Err(Error::BadRedirect),
            None => self.redirect_uri(begin.app).ok_or(Error::NoRedirect)?,
        };
        if begin.return_url.is_some_and(|url| !self.may_return_to(url)) {
            return Err(Error::BadReturn);
        }
        let state = self.state()?;
        let (clients, place) = (&clients, begin.place);
        let asked = Asked { clients, redirect_uri: &redirect_uri, state: &state, place };
        let url = app.authorization_url(&self.accounts.world.overrides, &asked)?;
        let now = self.accounts.world.clock.now();
        let request = AuthorizationRequest {
            state_hash: hash(&state),
            workspace: by.workspace,
            actor: by.subject.to_owned(),
            app: begin.app.to_owned(),
            account: begin.account,
            label: begin.label.map(str::to_owned),
            email: begin.email.map(str::to_owned),
            place: place.map(str::to_owned),
            redirect_uri: redirect_uri.clone(),
            return_url: begin.return_url.map(str::to_owned),
            expires_at: now + LIFE,
        };
        store.add_authorization_request(&request, now).await?;
        Ok(Begun { url, redirect_uri, expires_at: request.expires_at })
    }

    /// Connects or reconnects the account that a person came back from, with the query of the address of
    /// a front-end to which the app sent them. Only who began it can.
    ///
    /// # Errors
    /// [`Error::UnknownState`] unless it was begun here, by the same, within ten minutes and for this
    /// app; [`Error::NoConsent`]; [`Error::App`] if the app does not take the code.
    pub async fn finish(&self, slug: &str, query: &str, by: By<'_>) -> Result<Account> {
        let is_own = |request: &AuthorizationRequest| {
            request.workspace == by.workspace && request.actor == by.subject
        };
        let (request, parameters) = self.find(slug, query, is_own).await?;
        self.take(request, parameters).await
    }

    /// The same, for a person whose browser came to this server, with the query of that address. Whoever
    /// was to come back to a front-end is not taken here.
    pub async fn come_back(&self, slug: &str, query: &str) -> CameBack {
        let own = self.redirect_uri(slug);
        let is_here =
            |request: &AuthorizationRequest| own.as_deref() == Some(&request.redirect_uri);
        match self.find(slug, query, is_here).await {
            Err(error) => CameBack { account: Err(error), return_url: None },
            Ok((request, parameters)) => {
                let return_url = request.return_url.clone();
                CameBack { account: self.take(request, parameters).await, return_url }
            }
        }
    }

    /// The request with whose state a person came back, if it is still good and passes.
    async fn find(
        &self,
        slug: &str,
        query: &str,
        passes: impl Fn(&AuthorizationRequest) -> bool,
    ) -> Result<(AuthorizationRequest, Parameters)> {
        app(slug)?;
        let parameters = Parameters::read(query).ok_or(Error::UnknownState)?;
        // Not every app repeats the state when it has nothing to give.
        let missing = if is_refusal(&parameters) { Error::NoConsent } else { Error::UnknownState };
        let state = parameters.get("state").ok_or(missing)?;
        let known = self.accounts.store.authorization_request(&hash(state)).await?;
        let now = self.accounts.world.clock.now();
        let is_good = |request: &AuthorizationRequest| {
            request.app == slug && now < request.expires_at && passes(request)
        };
        let request = known.filter(is_good).ok_or(Error::UnknownState)?;
        Ok((request, parameters))
    }

    /// Uses the request up. What the app gives for it, it gives once: that is written down though nobody
    /// wait for it any more.
    async fn take(&self, request: AuthorizationRequest, parameters: Parameters) -> Result<Account> {
        let accounts = self.accounts.clone();
        let work = async move {
            if !accounts.store.take_authorization_request(&request).await? {
                return Err(Error::UnknownState);
            }
            if is_refusal(&parameters) {
                return Err(Error::NoConsent);
            }
            accounts.redeem(&request, &parameters).await
        };
        self.accounts.tasks.to_its_end(work).await
    }

    fn may_return_to(&self, url: &str) -> bool {
        let is_below = |allowed: &String| {
            let rest = url.strip_prefix(allowed.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        // Browsers make `/a/../b` of it `/b`.
        let is_plain =
            !url.contains("/.") && !url.contains('\\') && !url.to_ascii_lowercase().contains("%2e");
        is_plain && is_redirect_uri(url) && self.return_urls.iter().any(is_below)
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

/// Whether the person, or the app, gave no consent.
fn is_refusal(parameters: &Parameters) -> bool {
    parameters.get("error").is_some()
}
