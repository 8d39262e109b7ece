//! What can go wrong with an app.

use jiff::Timestamp;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
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
}
