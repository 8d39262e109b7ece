//! The whole runner over two apps in this process and the store in memory, with faults, crashes and
//! people who do not wait; everything from one seed. When all is quiet, the oracle judges from the
//! apps' own histories.

mod oracle;
mod world;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

use crate::connectors::memory::Faults;
use crate::ports::SeededIds;
use crate::runner::{Ran, RunError, Runner, Timings};
use crate::store::{Error, MemoryStore, Store, Trigger};
use world::World;

/// What a seed is played with.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Steps before it becomes quiet.
    pub steps: u32,
    /// What happens to requests, in thousandths.
    pub faults: Faults,
    /// How many runs in a hundred are cut off at some point.
    pub crashes: u32,
    /// How many runs in a hundred stall until another worker takes over, and then go on.
    pub stalls: u32,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            steps: 60,
            faults: Faults { lost_before: 30, lost_after: 40, rate_limited: 20 },
            crashes: 20,
            stalls: 10,
        }
    }
}

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
    /// Records that we made.
    pub created: u32,
}

/// Plays one seed, all of it in virtual time.
#[must_use]
pub fn simulate(seed: u64, profile: &Profile) -> Played {
    let clock = world::clock();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let stage = Stage { store, clock, timings: Timings::default(), leases_run_by: None };
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
    let timings = Timings { lease, ..Timings::default() };
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
    let mut player = Player { world, rng, profile: *profile, stage, counts };
    player.world.order_faults(seed, profile.faults);
    for _ in 0..profile.steps {
        player.step().await;
    }
    player.world.stop_faults();
    let violations = player.quiet().await;
    let (trace, created) = oracle::trace(&player.world);
    Played {
        seed,
        trace,
        violations,
        crashes: player.counts.crashes,
        fenced: player.counts.fenced,
        failed: player.counts.failed,
        created,
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
        created: 0,
    }
}

#[derive(Default)]
struct Counts {
    workers: u32,
    crashes: u32,
    fenced: u32,
    failed: u32,
}

struct Player {
    world: World,
    rng: ChaCha12Rng,
    profile: Profile,
    stage: Stage,
    counts: Counts,
}

/// How many rounds it may take until nothing is left to do.
const QUIET_ROUNDS: u32 = 30;

/// How a run ended: none if it was cut off.
type Ended = Option<Result<Ran, RunError>>;

impl Player {
    fn draw(&mut self, below: u32) -> u32 {
        self.rng.next_u32() % below.max(1)
    }

    async fn step(&mut self) {
        match self.draw(10) {
            0..=4 => self.world.act(&mut self.rng),
            5 => {
                // A hint that is lost is found by the next reading.
                let _ = self.world.hint(&mut self.rng).await;
            }
            6 => {
                let seconds = u64::from(self.draw(120)) + 1;
                self.world.clock.advance(Duration::from_secs(seconds));
            }
            _ => self.run_somehow().await,
        }
    }

    async fn run_somehow(&mut self) {
        let fate = self.draw(100);
        let points = self.draw(160);
        let worker = self.worker();
        if fate < self.profile.crashes {
            let ended = self.run(&worker, Some(points)).await;
            if ended.is_none() {
                self.counts.crashes += 1;
                self.outlast_the_lease().await;
            }
        } else if fate < self.profile.crashes + self.profile.stalls {
            self.stall(&worker, points).await;
        } else {
            let ended = self.run(&worker, None).await;
            self.count(&ended);
        }
    }

    /// A worker stalls for longer than its lease; another does everything; then it goes on.
    async fn stall(&mut self, worker: &Runner, points: u32) {
        let second = self.worker();
        let clock = self.world.clock.clone();
        let mut run = pin!(self.world.run(worker, Trigger::Schedule));
        let ended = match cut_off(run.as_mut(), points).await {
            Some(ended) => Some(ended),
            None => {
                clock.advance(Duration::from_secs(61));
                let other = self.world.run(&second, Trigger::Schedule).await;
                let late = run.await;
                self.counts.fenced +=
                    u32::from(matches!(late, Err(RunError::Store(Error::Fenced))));
                Some(other)
            }
        };
        self.counts.failed += u32::from(matches!(ended, Some(Err(_))));
    }

    async fn run(&self, worker: &Runner, points: Option<u32>) -> Ended {
        let run = pin!(self.world.run(worker, Trigger::Schedule));
        match points {
            Some(points) => cut_off(run, points).await,
            None => Some(run.await),
        }
    }

    fn count(&mut self, ended: &Ended) {
        self.counts.failed += u32::from(matches!(ended, Some(Err(_))));
    }

    /// Half of the time the next worker comes while the lease of the one that was cut off still holds.
    async fn outlast_the_lease(&mut self) {
        let waits = self.draw(2) == 0;
        match self.stage.leases_run_by {
            Some(lease) => tokio::time::sleep(lease + lease / 4).await,
            None if waits => self.world.clock.advance(Duration::from_secs(61)),
            None => {}
        }
    }

    /// A new start of the process: nothing is remembered but what is in the store.
    fn worker(&mut self) -> Runner {
        self.counts.workers += 1;
        self.world.worker(self.counts.workers, &self.stage.timings)
    }

    /// Lets everything come to rest, and judges.
    async fn quiet(&mut self) -> Vec<String> {
        // Twice in a row: the first may only have finished a reading that was cut off long before.
        let mut calm = 0;
        for _ in 0..QUIET_ROUNDS {
            self.world.clock.advance(Duration::from_secs(700));
            let before = self.world.engine_writes();
            let worker = self.worker();
            match self.world.run(&worker, Trigger::Schedule).await {
                Ok(ran) => {
                    let wrote = self.world.engine_writes() - before;
                    let is_calm = wrote == 0 && ran.next_due.is_none() && !ran.again;
                    calm = if is_calm { calm + 1 } else { 0 };
                    if calm == 2 {
                        break;
                    }
                }
                Err(error) => return vec![format!("a quiet run failed: {error}")],
            }
        }
        if calm < 2 {
            return vec!["V2: it never comes to rest".to_owned()];
        }
        let mut violations = oracle::judge(&self.world).await;
        let before = self.world.engine_writes();
        let worker = self.worker();
        if self.world.run(&worker, Trigger::Schedule).await.is_err() {
            violations.push("a second run failed".to_owned());
        }
        if self.world.engine_writes() != before {
            violations.push("V2: a second run writes".to_owned());
        }
        violations
    }
}

/// Polls a future so many times and no more. None if it was not done by then.
async fn cut_off<T>(mut future: Pin<&mut impl Future<Output = T>>, times: u32) -> Option<T> {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Ids that differ from worker to worker, and not from one play of the seed to the next.
fn ids(seed: u64, worker: u32) -> Arc<SeededIds> {
    Arc::new(SeededIds::new(seed ^ (u64::from(worker) << 32)))
}
