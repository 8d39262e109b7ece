//! What can go wrong with an account.

use crate::ports::NoEntropy;
use crate::{connectors, secrets, store};

/// What can go wrong with an account. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connector of this name.
    #[error("there is no app {0:?}: choose one of {apps}", apps = apps())]
    NoSuchApp(String),
    /// Something was typed in that the app does not ask for.
    #[error("{app} asks for no {name:?}: give those of {known}")]
    NoSuchCredential {
        /// The app.
        app: &'static str,
        /// The name that was given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// Its account in the app is connected already.
    #[error(
        "this account is connected already: accountReconnect gives it new credentials, \
         accountUpdate another name"
    )]
    AlreadyConnected,
    /// What was typed in belongs to another account of the app.
    #[error("these credentials belong to another account")]
    OtherAccount,
    /// The account that was named is of another app.
    #[error("this account is of another app: name its own")]
    OtherApp,
    /// No OAuth client is registered with the app of this name in settings.
    #[error(
        "no OAuth client of this app is registered here: set CONCORD_APP_{0}_CLIENT_ID and \
         CONCORD_APP_{0}_CLIENT_SECRET, call appRegistrationSet, or connect the account with its \
         credentials"
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
    /// What was given as the address to be sent on to is not one that the operator allows.
    #[error("people can be sent on only to addresses that CONCORD_RETURN_URLS names")]
    BadReturn,
    /// What was given as a client's id or secret can be none.
    #[error("an OAuth client has an id and a secret of letters, digits and signs, without blanks")]
    BadClient,
    /// The app has no such place for clients. With those that it has.
    #[error("clients of this app are the same in all places but these: {0}")]
    NoSuchPlace(String),
    /// The user who gives access is not the one who was expected.
    #[error(
        "the user who authorised the account has another e-mail address than the one that was given: \
         let that user authorise it, or give the other address"
    )]
    OtherUser,
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
    #[error("{0} use this account: take them away with connectionDisconnect first")]
    InUse(String),
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

/// The apps that there are.
fn apps() -> String {
    let slugs: Vec<&str> = connectors::ALL.iter().map(|app| app.about().slug).collect();
    slugs.join(", ")
}

impl Error {
    /// A stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoSuchApp(_) => "no_such_app",
            Self::NoSuchCredential { .. } => "no_such_credential",
            Self::AlreadyConnected => "already_connected",
            Self::OtherAccount => "other_account",
            Self::OtherApp => "other_app",
            Self::NotRegistered(_) => "not_registered",
            Self::NoRedirect => "no_redirect_uri",
            Self::BadRedirect => "bad_redirect_uri",
            Self::BadReturn => "bad_return_url",
            Self::BadClient => "bad_client",
            Self::NoSuchPlace(_) => "no_such_place",
            Self::OtherUser => "other_user",
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
