//! What can go wrong with an app.

use jiff::Timestamp;

use crate::net;
use crate::ports::Clock;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was typed in to connect the account cannot be right.
    Config,
    /// The credentials are not accepted: the account needs reconnecting.
    Unauthorised,
    /// The account may not do this.
    Forbidden,
    /// Too many requests.
    RateLimited,
    /// The app can't be reached, or answers with an error of its own.
    Unavailable,
    /// The app no longer knows where the last read ended: everything is to be read again.
    CursorLost,
    /// The app answered what it should not.
    Protocol,
    /// The app can't do this.
    Unsupported,
}

/// Whether trying again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not before something is changed.
    Never,
    /// When the caller's ladder says so.
    Later,
    /// Not before this time: the app said so.
    At(Timestamp),
}

/// An error of an app. Holds codes, never values or secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {kind:?} ({code})")]
pub struct Error {
    /// What kind.
    pub kind: ErrorKind,
    /// Whether to try again.
    pub retry: Retry,
    /// What was being done.
    pub operation: &'static str,
    /// The app's own code, or ours where it gave none.
    pub code: String,
    /// What a person should do, where that is known.
    pub advice: Option<&'static str>,
}

impl Error {
    /// An error of this kind. Those that may pass by themselves are tried again later.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str, code: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable => Retry::Later,
            ErrorKind::Config
            | ErrorKind::Unauthorised
            | ErrorKind::Forbidden
            | ErrorKind::CursorLost
            | ErrorKind::Protocol
            | ErrorKind::Unsupported => Retry::Never,
        };
        Self { kind, retry, operation, code: code.into(), advice: None }
    }

    /// The error with what a person should do about it.
    #[must_use]
    pub fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    /// An error that may be tried again at a time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.retry = Retry::At(time);
        self
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.retry != Retry::Never
    }

    /// That there was no answer.
    #[must_use]
    pub fn from_net(error: &net::Error, operation: &'static str, clock: &dyn Clock) -> Self {
        match error {
            net::Error::NotSent(code) | net::Error::Lost(code) => {
                Self::new(ErrorKind::Unavailable, operation, *code)
            }
            net::Error::Resting(pause) => {
                let until = clock.now().checked_add(*pause).unwrap_or(Timestamp::MAX);
                Self::new(ErrorKind::RateLimited, operation, "paused").at(until)
            }
        }
    }
}
