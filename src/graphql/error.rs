//! Errors as the API tells them: what a person can mend is an answer, all else is masked.

use async_graphql::{Enum, ErrorExtensions as _, SimpleObject};

use super::types::Acknowledgement;
use crate::connectors::{self, ErrorKind};
use crate::planner::Review;
use crate::{accounts, connections, store, webhooks};

/// What kind of thing a person has to mend. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// What was given cannot be right.
    Invalid,
    /// There is no such thing in this workspace.
    NotFound,
    /// Somebody else was first: read it again.
    Stale,
    /// The account is not connected.
    NotConnected,
    /// This account, or a connection between these accounts, is there already.
    AlreadyThere,
    /// Something else uses it.
    InUse,
    /// The app does not accept the credentials.
    CredentialsRefused,
    /// The app can't be reached, or asks to wait.
    AppUnavailable,
    /// The review found what must be mended first.
    ReviewUnfinished,
    /// The review is of another configuration.
    ReviewStale,
    /// The token may only read.
    Forbidden,
}

/// Something that a person has to mend.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What kind.
    pub code: UserErrorCode,
    /// What is wrong and what to do.
    pub message: String,
    /// Where in the input.
    pub path: Vec<String>,
    /// The stable name of exactly this, such as the app's own code.
    pub detail: Option<String>,
}

impl UserError {
    pub(super) fn new(code: UserErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: Vec::new(), detail: None }
    }

    pub(super) fn at(mut self, path: &str) -> Self {
        self.path = path.split('.').map(str::to_owned).collect();
        self
    }

    /// Says of what in the input its place is told.
    pub(super) fn under(mut self, path: &str) -> Self {
        self.path.splice(0..0, path.split('.').map(str::to_owned));
        self
    }

    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("there is no such {what} here: look its id up again");
        Self::new(UserErrorCode::NotFound, message)
    }
}

/// What becomes of a mutation.
pub(super) type Outcome<T> = Result<T, Failure>;

/// Why a mutation did nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// A person can mend it.
    Refused(UserError),
    /// A surprise, masked.
    Broken(async_graphql::Error),
}

impl Failure {
    /// Says where in the input it is.
    pub(super) fn at(self, path: &str) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.at(path)),
            Self::Broken(error) => Self::Broken(error),
        }
    }

    /// If there is no such thing, says in which argument it was named; unless that was said already.
    pub(super) fn named_at(self, path: &str) -> Self {
        match self {
            Self::Refused(error)
                if error.code == UserErrorCode::NotFound && error.path.is_empty() =>
            {
                Self::Refused(error.at(path))
            }
            other => other,
        }
    }
}

impl From<UserError> for Failure {
    fn from(error: UserError) -> Self {
        Self::Refused(error)
    }
}

impl From<async_graphql::Error> for Failure {
    fn from(error: async_graphql::Error) -> Self {
        Self::Broken(error)
    }
}

/// A surprise. Nothing of its inside is told.
pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> async_graphql::Error {
    let incident = blake3::hash(format!("{error:?}").as_bytes()).to_hex();
    let incident: String = incident.chars().take(12).collect();
    // Errors of the rooms below hold neither secrets nor people's data.
    eprintln!("incident {incident}: {error}");
    async_graphql::Error::new(format!("something went wrong here (incident {incident})"))
        .extend_with(|_, extensions| {
            extensions.set("code", "INTERNAL");
            extensions.set("incident", incident.clone());
        })
}

/// An argument of what only reads can't be right.
pub(super) fn invalid(message: impl Into<String>) -> async_graphql::Error {
    let error = async_graphql::Error::new(message);
    error.extend_with(|_, extensions| extensions.set("code", "INVALID"))
}

/// There is nothing to follow under this id.
pub(super) fn no_such(what: &str) -> async_graphql::Error {
    let error = async_graphql::Error::new(UserError::not_found(what).message);
    error.extend_with(|_, extensions| extensions.set("code", "NOT_FOUND"))
}

