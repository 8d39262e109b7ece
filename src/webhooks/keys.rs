//! The secrets of endpoints. None is kept: each is made from the server's key, the endpoint and its
//! generation, so that the address can be shown again, and a new generation makes the old one worthless.

use secrecy::zeroize::Zeroizing;
use subtle::ConstantTimeEq as _;

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

    /// So many hexadecimal digits that only this server can make from a name.
    fn digits(&self, name: &str, count: usize) -> String {
        blake3::keyed_hash(&self.0, name.as_bytes()).to_hex().chars().take(count).collect()
    }

    /// The last part of the address.
    pub(super) fn secret(&self, endpoint: &Endpoint) -> String {
        self.digits(&format!("secret:{}:{}", endpoint.id, endpoint.generation), SECRET)
    }

    /// What the app is told to repeat in each notification.
    pub(super) fn token(&self, endpoint: &Endpoint) -> String {
        self.digits(&format!("token:{}:{}", endpoint.id, endpoint.generation), TOKEN)
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
        let expected = endpoint
            .map_or_else(|| self.digits("nobody", SECRET), |endpoint| self.secret(endpoint));
        bool::from(expected.as_bytes().ct_eq(given.as_bytes())) & endpoint.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::ports::{Ids as _, SeededIds, SystemEntropy};
    use crate::store::{AccountId, EndpointId, WorkspaceId};

    fn keys() -> Keys {
        Keys::new(&MasterKey::generate(&SystemEntropy).unwrap())
    }

    /// The endpoint of this number, in its first generation.
    fn endpoint(number: u64) -> Endpoint {
        let id = SeededIds::new(number).next(Timestamp::UNIX_EPOCH);
        let (workspace, account) = (WorkspaceId(id), AccountId(id));
        Endpoint::new(EndpointId(id), workspace, account, Timestamp::UNIX_EPOCH)
    }

    fn next(endpoint: &Endpoint) -> Endpoint {
        Endpoint { generation: endpoint.generation + 1, ..endpoint.clone() }
    }

    #[test]
    fn each_endpoint_generation_and_server_has_secrets_of_its_own() {
        let (own, other) = (keys(), keys());
        let (one, two) = (endpoint(1), endpoint(2));
        let later = next(&one);
        let all = [(&own, &one), (&own, &later), (&own, &two), (&other, &one)];
        let secrets: BTreeSet<String> =
            all.iter().flat_map(|(keys, of)| [keys.secret(of), keys.token(of)]).collect();
        assert_eq!(secrets.len(), 2 * all.len());
        assert_eq!(own.secret(&one), own.secret(&one.clone()), "it can be shown again");
        assert!(!own.secret(&one).starts_with(&own.token(&one)), "a token tells no secret");
    }

    #[test]
    fn what_an_app_is_given_fits_where_it_keeps_it() {
        let keys = keys();
        for number in 0..100 {
            let endpoint = endpoint(number);
            assert_eq!(keys.secret(&endpoint).len(), SECRET);
            assert!((1..=50).contains(&keys.token(&endpoint).len()));
            let channel = keys.channel(&endpoint);
            assert!(channel.bytes().all(|byte| byte.is_ascii_digit()), "{channel}");
            assert!(channel.parse::<i64>().unwrap() > 0, "{channel}");
            assert_eq!(channel, keys.channel(&next(&endpoint)), "its name stays");
        }
    }

    #[test]
    fn only_the_whole_secret_of_this_generation_is_right() {
        let (keys, endpoint) = (keys(), endpoint(1));
        let secret = keys.secret(&endpoint);
        assert!(keys.is_secret(Some(&endpoint), &secret));
        for wrong in ["", &secret[1..], &format!("{secret}0"), &keys.token(&endpoint)] {
            assert!(!keys.is_secret(Some(&endpoint), wrong), "{wrong}");
        }
        assert!(!keys.is_secret(Some(&next(&endpoint)), &secret));
        assert!(!keys.is_secret(None, &secret));
        let expected = keys.digits("nobody", SECRET);
        for given in ["", &expected] {
            assert!(!keys.is_secret(None, given), "without an endpoint nothing is right");
        }
    }
}
