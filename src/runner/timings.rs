//! How long things take.

use std::time::Duration;

/// How long things take. Tests scale these, never their order.
#[derive(Clone, Debug)]
pub struct Timings {
    /// How long a lease holds without being renewed. Longer than any single call.
    pub lease: Duration,
    /// How often it is renewed while a call goes on; none where time is played and stands during calls.
    pub renew: Option<Duration>,
    /// When a create of unknown outcome is looked for, counted from its sending. After the last of
    /// these it is taken not to have happened, so that must be longer than any answer can be late.
    pub resolve: Vec<Duration>,
    /// When a create that was once unknown is looked for again, in case it happened very late.
    pub sweep: Duration,
    /// How old the knowledge of a record may be when it is written: older, it is read again first.
    pub fresh: Duration,
    /// How old the knowledge of removals may be, where an app lists them apart.
    pub removals: Duration,
    /// How long a failed record waits before it is tried again, the first time; then twice as long.
    pub retry: Duration,
    /// The longest it waits.
    pub retry_max: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            renew: Some(Duration::from_secs(15)),
            resolve: [15, 60, 300, 600].map(Duration::from_secs).to_vec(),
            sweep: Duration::from_secs(900),
            fresh: Duration::from_secs(60),
            removals: Duration::from_secs(900),
            retry: Duration::from_secs(5),
            retry_max: Duration::from_secs(900),
        }
    }
}
