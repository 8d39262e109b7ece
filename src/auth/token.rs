//! Tokens: JSON Web Tokens, signed with HMAC-SHA256 by a key of this server.
//!
//! The library checks the form, the signature, the issuer and the audience. The times are checked here:
//! against our own clock, and only as whole numbers, where the library also takes fractions.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::{Principal, Role};
use crate::ports::Clock;
use crate::store::WorkspaceId;

const ISSUER: &str = "concord";
const AUDIENCE: &str = "concord-api";
/// How far two clocks may be apart, in seconds.
const LEEWAY: i64 = 10;
/// The end of the year 9999: nobody means a later time.
const LAST: i64 = 253_402_300_799;
/// No token that is made here is longer, in bytes.
const LONGEST: usize = 4096;

/// Makes tokens and checks them.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    rules: Validation,
    clock: Arc<dyn Clock>,
}

/// Somebody whose token was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Who.
    pub principal: Principal,
    /// For how long the token is still accepted.
    pub left: Duration,
}

/// Why a token is not accepted, or not made. Never holds the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a token, or it lacks something.
    #[error("this is not a token of Concord: make a new token with `concord token`")]
    Malformed,
    /// It is not signed, or not with this server's key.
    #[error(
        "the token is not signed by this server: make a new token with `concord token`, with the \
         configuration that this server has"
    )]
    Signature,
    /// It was good once.
    #[error("the token has expired: make a new token with `concord token`")]
    Expired,
    /// It will be good later.
    #[error(
        "the token is not valid yet: set the clocks right, or make a new token with `concord token`"
    )]
    Early,
    /// Somebody else made it, or it was made for somebody else.
    #[error("the token was made for something else: make a new token with `concord token`")]
    NotForUs,
    /// It should last for no time at all, or beyond the calendar.
    #[error("a token cannot last for this time: ask for a second at least, and for years at most")]
    Life,
    /// The key cannot sign.
    #[error("the token could not be signed: check the key that this server is configured with")]
    Unsigned,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    ws: String,
    role: Role,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Tokens {
    /// Tokens signed with this key.
    #[must_use]
    pub fn new(key: &[u8; 32], clock: Arc<dyn Clock>) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
        rules.validate_exp = false;
        rules.validate_nbf = false;
        Self {
            signing: EncodingKey::from_secret(key),
            checking: DecodingKey::from_secret(key),
            rules,
            clock,
        }
    }

    /// Makes a token that is good from now on, for this long.
    ///
    /// # Errors
    /// [`Refused::Life`] if it would end now or never; [`Refused::Unsigned`] if the key cannot sign.
    pub fn issue(&self, principal: &Principal, life: Duration) -> Result<String, Refused> {
        let now = self.clock.now().as_second();
        let life = i64::try_from(life.as_secs()).map_err(|_| Refused::Life)?;
        let exp = now.checked_add(life).filter(|exp| (now + 1..=LAST).contains(exp));
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: principal.subject.clone(),
            ws: principal.workspace.0.simple().to_string(),
            role: principal.role,
            iat: now,
            nbf: now,
            exp: exp.ok_or(Refused::Life)?,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|_| Refused::Unsigned)
    }

    /// Tells whom a token was made for.
    ///
    /// # Errors
    /// [`Refused`], which says why and what to do.
    pub fn verify(&self, token: &str) -> Result<Principal, Refused> {
        self.admit(token).map(|admitted| admitted.principal)
    }

    /// Who somebody is by their token, and for how long.
    ///
    /// # Errors
    /// [`Refused`], as [`Self::verify`].
    pub fn admit(&self, token: &str) -> Result<Admitted, Refused> {
        if token.len() > LONGEST {
            return Err(Refused::Malformed);
        }
        let claims = decode::<Claims>(token, &self.checking, &self.rules)
            .map_err(|error| refuse(error.kind()))?
            .claims;
        let is_time = |time: i64| (0..=LAST).contains(&time);
        if ![claims.iat, claims.nbf, claims.exp].into_iter().all(is_time) {
            return Err(Refused::Malformed);
        }
        let now = self.clock.now().as_second();
        if claims.exp + LEEWAY <= now {
            return Err(Refused::Expired);
        }
        if claims.nbf.max(claims.iat) > now + LEEWAY {
            return Err(Refused::Early);
        }
        let workspace = claims.ws.parse().map(WorkspaceId).map_err(|_| Refused::Malformed)?;
        let left = u64::try_from(claims.exp + LEEWAY - now).unwrap_or_default();
        let principal = Principal { workspace, subject: claims.sub, role: claims.role };
        Ok(Admitted { principal, left: Duration::from_secs(left) })
    }
}

