//! OAuth 2.0 (RFC 6749) as far as all apps have it: the clients that are registered with an app, and the
//! way of a person to the app's consent page and back.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{Credentials, Error, ErrorKind, Result};

/// A client that is registered with an app (RFC 6749, section 2).
#[derive(Clone)]
pub struct AppRegistration {
    /// Its id, which everybody may know.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Where in the app it is registered, in the app's words; none where it is the same everywhere.
    pub place: Option<String>,
}

/// The clients that are registered with one app, the nearer ones first.
#[derive(Clone, Default)]
pub struct Clients(Vec<AppRegistration>);

/// The clients that an operator registered, by app.
#[derive(Clone, Default)]
pub struct Registrations(BTreeMap<String, Clients>);

const OTHER_ADVICE: &str = "the OAuth client that the account was authorized with is not registered here any more: register it \
     again, by CONCORD_APP_<APP>_CLIENT_ID and CONCORD_APP_<APP>_CLIENT_SECRET or by appRegistrationSet, or \
     authorize the account anew";
const ELSEWHERE_ADVICE: &str =
    "no OAuth client is registered for where this account is: register one for that place";

impl Clients {
    /// Adds a client. Gives them back, to be chained.
    #[must_use]
    pub fn with(mut self, client: AppRegistration) -> Self {
        // What is for one place comes before what is for all.
        let at = if client.place.is_some() { 0 } else { self.0.len() };
        self.0.insert(at, client);
        self
    }

    /// These, and after them others.
    #[must_use]
    pub fn then(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &AppRegistration> {
        self.0.iter()
    }

    /// The client for accounts that are there.
    pub(super) fn at(&self, place: &str) -> Result<&AppRegistration> {
        self.0.iter().find(|client| client.is_for(place)).ok_or_else(|| {
            Error::new(ErrorKind::Config, "connect", "no_client_there").advise(ELSEWHERE_ADVICE)
        })
    }

    /// The same client as it is registered there, should that differ.
    pub(super) fn same<'a>(
        &'a self,
        client: &'a AppRegistration,
        place: &str,
    ) -> &'a AppRegistration {
        let is_same =
            |other: &&AppRegistration| other.client_id == client.client_id && other.is_for(place);
        self.0.iter().find(is_same).unwrap_or(client)
    }

    /// The client that the credentials of an account that is there were got with.
    pub(super) fn of(&self, kept: &Credentials, place: &str) -> Result<&AppRegistration> {
        let is_same = |client: &&AppRegistration| {
            client.is_for(place) && kept.get("client_id") == Some(&client.client_id)
        };
        self.0.iter().find(is_same).ok_or_else(|| {
            Error::new(ErrorKind::Config, "refresh", "other_client").advise(OTHER_ADVICE)
        })
    }
}

impl AppRegistration {
    fn is_for(&self, place: &str) -> bool {
        self.place.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(place))
    }
}

impl Registrations {
    /// Adds a client that is the same everywhere. Gives them back, to be chained.
    #[must_use]
    pub fn with(self, slug: &str, client_id: &str, client_secret: &str) -> Self {
        let (client_id, client_secret) = (client_id.to_owned(), SecretString::from(client_secret));
        self.add(slug, AppRegistration { client_id, client_secret, place: None })
    }

    /// Adds a client. Gives them back, to be chained.
    #[must_use]
    pub fn add(mut self, slug: &str, client: AppRegistration) -> Self {
        let clients = self.0.remove(slug).unwrap_or_default();
        self.0.insert(slug.to_owned(), clients.with(client));
        self
    }

    /// The clients at an app.
    #[must_use]
    pub fn of(&self, slug: &str) -> Clients {
        self.0.get(slug).cloned().unwrap_or_default()
    }
}

/// That a person is to be asked for consent.
pub struct Asked<'a> {
    /// Our clients at the app.
    pub clients: &'a Clients,
    /// Where the app sends the person back to.
    pub redirect_uri: &'a str,
    /// What the app repeats then.
    pub state: &'a str,
    /// Where the person's account is, in the app's words; none for where most are.
    pub place: Option<&'a str>,
}

