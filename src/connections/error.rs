//! What can go wrong with setting a connection up.

use crate::planner::Review;
use crate::store;

/// Characters of a title.
pub(super) const TITLE_MAX: usize = 200;

/// What can go wrong with setting a connection up. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It has no name, or a very long one.
    #[error("a connection has a title of 1 to {TITLE_MAX} characters")]
    BadTitle,
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
    #[error(
        "this token is not of a review of what is there now under these acknowledgements: call \
         connectionReview with the same ones, and give its token"
    )]
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
