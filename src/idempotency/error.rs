//! What can go wrong with a request that was given a key.

use crate::{secrets, store};

/// What can go wrong with a request that was given a key. Holds neither the key nor an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its key is of another request.
    #[error(
        "this idempotency key was used for another request: give each request a key of its own"
    )]
    Reused,
    /// It was sent before and is still being done.
    #[error(
        "the first request with this idempotency key is still going on: send it again in a few \
         seconds"
    )]
    GoesOn,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The answer could not be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] secrets::Error),
}