/// That a person came back with a code.
pub struct Redirected<'a> {
    /// Our clients at the app.
    pub clients: &'a Clients,
    /// Where the person's account was said to be when they set out.
    pub place: Option<&'a str>,
    /// Where the person was sent back to.
    pub redirect_uri: &'a str,
    /// What the app added to that address.
    pub parameters: &'a Parameters,
}

/// The longest address that somebody is sent to, in bytes.
const ADDRESS_MAX: usize = 2000;

/// Whether somebody can be sent there (RFC 6749, section 3.1.2: absolute, and without a fragment).
#[must_use]
pub fn is_redirect_uri(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    url.len() <= ADDRESS_MAX
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// The parameters that came with an address, by their names. Anybody may have written them.
pub struct Parameters(BTreeMap<String, String>);

/// The longest query that is read, in bytes.
const QUERY_MAX: usize = 4096;

impl Parameters {
    /// Reads what follows the question mark of an address; none if it is too long, or a parameter comes
    /// twice (RFC 6749, section 3.1).
    #[must_use]
    pub fn read(query: &str) -> Option<Self> {
        let query = query.strip_prefix('?').unwrap_or(query);
        let mut known = BTreeMap::new();
        if query.len() > QUERY_MAX {
            return None;
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if known.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Self(known))
    }

    /// One of them; none if it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str, place: Option<&str>) -> AppRegistration {
        let client_secret = SecretString::from("a secret");
        AppRegistration { client_id: id.to_owned(), client_secret, place: place.map(str::to_owned) }
    }

    #[test]
    fn a_client_of_a_place_comes_before_one_for_all_and_ones_own_before_others() {
        let own = Clients::default().with(client("own", None)).with(client("own-eu", Some("eu")));
        let others = Clients::default().with(client("us", Some("us"))).with(client("all", None));
        let all = own.then(others.clone());
        let id = |clients: &Clients, place: &str| {
            clients.at(place).map(|client| client.client_id.clone()).map_err(|error| error.code)
        };
        assert_eq!(id(&all, "EU").unwrap(), "own-eu");
        assert_eq!(id(&all, "us").unwrap(), "own", "one's own comes first");
        assert_eq!(id(&others, "us").unwrap(), "us");
        assert_eq!(id(&others, "cn").unwrap(), "all");
        let far = Clients::default().with(client("far", Some("cn")));
        assert_eq!(id(&far, "us").unwrap_err(), "no_client_there");
        let begun = all.at("us").unwrap();
        assert_eq!(all.same(begun, "eu").client_id, "own", "not another client");
        let kept = |id: &str| Credentials::default().with("client_id", id);
        assert_eq!(all.of(&kept("us"), "us").unwrap().client_id, "us");
        assert!(all.of(&kept("us"), "eu").is_err(), "a client of another place");
        assert!(all.of(&kept("gone"), "us").is_err());
    }

    #[test]
    fn an_address_to_come_back_to_is_absolute_and_without_a_fragment() {
        for good in ["https://app.example.com/connected?a=b", "http://127.0.0.1:3000/"] {
            assert!(is_redirect_uri(good), "{good}");
        }
        let long = format!("https://a/{}", "x".repeat(ADDRESS_MAX));
        for bad in ["", "app.example.com", "https://", "https:///x", "javascript:alert(1)", &long] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
        for bad in ["https://a/#b", "https://a/ b", "https://a/\n", "https://ä/"] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
    }

    #[test]
    fn a_parameter_that_comes_twice_is_refused_and_so_is_a_query_without_end() {
        let read = Parameters::read("?code=a%2Fb&state=s&accounts-server=").unwrap();
        assert_eq!((read.get("code"), read.get("state")), (Some("a/b"), Some("s")));
        assert_eq!((read.get("accounts-server"), read.get("nothing")), (None, None));
        assert!(Parameters::read("state=s&code=a&state=t").is_none());
        assert!(Parameters::read(&format!("code={}", "a".repeat(QUERY_MAX))).is_none());
    }
}
