//! What can go wrong with a key, as whoever asks is told.

use async_graphql::{ErrorExtensionValues, ServerError};

use crate::graphql::error::internal;
use crate::idempotency::Error;

/// An error of idempotency, as whoever asks is told.
pub(super) fn told(fault: &Error) -> ServerError {
    match fault {
        Error::Reused => error("IDEMPOTENCY_KEY_REUSED", fault.to_string()),
        Error::GoesOn => error("IDEMPOTENCY_IN_PROGRESS", fault.to_string()),
        Error::Store(_) | Error::Sealing(_) => masked(fault),
    }
}

pub(super) fn masked(fault: &(dyn std::error::Error + 'static)) -> ServerError {
    let error = internal(fault);
    let extensions = error.extensions;
    ServerError { extensions, ..ServerError::new(error.message, None) }
}

pub(super) fn error(code: &str, message: String) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    let mut error = ServerError::new(message, None);
    error.extensions = Some(extensions);
    error
}