/// An error of the store in an answer that only reads.
pub(super) fn read_error(error: store::Error) -> async_graphql::Error {
    internal(&error)
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound(what) => UserError::not_found(what).into(),
            store::Error::Conflict => {
                let message = "somebody else has changed this meanwhile: read it again";
                UserError::new(UserErrorCode::Stale, message).into()
            }
            other => internal(&other).into(),
        }
    }
}

fn of_app(error: &connectors::Error) -> UserError {
    let code = match error.kind {
        ErrorKind::Config => UserErrorCode::Invalid,
        ErrorKind::Unauthorised | ErrorKind::Forbidden => UserErrorCode::CredentialsRefused,
        ErrorKind::RateLimited
        | ErrorKind::Unavailable
        | ErrorKind::CursorLost
        | ErrorKind::Protocol
        | ErrorKind::Unsupported => UserErrorCode::AppUnavailable,
    };
    let message = error.advice.map_or_else(
        || "the app can't be reached or did not understand: try again later".to_owned(),
        str::to_owned,
    );
    UserError { detail: Some(error.code.clone()), ..UserError::new(code, message) }
}

impl From<accounts::Error> for Failure {
    fn from(error: accounts::Error) -> Self {
        use accounts::Error as E;
        let code = match &error {
            E::NoSuchApp(_)
            | E::NoSuchCredential { .. }
            | E::OtherAccount
            | E::OtherApp
            | E::NotRegistered(_)
            | E::NoRedirect
            | E::BadRedirect
            | E::BadReturn
            | E::BadClient
            | E::NoSuchPlace(_)
            | E::OtherUser
            | E::UnknownState => UserErrorCode::Invalid,
            E::NoConsent => UserErrorCode::CredentialsRefused,
            E::AlreadyConnected => UserErrorCode::AlreadyThere,
            E::NotConnected => UserErrorCode::NotConnected,
            E::InUse(_) => UserErrorCode::InUse,
            E::App(error) => return of_app(error).into(),
            E::Store(_) | E::Sealing(_) | E::NoEntropy(_) => {
                return match error {
                    E::Store(error) => error.into(),
                    other => internal(&other).into(),
                };
            }
        };
        let detail = Some(error.code().to_owned());
        UserError { detail, ..UserError::new(code, error.to_string()) }.into()
    }
}

impl From<webhooks::Error> for Failure {
    fn from(error: webhooks::Error) -> Self {
        use webhooks::Error as E;
        match error {
            E::Account(error) => error.into(),
            E::App(error) => of_app(&error).into(),
            E::Store(error) => error.into(),
            E::NoPublicUrl => UserError::new(UserErrorCode::Invalid, error.to_string()).into(),
            E::Sealing(_) => internal(&error).into(),
        }
    }
}

impl From<connections::Error> for Failure {
    fn from(error: connections::Error) -> Self {
        use connections::Error as E;
        let code = match &error {
            E::BadTitle | E::SameAccount | E::UnknownObject { .. } | E::NoSync | E::NoDraft => {
                UserErrorCode::Invalid
            }
            E::NotDescribed | E::NotConnected => UserErrorCode::NotConnected,
            E::Doubled => UserErrorCode::AlreadyThere,
            E::Unfinished(_) => UserErrorCode::ReviewUnfinished,
            E::StaleReview => UserErrorCode::ReviewStale,
            E::Stale | E::Running(_) => UserErrorCode::Stale,
            E::Store(_) => {
                return match error {
                    E::Store(error) => error.into(),
                    other => internal(&other).into(),
                };
            }
        };
        let missing = match &error {
            E::Unfinished(review) => missing(review),
            _ => String::new(),
        };
        UserError::new(code, format!("{error}{missing}")).into()
    }
}

/// What a review found.
fn missing(review: &Review) -> String {
    let faults = review.faults.iter().map(|fault| fault.message.as_str());
    let unsaid = review.unacknowledged.iter().map(|what| Acknowledgement::from(*what));
    let unsaid: Vec<String> =
        unsaid.map(|what| async_graphql::Value::from(what).to_string()).collect();
    let unsaid = (!unsaid.is_empty())
        .then(|| format!("`acknowledgements` has to name {}.", unsaid.join(", ")));
    let all: Vec<&str> = faults.chain(unsaid.as_deref()).collect();
    format!(": {}", all.join(" "))
}
