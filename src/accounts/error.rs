//! What can go wrong with an account.

use crate::{connectors, secrets, store};

/// What can go wrong with an account. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connector of this name.
    #[error("there is no app {0:?}")]
    NoSuchApp(String),
    /// Its account in the app is connected already.
    #[error("this account is connected already")]
    AlreadyConnected,
    /// What was typed in belongs to another account of the app.
    #[error("these credentials belong to another account")]
    OtherAccount,
    /// It is disconnected, or has to be reconnected.
    #[error("the account is not connected: reconnect it")]
    NotConnected,
    /// Connections use it.
    #[error("{0} connections use this account: disconnect them first")]
    InUse(usize),
    /// The app refused, or could not be reached.
    #[error(transparent)]
    App(#[from] connectors::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The credentials could not be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] secrets::Error),
}

impl Error {
    /// A stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoSuchApp(_) => "no_such_app",
            Self::AlreadyConnected => "already_connected",
            Self::OtherAccount => "other_account",
            Self::NotConnected => "not_connected",
            Self::InUse(_) => "in_use",
            Self::App(error) => &error.code,
            Self::Store(_) => "store",
            Self::Sealing(_) => "sealing",
        }
    }
}
