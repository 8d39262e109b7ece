//! How an account behaves.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::jwt;
use super::oauth::CLIENT_ID;
use crate::ports::Clock;

/// How an account behaves.
pub struct Options {
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// A long-lived token that it accepts, until its claim `exp` if it has one.
    pub token: String,
    /// How many requests it answers in a second; `None` for any number.
    pub requests_per_second: Option<u32>,
    /// Whether the lists ignore every filter but `query`.
    pub filters_ignored: bool,
    /// How long `query` misses what was just written.
    pub search_lag: Duration,
    /// What the waits between the attempts of a webhook are divided by.
    pub clock_factor: u32,
    /// What the links in the answers begin with, without a slash at the end.
    pub base_url: String,
    /// The account's id.
    pub account_id: u64,
    /// The account's name in its address.
    pub subdomain: String,
    /// The account's time zone (IANA name), as `with=datetime_settings` shows it; `None` if it shows
    /// none.
    pub time_zone: Option<String>,
}

const FIVE_YEARS: i64 = 5 * 365 * 86_400;

impl Options {
    /// An account named `demo` with the published limit of requests, a search without lag, and a
    /// token for five years.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let account_id = 12_345_678;
        let subdomain = "demo".to_owned();
        let host = format!("{subdomain}.kommo.com");
        let now = clock.now().as_second();
        let token = jwt::make(&json!({
            "aud": CLIENT_ID,
            "jti": "long-lived",
            "iat": now,
            "nbf": now,
            "exp": now + FIVE_YEARS,
            "sub": "0",
            "account_id": account_id,
            "api_domain": host,
            "scopes": ["crm", "notifications"],
        }));
        Self {
            clock,
            token,
            requests_per_second: Some(7),
            filters_ignored: false,
            search_lag: Duration::ZERO,
            clock_factor: 1,
            base_url: format!("https://{host}"),
            account_id,
            subdomain,
            time_zone: None,
        }
    }
}
