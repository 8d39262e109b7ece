//! How long things take.

use std::time::Duration;

/// How long things take. Tests scale these, never their order.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Timings {
    /// All of them so many times shorter, in the same order: for tests that can't wait. Less than 1
    /// is taken for 1.
    #[must_use]
    pub fn divided_by(self, divisor: u32) -> Self {
        let shorter = |time: Duration| time / divisor.max(1);
        let Self { lease, renew, resolve, sweep, fresh, removals, retry, retry_max } = self;
        Self {
            lease: shorter(lease),
            renew: renew.map(shorter),
            resolve: resolve.into_iter().map(shorter).collect(),
            sweep: shorter(sweep),
            fresh: shorter(fresh),
            removals: shorter(removals),
            retry: shorter(retry),
            retry_max: shorter(retry_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of them, each with its name.
    fn all(timings: &Timings) -> Vec<(String, Duration)> {
        let Timings { lease, renew, resolve, sweep, fresh, removals, retry, retry_max } = timings;
        let mut all: Vec<(String, Duration)> =
            (0..).zip(resolve).map(|(at, time)| (format!("resolve {at}"), *time)).collect();
        all.extend(renew.map(|time| ("renew".to_owned(), time)));
        let others = [
            ("lease", lease),
            ("sweep", sweep),
            ("fresh", fresh),
            ("removals", removals),
            ("retry", retry),
            ("retry_max", retry_max),
        ];
        all.extend(others.map(|(name, time)| (name.to_owned(), *time)));
        all
    }

    #[test]
    fn divided_they_are_shorter_and_in_the_same_order() {
        let usual = all(&Timings::default());
        for divisor in [2, 50, 1000] {
            let shorter = all(&Timings::default().divided_by(divisor));
            for ((name, one), (_, divided)) in usual.iter().zip(&shorter) {
                assert_eq!(*divided * divisor, *one, "{name} / {divisor}");
            }
            for (one, other) in (0..usual.len()).flat_map(|a| (0..usual.len()).map(move |b| (a, b)))
            {
                let order = usual[one].1.cmp(&usual[other].1);
                assert_eq!(shorter[one].1.cmp(&shorter[other].1), order, "{divisor}");
            }
        }
    }

    #[test]
    fn divided_by_one_or_by_nothing_they_stay() {
        for divisor in [0, 1] {
            assert_eq!(Timings::default().divided_by(divisor), Timings::default());
        }
    }
}
