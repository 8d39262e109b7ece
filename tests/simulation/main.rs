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

use concord::lab::simulate::{Profile, Summary, simulate};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
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
    let mut summary = Summary::default();
    let (mut crashes, mut fenced, mut created, mut told) = (0, 0, 0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let played = simulate(seed, &Profile::default());
        summary.add(&played);
        crashes += played.crashes;
        fenced += played.fenced;
        created += played.created;
        told += played.told;
    }
    // Past the capture of the test harness: what was tried is to be seen on every run.
    writeln!(std::io::stderr(), "{summary}").unwrap();
    assert!(summary.is_lawful(), "{summary}");
    assert!(count < 50 || summary.unjudged() as u64 * 50 <= count, "{summary}");
    if count >= 200 {
        assert!(crashes > 200, "runs are cut off");
        assert!(fenced > 100, "stalled workers come back");
        assert!(created > 1000, "records are made");
        assert!(told > 1000, "notifications wake runs");
    }
}

/// Seeds that once broke a law, when no notification woke a run.
const MENDED: [u64; 7] = [910_808, 911_580, 912_235, 1_008_540, 1_015_806, 1_016_452, 7_004_850];

/// Seeds that once broke a law, when notifications woke some of the runs.
const MENDED_TOLD: [u64; 11] = [
    9_000_007, 9_000_137, 9_000_158, 9_000_828, 9_001_997, 81_001_465, 87_000_592, 87_004_125,
    88_007_085, 88_009_897, 88_010_500,
];

#[test]
fn what_was_broken_once_stays_mended() {
    let told = Profile::default();
    let untold = Profile { told: 0, ..told };
    let seeds = MENDED.map(|seed| (seed, untold)).into_iter();
    for (seed, profile) in seeds.chain(MENDED_TOLD.map(|seed| (seed, told))) {
        let mut summary = Summary::default();
        summary.add(&simulate(seed, &profile));
        assert!(summary.is_lawful(), "{summary}");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let (one, two) = (simulate(seed, &Profile::default()), simulate(seed, &Profile::default()));
        assert_eq!(one, two, "seed {seed}");
    }
}
