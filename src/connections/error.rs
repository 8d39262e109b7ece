//! What can go wrong with setting a connection up.

use crate::planner::Review;
use crate::store;

/// What can go wrong with setting a connection up. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Both sides are the same account.
    #[error("a connection needs two different accounts")]
    SameAccount,
    /// The account does not have this object.
    #[error("{app} has no object {object:?}: choose one of {known}")]
    UnknownObject {
        /// The app.
        app: String,
        /// What was asked for.
        object: String,
        /// What there is.
        known: String,
    },
    /// The account has never been described.
    #[error("the fields of this account are not known: check the account first")]
    NotDescribed,
    /// The account is not connected.
    #[error("the account is not connected: reconnect it first")]
    NotConnected,
    /// Another connection is between the same two accounts.
    #[error("another connection is between the same two accounts: change that one")]
    Doubled,
    /// Something is missing; the review says what.
    #[error("the review found what must be mended first")]
    Unfinished(Box<Review>),
    /// The review that was named is not of what would start.
    #[error("the configuration has changed since it was reviewed: review it again")]
    StaleReview,
    /// Somebody else edited it first.
    #[error("somebody else has edited this meanwhile: read it again, and make your change anew")]
    Stale,
    /// There is nothing to publish.
    #[error("there is no draft: make a change first")]
    NoDraft,
    /// There is no sync in this direction.
    #[error("there is no sync in this direction")]
    NoSync,
    /// A run of it goes on, or ended badly just now.
    #[error("{0} is being worked on: stop every server and worker, wait a minute and try again")]
    Running(String),
    /// The store failed.
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict => Self::Stale,
            other => Self::Store(other),
        }
    }
}
