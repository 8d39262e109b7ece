//! The secrets of endpoints. None is kept: each is made from the server's key, the endpoint and its
//! generation, so that the address can be shown again, and a new generation makes the old one worthless.

use secrecy::zeroize::Zeroizing;

use crate::secrets::MasterKey;
use crate::store::Endpoint;

/// Hexadecimal digits of a secret in an address: 192 bits.
const SECRET: usize = 48;
/// Of a token that an app repeats: Zoho takes 50 characters at most.
const TOKEN: usize = 40;

pub(super) struct Keys(Zeroizing<[u8; 32]>);

impl Keys {
    pub(super) fn new(key: &MasterKey) -> Self {
        Self(key.derive("concord 2026 webhook endpoints"))
    }

    fn digest(&self, what: &str, endpoint: &Endpoint) -> blake3::Hash {
        let name = format!("{what}:{}:{}", endpoint.id, endpoint.generation);
        blake3::keyed_hash(&self.0, name.as_bytes())
    }

    /// The last part of the address.
    pub(super) fn secret(&self, endpoint: &Endpoint) -> String {
        self.digest("secret", endpoint).to_hex().chars().take(SECRET).collect()
    }

    /// What the app is told to repeat in each notification.
    pub(super) fn token(&self, endpoint: &Endpoint) -> String {
        self.digest("token", endpoint).to_hex().chars().take(TOKEN).collect()
    }

    /// A number by which the app may know the registration: the same for all generations.
    pub(super) fn channel(&self, endpoint: &Endpoint) -> String {
        let digest = blake3::keyed_hash(&self.0, format!("channel:{}", endpoint.id).as_bytes());
        let [a, b, c, d, e, f, g, ..] = *digest.as_bytes();
        // Seven bytes: it fits the signed number that apps keep it as.
        (u64::from_be_bytes([0, a, b, c, d, e, f, g]) + 1).to_string()
    }

    /// Whether this is the secret of the endpoint, in constant time. Without an endpoint it does the
    /// same work and says no.
    pub(super) fn is_secret(&self, endpoint: Option<&Endpoint>, given: &str) -> bool {
        let expected = endpoint.map(|endpoint| self.secret(endpoint)).unwrap_or_default();
        let hash = |text: &str| blake3::keyed_hash(&self.0, text.as_bytes());
        // Hashes compare in constant time.
        (hash(&expected) == hash(given)) & endpoint.is_some()
    }
}
