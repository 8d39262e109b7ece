//! OAuth 2.0 (RFC 6749) as far as all apps have it: the client that an operator registered with an
//! app, and the way of a person to the app's consent page and back.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{Credentials, Error, ErrorKind, Result};

/// The client that an operator registered with an app (RFC 6749, section 2).
#[derive(Clone)]
pub struct AppRegistration {
    /// Its id, which everybody may know.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

/// The clients that an operator registered: one an app at most.
#[derive(Clone, Default)]
pub struct Registrations(BTreeMap<String, AppRegistration>);

const OTHER_ADVICE: &str = "this server has no longer the OAuth client that the account was authorized with: \
     set it again by CONCORD_APP_<APP>_CLIENT_ID and CONCORD_APP_<APP>_CLIENT_SECRET, or authorize \
     the account anew";

impl Registrations {
    /// Adds a client. Gives them back, to be chained.
    #[must_use]
    pub fn with(mut self, slug: &str, client_id: &str, client_secret: &str) -> Self {
        let (client_id, client_secret) = (client_id.to_owned(), SecretString::from(client_secret));
        self.0.insert(slug.to_owned(), AppRegistration { client_id, client_secret });
        self
    }

    /// The client at an app.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<&AppRegistration> {
        self.0.get(slug)
    }

    /// The client that credentials were got with.
    pub(super) fn of(&self, slug: &str, kept: &Credentials) -> Result<&AppRegistration> {
        let is_same = |known: &&AppRegistration| kept.get("client_id") == Some(&known.client_id);
        self.get(slug).filter(is_same).ok_or_else(|| {
            Error::new(ErrorKind::Config, "refresh", "other_client").advise(OTHER_ADVICE)
        })
    }
}

/// That a person is to be asked for consent.
pub struct Asked<'a> {
    /// Our client at the app.
    pub client: &'a AppRegistration,
    /// Where the app sends the person back to.
    pub redirect_uri: &'a str,
    /// What the app repeats then.
    pub state: &'a str,
    /// Where the person's account is, in the app's words; none for where most are.
    pub place: Option<&'a str>,
}

/// That a person came back with a code.
pub struct Redirected<'a> {
    /// Our client at the app.
    pub client: &'a AppRegistration,
    /// Where the person was sent back to.
    pub redirect_uri: &'a str,
    /// The parameters that the app added, by their names. Anybody may have written them.
    pub parameters: &'a Credentials,
}
