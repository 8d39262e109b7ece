//! Keys of requests, as clients choose them.

use std::str::FromStr;

/// The longest key.
const LONGEST: usize = 255;

/// What a client calls a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

/// A text that can be no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an idempotency key has 1 to 255 visible ASCII characters and no space: a new UUID for each \
     request will do"
)]
pub struct BadKey;

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let fits = (1..=LONGEST).contains(&text.len());
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && is_visible).then(|| Self(text.to_owned())).ok_or(BadKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_visible() {
        for good in ["a", "~", "!", "7d9f0e0c-2c5b-4f0e-9d51-0f6d2f3a4b5c", &"x".repeat(255)] {
            assert_eq!(good.parse::<Key>().unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\t", "a\n", "\u{7f}", "ключ", &"x".repeat(256)] {
            assert_eq!(bad.parse::<Key>(), Err(BadKey), "{bad}");
        }
    }
}
