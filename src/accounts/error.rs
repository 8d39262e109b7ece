//! What can go wrong with an account.

use crate::ports::NoEntropy;
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
    /// The account that was named is of another app.
    #[error("this account is of another app: name its own")]
    OtherApp,
    /// The operator has registered no OAuth client with the app of this name in settings.
    #[error(
        "this server has no OAuth client of this app: set CONCORD_APP_{0}_CLIENT_ID and \
         CONCORD_APP_{0}_CLIENT_SECRET, or connect the account with its credentials"
    )]
    NotRegistered(String),
    /// Nobody has said where the app sends people back to.
    #[error(
        "this server does not know where it is reached: set CONCORD_PUBLIC_URL, or name a redirect URI"
    )]
    NoRedirect,
    /// What was given as the address to come back to is none.
    #[error("a redirect URI is an address such as https://app.example.com/connected, without #")]
    BadRedirect,
    /// Nobody was sent out with this state, or they came back before, or too late.
    #[error(
        "this way to the app is not known, was gone already, or is older than ten minutes: begin again"
    )]
    UnknownState,
    /// The person, or the app, gave no consent.
    #[error(
        "the app says that no consent was given: begin again, and accept what its page asks for"
    )]
    NoConsent,
    /// The machine has no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
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
            Self::OtherApp => "other_app",
            Self::NotRegistered(_) => "not_registered",
            Self::NoRedirect => "no_redirect_uri",
            Self::BadRedirect => "bad_redirect_uri",
            Self::UnknownState => "unknown_state",
            Self::NoConsent => "no_consent",
            Self::NoEntropy(_) => "no_entropy",
            Self::NotConnected => "not_connected",
            Self::InUse(_) => "in_use",
            Self::App(error) => &error.code,
            Self::Store(_) => "store",
            Self::Sealing(_) => "sealing",
        }
    }
}
