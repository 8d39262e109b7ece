//! Sealing and opening: XChaCha20-Poly1305, whose nonces are long enough to be drawn at random.
//!
//! A sealed secret is: a version byte, the name of the key (8 bytes), the nonce (24 bytes), the
//! ciphertext with its tag. Its place is authenticated with it.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;

use super::MasterKey;
use crate::ports::{Entropy, NoEntropy};

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

/// Where a secret is kept. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The tenant.
    pub workspace: &'a str,
    /// The table and column.
    pub column: &'a str,
    /// The row.
    pub row: &'a str,
}

/// Seals with one key, and opens with that and with older ones.
#[derive(Clone)]
pub struct Sealer {
    keys: Vec<MasterKey>,
    entropy: Arc<dyn Entropy>,
}

/// Why a secret cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was sealed with a key that is not here.
    #[error("sealed with another secret key: start with the key that this database was begun with")]
    OtherKey,
    /// It was altered, or belongs elsewhere.
    #[error("a sealed secret does not open: it was altered or moved")]
    Altered,
    /// There is no key, or no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl Sealer {
    /// Seals with `key`; opens with it and with `older` ones.
    #[must_use]
    pub fn new(key: MasterKey, older: Vec<MasterKey>, entropy: Arc<dyn Entropy>) -> Self {
        let mut keys = vec![key];
        keys.extend(older);
        Self { keys, entropy }
    }

    /// Seals a secret for a place.
    ///
    /// # Errors
    /// [`Error::NoEntropy`].
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.keys.first().ok_or(Error::OtherKey)?;
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce)?;
        let aad = authenticated(place);
        let payload = Payload { msg: secret, aad: &aad };
        let sealed =
            cipher(key).encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Altered)?;
        let mut whole = vec![VERSION];
        whole.extend_from_slice(&key.id());
        whole.extend_from_slice(&nonce);
        whole.extend_from_slice(&sealed);
        Ok(whole)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`Error::OtherKey`], [`Error::Altered`].
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (version, rest) = sealed.split_first().ok_or(Error::Altered)?;
        let (id, rest) = rest.split_at_checked(KEY_ID).ok_or(Error::Altered)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(Error::Altered)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Error::Altered)?;
        if *version != VERSION {
            return Err(Error::Altered);
        }
        let key = self.keys.iter().find(|key| key.id() == id).ok_or(Error::OtherKey)?;
        let aad = authenticated(place);
        let payload = Payload { msg: sealed, aad: &aad };
        let opened =
            cipher(key).decrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Altered)?;
        Ok(Zeroizing::new(opened))
    }
}

fn cipher(key: &MasterKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key.sealing()))
}

/// Each part with its length before it, so that no two places read the same.
fn authenticated(place: Place<'_>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for part in [place.workspace, place.column, place.row] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;
    use crate::secrets::BadKey;

    const HERE: Place<'_> = Place { workspace: "ws", column: "account.credentials", row: "acc" };

    fn sealer() -> (Sealer, MasterKey) {
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        (Sealer::new(key.clone(), Vec::new(), Arc::new(SystemEntropy)), key)
    }

    #[test]
    fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
        let (sealer, _) = sealer();
        let sealed = sealer.seal(HERE, b"token").unwrap();
        assert_eq!(*sealer.open(HERE, &sealed).unwrap(), b"token");
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        for place in [
            Place { workspace: "other", ..HERE },
            Place { column: "other", ..HERE },
            Place { row: "other", ..HERE },
        ] {
            assert_eq!(sealer.open(place, &sealed).unwrap_err(), Error::Altered);
        }
    }

    #[test]
    fn each_altered_byte_is_noticed_and_nothing_panics_on_what_is_cut_off() {
        let (sealer, _) = sealer();
        let sealed = sealer.seal(HERE, b"token").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(sealer.open(HERE, &altered).is_err());
            assert!(sealer.open(HERE, &sealed[..at]).is_err());
        }
    }

    #[test]
    fn an_older_key_still_opens_and_a_foreign_one_is_named() {
        let (old, key) = sealer();
        let sealed = old.seal(HERE, b"token").unwrap();
        let new = MasterKey::generate(&SystemEntropy).unwrap();
        let both = Sealer::new(new.clone(), vec![key], Arc::new(SystemEntropy));
        assert_eq!(*both.open(HERE, &sealed).unwrap(), b"token");
        let foreign = Sealer::new(new, Vec::new(), Arc::new(SystemEntropy));
        assert_eq!(foreign.open(HERE, &sealed).unwrap_err(), Error::OtherKey);
    }

    #[test]
    fn equal_secrets_look_different_and_a_key_survives_its_text() {
        let (sealer, key) = sealer();
        assert_ne!(sealer.seal(HERE, b"a").unwrap(), sealer.seal(HERE, b"a").unwrap());
        let again = MasterKey::parse(&key.to_text()).unwrap();
        let other = Sealer::new(again, Vec::new(), Arc::new(SystemEntropy));
        assert!(other.open(HERE, &sealer.seal(HERE, b"a").unwrap()).is_ok());
        assert_eq!(MasterKey::parse("short").err(), Some(BadKey));
    }
}
