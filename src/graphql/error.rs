//! Errors as the API tells them: what a person can mend is an answer, all else is masked.

use async_graphql::{Enum, ErrorExtensions as _, SimpleObject};

use crate::connectors::{self, ErrorKind};
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

    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("there is no such {what} here: look its id up again");
        Self::new(UserErrorCode::NotFound, message)
    }
}

/// What becomes of a mutation: its result, what a person has to mend, or a masked surprise.
pub(super) type Outcome<T> = async_graphql::Result<Result<T, UserError>>;

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

/// An error of the store in an answer that only reads.
pub(super) fn read_error(error: store::Error) -> async_graphql::Error {
    internal(&error)
}

/// What a store's error means to whoever asked.
pub(super) fn of_store(error: store::Error) -> async_graphql::Result<UserError> {
    match error {
        store::Error::NotFound(what) => Ok(UserError::not_found(what)),
        store::Error::Conflict => {
            let message = "somebody else has changed this meanwhile: read it again";
            Ok(UserError::new(UserErrorCode::Stale, message))
        }
        other => Err(internal(&other)),
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

/// What an error of accounts means to whoever asked.
pub(super) fn of_accounts(error: accounts::Error) -> async_graphql::Result<UserError> {
    let code = match &error {
        accounts::Error::App(error) => return Ok(of_app(error)),
        accounts::Error::Store(_) => match error {
            accounts::Error::Store(error) => return of_store(error),
            other => return Err(internal(&other)),
        },
        accounts::Error::Sealing(_) => return Err(internal(&error)),
        accounts::Error::NoSuchApp(_) | accounts::Error::OtherAccount => UserErrorCode::Invalid,
        accounts::Error::AlreadyConnected => UserErrorCode::AlreadyThere,
        accounts::Error::NotConnected => UserErrorCode::NotConnected,
        accounts::Error::InUse(_) => UserErrorCode::InUse,
    };
    let detail = Some(error.code().to_owned());
    Ok(UserError { detail, ..UserError::new(code, error.to_string()) })
}

/// What an error of webhooks means to whoever asked.
pub(super) fn of_webhooks(error: webhooks::Error) -> async_graphql::Result<UserError> {
    match error {
        webhooks::Error::Account(error) => of_accounts(error),
        webhooks::Error::App(error) => Ok(of_app(&error)),
        webhooks::Error::Store(error) => of_store(error),
        webhooks::Error::NoPublicUrl => {
            Ok(UserError::new(UserErrorCode::Invalid, error.to_string()))
        }
        webhooks::Error::Sealing(_) => Err(internal(&error)),
    }
}

/// What an error of setting up means to whoever asked.
pub(super) fn of_connections(error: connections::Error) -> async_graphql::Result<UserError> {
    use connections::Error as E;
    let code = match &error {
        E::Store(_) => match error {
            E::Store(error) => return of_store(error),
            other => return Err(internal(&other)),
        },
        E::SameAccount | E::UnknownObject { .. } | E::NoSync | E::NoDraft => UserErrorCode::Invalid,
        E::NotDescribed | E::NotConnected => UserErrorCode::NotConnected,
        E::Doubled => UserErrorCode::AlreadyThere,
        E::Unfinished(_) => UserErrorCode::ReviewUnfinished,
        E::StaleReview => UserErrorCode::ReviewStale,
        E::Stale => UserErrorCode::Stale,
    };
    let faults = match &error {
        E::Unfinished(review) => {
            let faults = review.faults.iter().map(|fault| fault.message.as_str());
            let missing = review.unacknowledged.iter().map(|_| "an acknowledgement is missing");
            let all: Vec<&str> = faults.chain(missing).collect();
            format!(": {}", all.join(" "))
        }
        _ => String::new(),
    };
    Ok(UserError::new(code, format!("{error}{faults}")))
}
