//! The whole runner over two apps in this process and the store in memory, with faults, crashes and
//! people who do not wait; everything from one seed. When all is quiet, the oracle judges from the
//! apps' own histories.

mod oracle;
mod world;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

use crate::connectors::memory::Faults;
use crate::ports::SeededIds;
use crate::runner::{Ran, RunError, Runner, Timings};
use crate::store::{Error, Trigger};
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
    /// How often a write ended without an answer.
    pub unknown: u32,
    /// Records that we made.
    pub created: u32,
}

/// Plays one seed.
#[must_use]
pub fn simulate(seed: u64, profile: &Profile) -> Played {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let Some(world) = finish(World::build(seed, &mut rng)).and_then(Result::ok) else {
        return broken(seed, "the world could not be built");
    };
    let mut player =
        Player { world, rng, profile: *profile, workers: 0, crashes: 0, fenced: 0, unknown: 0 };
    player.world.order_faults(seed, profile.faults);
    for _ in 0..profile.steps {
        player.step();
    }
    player.world.stop_faults();
    let violations = player.quiet();
    let (trace, created) = oracle::trace(&player.world);
    Played {
        seed,
        trace,
        violations,
        crashes: player.crashes,
        fenced: player.fenced,
        unknown: player.unknown,
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
        unknown: 0,
        created: 0,
    }
}

struct Player {
    world: World,
    rng: ChaCha12Rng,
    profile: Profile,
    workers: u32,
    crashes: u32,
    fenced: u32,
    unknown: u32,
}

/// How many rounds it may take until nothing is left to do.
const QUIET_ROUNDS: u32 = 30;

impl Player {
    fn draw(&mut self, below: u32) -> u32 {
        self.rng.next_u32() % below.max(1)
    }

    fn step(&mut self) {
        match self.draw(10) {
            0..=4 => self.world.act(&mut self.rng),
            5 => {
                let hints = self.world.hint(&mut self.rng);
                finish(hints);
            }
            6 => {
                let seconds = u64::from(self.draw(120)) + 1;
                self.world.clock.advance(Duration::from_secs(seconds));
            }
            _ => self.run_somehow(),
        }
    }

    fn run_somehow(&mut self) {
        let fate = self.draw(100);
        let points = self.draw(160);
        let runner = self.worker();
        let mut run = pin!(self.world.run(&runner, Trigger::Schedule));
        if fate < self.profile.crashes {
            if poll(run.as_mut(), points).is_none() {
                self.crashes += 1;
            }
        } else if fate < self.profile.crashes + self.profile.stalls {
            if let Some(result) = poll(run.as_mut(), points) {
                self.unknown += unknown(&result);
                return;
            }
            // It stalls for longer than its lease; another worker does everything; then it goes on.
            self.world.clock.advance(Duration::from_secs(61));
            self.workers += 1;
            let second = self.world.worker(self.workers);
            let result = finish(self.world.run(&second, Trigger::Schedule));
            self.unknown += result.map_or(0, |result| unknown(&result));
            if let Some(Err(RunError::Store(Error::Fenced))) = finish(run) {
                self.fenced += 1;
            }
        } else if let Some(result) = finish(run) {
            self.unknown += unknown(&result);
        }
    }

    /// A new start of the process: nothing is remembered but what is in the store.
    fn worker(&mut self) -> Runner {
        self.workers += 1;
        self.world.worker(self.workers)
    }

    /// Lets everything come to rest, and judges.
    fn quiet(&mut self) -> Vec<String> {
        // Twice in a row: the first may only have finished a reading that was cut off long before.
        let mut calm = 0;
        for _ in 0..QUIET_ROUNDS {
            self.world.clock.advance(Duration::from_secs(700));
            let before = self.world.engine_writes();
            let runner = self.worker();
            match finish(self.world.run(&runner, Trigger::Schedule)) {
                Some(Ok(ran)) => {
                    let wrote = self.world.engine_writes() - before;
                    let is_calm = wrote == 0 && ran.next_due.is_none() && !ran.again;
                    calm = if is_calm { calm + 1 } else { 0 };
                    if calm == 2 {
                        break;
                    }
                }
                Some(Err(error)) => return vec![format!("a quiet run failed: {error}")],
                None => return vec!["a quiet run never ended".to_owned()],
            }
        }
        if calm < 2 {
            return vec!["V2: it never comes to rest".to_owned()];
        }
        let mut violations = finish(oracle::judge(&self.world)).unwrap_or_default();
        let before = self.world.engine_writes();
        let runner = self.worker();
        if finish(self.world.run(&runner, Trigger::Schedule)).is_none_or(|result| result.is_err()) {
            violations.push("a second run failed".to_owned());
        }
        if self.world.engine_writes() != before {
            violations.push("V2: a second run writes".to_owned());
        }
        violations
    }
}

fn unknown(result: &Result<Ran, RunError>) -> u32 {
    u32::from(result.is_err())
}

/// Polls a future so many times. None if it was not done by then.
fn poll<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>, times: u32) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}

/// Polls a future to its end. None if it has none: nothing in the simulation waits for anything real.
fn finish<T>(future: impl Future<Output = T>) -> Option<T> {
    poll(pin!(future), 1_000_000)
}

/// Ids that differ from worker to worker, and not from one play of the seed to the next.
fn ids(seed: u64, worker: u32) -> Arc<SeededIds> {
    Arc::new(SeededIds::new(seed ^ (u64::from(worker) << 32)))
}

/// The real ladder: in virtual time it costs nothing.
fn timings() -> Timings {
    Timings::default()
}
