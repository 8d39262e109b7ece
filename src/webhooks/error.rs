//! What can go wrong with webhooks.

use crate::connectors::Unreadable;
use crate::{accounts, connectors, secrets, store};

/// Why a notification is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such address. Says nothing of what was wrong with it.
    #[error("there is nothing at this address")]
    Unknown,
    /// It is no notification of this app, of this account.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It could not be kept; whoever sent it may send it again.
    #[error(transparent)]
    NotKept(Error),
}

/// What can go wrong with webhooks. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no account of this id, or it is not connected.
    #[error(transparent)]
    Account(#[from] accounts::Error),
    /// The app refused, or could not be reached.
    #[error(transparent)]
    App(#[from] connectors::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A body could not be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] secrets::Error),
    /// Nobody has said where this server is reached from outside.
    #[error("this server does not know its own address: start it with CONCORD_PUBLIC_URL")]
    NoPublicUrl,
}

impl Error {
    /// A stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Account(error) => error.code(),
            Self::App(error) => &error.code,
            Self::Store(_) => "store",
            Self::Sealing(_) => "sealing",
            Self::NoPublicUrl => "no_public_url",
        }
    }
}
