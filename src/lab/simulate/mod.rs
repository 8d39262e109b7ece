//! The whole runner over two apps in this process and the store in memory, with faults, crashes and
//! people who do not wait; everything from one seed. When all is quiet, the oracle judges from the
//! apps' own histories.

mod causes;
mod fence;
mod oracle;
mod player;
mod profile;
mod summary;
mod world;

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::ports::SeededIds;
use crate::runner::Timings;
use crate::store::{MemoryStore, Store};
use player::{Counts, Player};
pub use profile::Profile;
pub use summary::Summary;
use world::World;

/// What a seed came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The seed.
    pub seed: u64,
    /// A fingerprint of everything that was ever done in both apps.
    pub trace: String,
    /// The laws that were broken, each in a sentence.
    pub violations: Vec<String>,
    /// How often a run was cut off.
    pub crashes: u32,
    /// How often a stalled worker came back to find its lease lost.
    pub fenced: u32,
    /// How many runs were stopped by an app or by another worker.
    pub failed: u32,
    /// How many runs were woken by a notification.
    pub told: u32,
    /// Records that we made.
    pub created: u32,
    /// Whether so many people left that it was never done, and only what was written is judged.
    pub is_unjudged: bool,
}

/// Plays one seed, all of it in virtual time.
#[must_use]
pub fn simulate(seed: u64, profile: &Profile) -> Played {
    let clock = world::clock();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let stage = Stage {
        store,
        clock,
        timings: Timings { renew: None, ..Timings::default() },
        leases_run_by: None,
    };
    // Nothing in it waits for anything real: polling is all it takes.
    let mut play = pin!(play(seed, profile, stage));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLLS_MAX {
        if let Poll::Ready(played) = play.as_mut().poll(&mut context) {
            return played;
        }
    }
    broken(seed, "it never ends")
}

/// More polls than any seed takes.
const POLLS_MAX: u64 = 100_000_000;

/// Plays one seed over a real database. Its leases run by the database's clock, so that a worker
/// which was cut off keeps its lease for a moment of real time; no worker stalls.
pub async fn simulate_over(store: Arc<dyn Store>, seed: u64, profile: &Profile) -> Played {
    let lease = Duration::from_millis(400);
    let timings = Timings { lease, renew: None, ..Timings::default() };
    let stage = Stage { store, clock: world::clock(), timings, leases_run_by: Some(lease) };
    play(seed, &Profile { stalls: 0, ..*profile }, stage).await
}

/// Where a seed is played.
struct Stage {
    store: Arc<dyn Store>,
    clock: Arc<crate::ports::ManualClock>,
    timings: Timings,
    /// How long a lost lease lasts in real time; none where leases run by the virtual clock.
    leases_run_by: Option<Duration>,
}

async fn play(seed: u64, profile: &Profile, stage: Stage) -> Played {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let world = World::build(seed, &mut rng, stage.clock.clone(), stage.store.clone()).await;
    let Ok(world) = world else { return broken(seed, "the world could not be built") };
    let counts = Counts::default();
    let news = ChaCha12Rng::seed_from_u64(!seed);
    let violations = Vec::new();
    let mut player = Player { world, rng, news, profile: *profile, stage, counts, violations };
    player.world.order_faults(seed, profile.faults);
    for _ in 0..profile.steps {
        player.step().await;
    }
    player.world.stop_faults();
    let is_unjudged = !player.quiet().await;
    let (trace, created) = oracle::trace(&player.world);
    Played {
        seed,
        trace,
        violations: player.violations,
        crashes: player.counts.crashes,
        fenced: player.counts.fenced,
        failed: player.counts.failed,
        told: player.counts.told,
        created,
        is_unjudged,
    }
}

fn broken(seed: u64, why: &str) -> Played {
    Played {
        seed,
        trace: String::new(),
        violations: vec![why.to_owned()],
        crashes: 0,
        fenced: 0,
        failed: 0,
        told: 0,
        created: 0,
        is_unjudged: false,
    }
}

/// Ids that differ from worker to worker, and not from one play of the seed to the next.
fn ids(seed: u64, worker: u32) -> Arc<SeededIds> {
    Arc::new(SeededIds::new(seed ^ (u64::from(worker) << 32)))
}
