//! Notifications: what apps post when a record was changed, and how they are told where to. A
//! notification only says where to look: what it says of a record is not believed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use crate::record::{ObjectName, RemoteId};

/// A notification as it came.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The content type that it came with; empty if it had none.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// What the app was told to repeat in each notification, where it repeats one (Zoho's channel
    /// token).
    pub token: &'a str,
    /// The account's id in the app; a notification of another account is refused.
    pub remote_id: &'a str,
}

/// A record that a notification is about. What it says of the record is not believed: it is read
/// again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noticed {
    /// The object.
    pub object: ObjectName,
    /// The record.
    pub id: RemoteId,
}

/// Why a notification can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It has not the form that the app's notifications have.
    #[error(
        "this is no notification of the app (malformed): register this address in the app only"
    )]
    Malformed,
    /// It is of another account.
    #[error(
        "this is of another account of the app (foreign): give that account an address of its own"
    )]
    Foreign,
    /// It does not repeat what the app was told to repeat.
    #[error("this does not repeat the agreed token (wrong_token): register the webhook again")]
    WrongToken,
}

impl Unreadable {
    /// Whether it pretends to be what it is not, rather than being in no known form.
    #[must_use]
    pub fn is_forged(self) -> bool {
        self != Self::Malformed
    }

    /// A word for it, that never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Foreign => "foreign",
            Self::WrongToken => "wrong_token",
        }
    }
}

/// Where an app is to post. Never printed: whoever knows it can post there too.
#[derive(Clone)]
pub struct Address {
    /// The URL, with the secret in its path.
    pub url: String,
    /// What the app is to repeat in each notification, where it repeats one. Fifty characters at
    /// most, for no app takes more.
    pub token: SecretString,
    /// The objects to be told of.
    pub objects: BTreeSet<ObjectName>,
    /// A name for the registration, for apps that let us choose it: decimal digits, the same at each
    /// renewal.
    pub channel: String,
}

/// A registration as the app has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id in the app.
    pub remote_id: String,
    /// When it ends if it is not renewed; none if it never does.
    pub expires_at: Option<Timestamp>,
    /// Whether the app has given it up: then it posts nothing until it is registered again.
    pub is_disabled: bool,
}

/// Whether a token is the one that was agreed upon. How long it takes does not tell where they differ.
/// Where none was agreed upon, none is right.
pub(super) fn is_token(given: &str, agreed: &str) -> bool {
    !agreed.is_empty() && bool::from(given.as_bytes().ct_eq(agreed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(is_token("secret", "secret"));
        for wrong in ["", "s", "secre", "secret ", "secrex", "Secret"] {
            assert!(!is_token(wrong, "secret"), "{wrong}");
        }
        assert!(!is_token("", ""), "nobody agreed upon anything");
    }

    #[test]
    fn a_reason_is_said_by_its_code() {
        for reason in [Unreadable::Malformed, Unreadable::Foreign, Unreadable::WrongToken] {
            assert!(reason.to_string().contains(reason.code()), "{reason}");
        }
    }
}
