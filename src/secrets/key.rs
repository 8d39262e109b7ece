//! Master keys: 32 random bytes, written as Base64 (RFC 4648).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use crate::ports::{Entropy, NoEntropy};

/// A master key. It has no `Debug`, so that it cannot be printed by accident.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// What was given is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret key is 32 random bytes in Base64 (44 characters): make one with `openssl rand -base64 32`"
)]
pub struct BadKey;

impl MasterKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`BadKey`] says what one looks like.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| BadKey)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| BadKey)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// Makes a new one.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// The form in which it is kept in a file or a setting.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// A name for the key that tells nothing of it.
    pub(super) fn id(&self) -> [u8; 8] {
        let hash = blake3::derive_key("concord 2026 master key id", self.0.as_slice());
        let [a, b, c, d, e, f, g, h, ..] = hash;
        [a, b, c, d, e, f, g, h]
    }

    pub(super) fn sealing(&self) -> Zeroizing<[u8; 32]> {
        self.derive("concord 2026 sealing at rest")
    }

    /// A key for another purpose, of which nothing leads back to this one.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(purpose, self.0.as_slice()))
    }
}
