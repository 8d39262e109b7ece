//! What many seeds come to.

use std::fmt;

use super::Played;

/// The sum over seeds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    seeds: u64,
    crashes: u64,
    fenced: u64,
    failed: u64,
    told: u64,
    created: u64,
    unjudged: Vec<u64>,
    broken: Vec<(u64, Vec<String>)>,
}

impl Summary {
    /// Counts one seed.
    pub fn add(&mut self, played: &Played) {
        self.seeds += 1;
        self.crashes += u64::from(played.crashes);
        self.fenced += u64::from(played.fenced);
        self.failed += u64::from(played.failed);
        self.told += u64::from(played.told);
        self.created += u64::from(played.created);
        if played.is_unjudged {
            self.unjudged.push(played.seed);
        }
        if !played.violations.is_empty() {
            self.broken.push((played.seed, played.violations.clone()));
        }
    }

    /// How many seeds could not be judged as a whole.
    #[must_use]
    pub fn unjudged(&self) -> usize {
        self.unjudged.len()
    }

    /// Whether no seed broke a law.
    #[must_use]
    pub fn is_lawful(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seed, violations) in &self.broken {
            writeln!(f, "seed {seed}: {}", violations.join("; "))?;
        }
        if !self.unjudged.is_empty() {
            writeln!(f, "too many left to judge all of seeds {:?}", self.unjudged)?;
        }
        write!(
            f,
            "{} seeds: {} runs woken by notifications, {} runs cut off, {} stalled workers fenced \
             off, {} runs stopped by an app or another worker, {} records made, {} seeds not judged \
             as a whole, {} seeds broke a law",
            self.seeds,
            self.told,
            self.crashes,
            self.fenced,
            self.failed,
            self.created,
            self.unjudged.len(),
            self.broken.len()
        )
    }
}
