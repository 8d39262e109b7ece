//! The simulation: seeds with faults, crashes, stalls and hints, and no law broken. `SEEDS=n` plays
//! more of them, from `FIRST=n` on; `SEED=n` plays one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::io::Write as _;

use concord::lab::simulate::{Played, Profile, simulate};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn play(seeds: impl Iterator<Item = u64>, profile: &Profile) -> Vec<Played> {
    seeds.map(|seed| simulate(seed, profile)).collect()
}

fn assert_lawful(played: &[Played]) {
    let broken: Vec<String> = played
        .iter()
        .filter(|played| !played.violations.is_empty())
        .map(|played| format!("SEED={}: {}", played.seed, played.violations.join("; ")))
        .collect();
    let first: Vec<&String> = broken.iter().take(5).collect();
    assert!(broken.is_empty(), "{} of {} seeds: {first:#?}", broken.len(), played.len());
}

#[test]
fn no_seed_breaks_a_law() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("FIRST").unwrap_or(0);
            first..first + number("SEEDS").unwrap_or(200)
        }
    };
    let played = play(seeds, &Profile::default());
    let sum = |count: fn(&Played) -> u32| played.iter().map(count).sum::<u32>();
    let line = format!(
        "{} seeds: {} crashes, {} fenced workers, {} failed runs, {} records made\n",
        played.len(),
        sum(|p| p.crashes),
        sum(|p| p.fenced),
        sum(|p| p.failed),
        sum(|p| p.created),
    );
    // Past the capture of the test harness: what was tried is to be seen on every run.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    assert_lawful(&played);
    if played.len() >= 200 {
        assert!(sum(|p| p.crashes) > 100, "runs are cut off");
        assert!(sum(|p| p.fenced) > 20, "stalled workers come back");
        assert!(sum(|p| p.created) > 1000, "records are made");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let (one, two) = (simulate(seed, &Profile::default()), simulate(seed, &Profile::default()));
        assert_eq!(one, two, "seed {seed}");
    }
}