fn refuse(kind: &ErrorKind) -> Refused {
    match kind {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => Refused::Signature,
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => Refused::NotForUs,
        _ => Refused::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jiff::Timestamp;
    use jsonwebtoken::crypto::sign;
    use serde_json::{Value, json};

    use super::*;
    use crate::ports::ManualClock;

    const NOW: i64 = 1_786_000_000;
    const KEY: [u8; 32] = [7; 32];
    const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;
    const CLAIMS: [&str; 8] = ["iss", "aud", "sub", "ws", "role", "iat", "nbf", "exp"];

    fn at(second: i64) -> Tokens {
        Tokens::new(&KEY, Arc::new(ManualClock::at(Timestamp::from_second(second).unwrap())))
    }

    fn principal() -> Principal {
        let workspace = WorkspaceId("0198a0c0ffee70008000000000000007".parse().unwrap());
        Principal { workspace, subject: "ana".to_owned(), role: Role::Operator }
    }

    fn claims() -> Value {
        json!({
            "iss": "concord",
            "aud": "concord-api",
            "sub": "ana",
            "ws": "0198a0c0ffee70008000000000000007",
            "role": "operator",
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 600,
        })
    }

    fn signed(header: &str, claims: &str, key: &[u8], algorithm: Algorithm) -> String {
        let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let message = parts.join(".");
        let key = EncodingKey::from_secret(key);
        let signature = sign(message.as_bytes(), &key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    fn verify(claims: &str) -> Result<Principal, Refused> {
        at(NOW).verify(&signed(HEADER, claims, &KEY, Algorithm::HS256))
    }

    fn verify_with(name: &str, value: Value) -> Result<Principal, Refused> {
        let mut claims = claims();
        claims[name] = value;
        verify(&claims.to_string())
    }

    #[test]
    fn a_token_tells_whom_it_was_made_for() {
        let token = at(NOW).issue(&principal(), Duration::from_secs(600)).unwrap();
        assert_eq!(at(NOW).verify(&token), Ok(principal()));
        assert_eq!(verify(&claims().to_string()), Ok(principal()));
    }

    #[test]
    fn two_workspaces_are_kept_apart() {
        let other = WorkspaceId("0198a0c0ffee70008000000000000008".parse().unwrap());
        let token = at(NOW)
            .issue(&Principal { workspace: other, ..principal() }, Duration::from_secs(600))
            .unwrap();
        assert_eq!(at(NOW).verify(&token).unwrap().workspace, other);
    }

    #[test]
    fn a_time_is_a_whole_number_of_this_calendar() {
        let wrong = [
            json!("never"),
            json!((NOW + 600).to_string()),
            json!(1_786_000_600.0),
            json!(1_786_000_600.5),
            json!(1e300),
            json!(-1),
            json!(i64::MIN),
            json!(LAST + 1),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(null),
            json!(true),
            json!([NOW + 600]),
            json!({ "at": NOW + 600 }),
        ];
        for name in ["iat", "nbf", "exp"] {
            for value in &wrong {
                let answer = verify_with(name, value.clone());
                assert_eq!(answer, Err(Refused::Malformed), "{name} {value}");
            }
        }
    }

    #[test]
    fn a_claim_that_is_said_twice_is_not_believed() {
        for name in CLAIMS {
            let again = format!("{{\"{name}\":{},", claims()[name]);
            let twice = claims().to_string().replacen('{', &again, 1);
            assert_eq!(verify(&twice), Err(Refused::Malformed), "{name}");
        }
    }

    #[test]
    fn no_claim_may_be_missing() {
        for name in CLAIMS {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(verify(&claims.to_string()), Err(Refused::Malformed), "{name}");
        }
    }

    #[test]
    fn a_role_or_workspace_that_does_not_exist_is_refused() {
        for role in [json!("admin"), json!("Owner"), json!(0), json!(["owner"])] {
            assert_eq!(verify_with("role", role), Err(Refused::Malformed));
        }
        for workspace in [json!(""), json!("7"), json!("*"), json!(7), json!(["ws"])] {
            assert_eq!(verify_with("ws", workspace), Err(Refused::Malformed));
        }
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        let claims = URL_SAFE_NO_PAD.encode(claims().to_string());
        for algorithm in ["none", "None", "NONE", "nOnE", ""] {
            let header = format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#);
            let header = URL_SAFE_NO_PAD.encode(header);
            for token in [format!("{header}.{claims}."), format!("{header}.{claims}")] {
                assert_eq!(at(NOW).verify(&token), Err(Refused::Malformed));
            }
        }
        let header = URL_SAFE_NO_PAD.encode(HEADER);
        let token = format!("{header}.{claims}.");
        assert_eq!(at(NOW).verify(&token), Err(Refused::Signature));
    }

    #[test]
    fn the_token_does_not_choose_the_algorithm() {
        for algorithm in ["RS256", "ES256", "EdDSA", "HS384", "HS512"] {
            let header = format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#);
            let token = signed(&header, &claims().to_string(), &KEY, Algorithm::HS256);
            assert_eq!(at(NOW).verify(&token), Err(Refused::Signature), "{algorithm}");
        }
        let header = r#"{"typ":"JWT","alg":"HS512"}"#;
        let token = signed(header, &claims().to_string(), &KEY, Algorithm::HS512);
        assert_eq!(at(NOW).verify(&token), Err(Refused::Signature));
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        for key in [[8_u8; 32].as_slice(), b"secret"] {
            let token = signed(HEADER, &claims().to_string(), key, Algorithm::HS256);
            assert_eq!(at(NOW).verify(&token), Err(Refused::Signature));
        }
    }

    #[test]
    fn altered_claims_are_refused() {
        let token = at(NOW).issue(&principal(), Duration::from_secs(600)).unwrap();
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let mut claims = claims();
        claims["role"] = json!("owner");
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        let token = format!("{header}.{claims}.{signature}");
        assert_eq!(at(NOW).verify(&token), Err(Refused::Signature));
    }

    #[test]
    fn a_token_expires_ten_seconds_late_and_no_later() {
        let token = at(NOW).issue(&principal(), Duration::from_secs(600)).unwrap();
        assert!(at(NOW + 609).verify(&token).is_ok());
        assert_eq!(at(NOW + 610).verify(&token), Err(Refused::Expired));
        assert_eq!(verify_with("exp", json!(0)), Err(Refused::Expired));
    }

    #[test]
    fn a_token_is_not_good_before_its_time() {
        for name in ["nbf", "iat"] {
            assert!(verify_with(name, json!(NOW + 10)).is_ok());
            assert_eq!(verify_with(name, json!(NOW + 11)), Err(Refused::Early));
        }
    }

    #[test]
    fn a_token_for_or_from_somebody_else_is_refused() {
        for (name, value) in [("iss", "concord2"), ("iss", ""), ("aud", "concord"), ("aud", "")] {
            assert_eq!(verify_with(name, json!(value)), Err(Refused::NotForUs), "{name} {value}");
        }
        for name in ["iss", "aud"] {
            let both = json!(["concord", "concord-api"]);
            assert_eq!(verify_with(name, both), Err(Refused::Malformed));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let long = "a".repeat(100_000);
        let parts = format!("{long}.{long}.{long}");
        let short = ["", " ", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "Bearer"];
        for text in short.into_iter().chain([long.as_str(), parts.as_str()]) {
            assert_eq!(at(NOW).verify(text), Err(Refused::Malformed));
        }
    }

    #[test]
    fn a_token_lasts_for_some_time_but_not_for_ever() {
        for life in [Duration::ZERO, Duration::from_millis(999), Duration::MAX] {
            assert_eq!(at(NOW).issue(&principal(), life), Err(Refused::Life));
        }
        let for_ever = Duration::from_secs(u64::try_from(LAST).unwrap());
        assert_eq!(at(NOW).issue(&principal(), for_ever), Err(Refused::Life));
    }

    #[test]
    fn whoever_only_looks_may_not_write() {
        assert!(Role::Owner.may_write() && Role::Operator.may_write());
        assert!(!Role::Viewer.may_write());
    }
}
