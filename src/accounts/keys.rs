//! The ways to a key that no gate renews.

use async_trait::async_trait;

use crate::connectors::{Access, Error, ErrorKind, Key, Result};

/// The key of an account that is being tried out: there is no other.
pub(super) struct Once(pub(super) Key);

#[async_trait]
impl Access for Once {
    async fn key(&self) -> Result<Key> {
        Ok(self.0.clone())
    }

    async fn replace(&self, _refused: &Key) -> Result<Key> {
        Err(Error::new(ErrorKind::Unauthorised, "connect", "token_refused")
            .advise("the app does not accept this token: check that it is whole and not revoked"))
    }
}

/// The gate to an account whose credentials were refused.
pub(super) struct Closed;

#[async_trait]
impl Access for Closed {
    async fn key(&self) -> Result<Key> {
        Err(Error::new(ErrorKind::Unauthorised, "credentials", "needs_reconnecting"))
    }

    async fn replace(&self, _refused: &Key) -> Result<Key> {
        self.key().await
    }
}
