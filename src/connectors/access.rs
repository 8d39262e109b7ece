//! The keys to an account: what a person types in to connect it, and what a request is sent with.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::Result;

/// What a person types in to connect an account, and what is kept of it. Never printed.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, SecretString>);

impl Credentials {
    /// One of them, without blanks around it; none if it was left empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.expose_secret().trim();
        (!value.is_empty()).then_some(value)
    }

    /// Sets one of them. Gives them back, to be chained.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), SecretString::from(value));
        self
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What a request is sent with.
#[derive(Clone)]
pub struct Key {
    /// The token.
    pub token: SecretString,
    /// When it runs out, where that is known.
    pub expires_at: Option<Timestamp>,
}

impl Key {
    /// Whether both are the same token.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret()
    }
}

/// Credentials that were accepted, with the key that they opened.
#[derive(Clone)]
pub struct Granted {
    /// What is kept.
    pub credentials: Credentials,
    /// The key that is valid now.
    pub key: Key,
}

#[derive(Serialize, Deserialize)]
struct Document {
    credentials: BTreeMap<String, String>,
    token: String,
    expires_at: Option<Timestamp>,
}

impl Granted {
    /// The form in which it is sealed.
    #[must_use]
    pub fn to_document(&self) -> Zeroizing<Vec<u8>> {
        let plain = self.credentials.0.iter();
        let document = Document {
            credentials: plain
                .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
                .collect(),
            token: self.key.token.expose_secret().to_owned(),
            expires_at: self.key.expires_at,
        };
        // Plain text with string keys only: serialising it cannot fail.
        Zeroizing::new(serde_json::to_vec(&document).unwrap_or_default())
    }

    /// Reads that form; none if it is not one.
    #[must_use]
    pub fn from_document(document: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(document).ok()?;
        let secret = |(name, value): (String, String)| (name, SecretString::from(value));
        Some(Self {
            credentials: Credentials(document.credentials.into_iter().map(secret).collect()),
            key: Key { token: SecretString::from(document.token), expires_at: document.expires_at },
        })
    }
}

/// The way to a valid key of one account.
#[async_trait]
pub trait Access: Send + Sync {
    /// The key that is valid now.
    async fn key(&self) -> Result<Key>;

    /// A key in place of one that the app refused; `Unauthorised` if there can be none.
    async fn replace(&self, refused: &Key) -> Result<Key>;
}
