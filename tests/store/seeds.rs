//! The simulation over a real database: fewer seeds, in real time, with the same oracle. Drift between
//! the store in memory and this one would show here.

use concord::lab::simulate::{Played, Profile, simulate_over};

use crate::backends::{Backend, runtime};

const SEEDS: u64 = 12;

pub fn play(backend: &Backend) {
    let profile = Profile { crashes: 15, ..Profile::default() };
    let runtime = runtime();
    let mut all: Vec<Played> = Vec::new();
    for seed in 1..=SEEDS {
        let played =
            runtime.block_on(async { simulate_over(backend.store().await, seed, &profile).await });
        assert!(played.violations.is_empty(), "seed {seed}: {:#?}", played.violations);
        all.push(played);
    }
    let crashes: u32 = all.iter().map(|played| played.crashes).sum();
    let created: u32 = all.iter().map(|played| played.created).sum();
    assert!(crashes >= 5, "only {crashes} runs were cut off");
    assert!(created >= 40, "only {created} records were made");
}
