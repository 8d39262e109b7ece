//! Plays the steps of a seed: people act, hints come, time passes, workers run, stall and die.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;

use super::fence::Kept;
use super::world::World;
use super::{Profile, Stage, oracle};
use crate::runner::{Ran, RunError, Runner};
use crate::store::{Error, Trigger};

#[derive(Default)]
pub(super) struct Counts {
    workers: u32,
    pub(super) crashes: u32,
    pub(super) fenced: u32,
    pub(super) failed: u32,
    pub(super) told: u32,
}

pub(super) struct Player {
    pub(super) world: World,
    pub(super) rng: ChaCha12Rng,
    /// For notifications alone: a world is the same with them and without.
    pub(super) news: ChaCha12Rng,
    pub(super) profile: Profile,
    pub(super) stage: Stage,
    pub(super) counts: Counts,
    /// The laws that were broken on the way.
    pub(super) violations: Vec<String>,
}

/// How many rounds it may take until nothing is left to do.
const QUIET_ROUNDS: u32 = 30;

/// How a run ended: none if it was cut off.
type Ended = Option<Result<Ran, RunError>>;

impl Player {
    fn draw(&mut self, below: u32) -> u32 {
        self.rng.next_u32() % below.max(1)
    }

    pub(super) async fn step(&mut self) {
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
        // That of one that was cut off may still hold.
        let was_held = self.world.is_held().await;
        let trigger = self.trigger().await;
        let mut run = pin!(self.world.run(worker, trigger));
        let ended = match cut_off(run.as_mut(), points).await {
            Some(ended) => Some(ended),
            None => {
                let is_held = self.world.is_held().await;
                let is_ours = matches!((was_held, is_held), (Ok(false), Ok(true)));
                clock.advance(Duration::from_secs(61));
                let other = self.world.run(&second, Trigger::Schedule).await;
                let before = Kept::read(&self.world).await;
                let late = run.await;
                if is_ours && !matches!(other, Err(RunError::Busy)) {
                    let after = Kept::read(&self.world).await;
                    self.violations.extend(match (before, after) {
                        (Ok(before), Ok(after)) => {
                            before.check_fenced(&after, &self.world.call_max())
                        }
                        (Err(error), _) | (_, Err(error)) => oracle::unreadable(&error),
                    });
                }
                self.counts.fenced +=
                    u32::from(matches!(late, Err(RunError::Store(Error::Fenced))));
                Some(other)
            }
        };
        self.counts.failed += u32::from(matches!(ended, Some(Err(_))));
    }

    async fn run(&mut self, worker: &Runner, points: Option<u32>) -> Ended {
        let trigger = self.trigger().await;
        let run = pin!(self.world.run(worker, trigger));
        match points {
            Some(points) => cut_off(run, points).await,
            None => Some(run.await),
        }
    }

    /// What wakes a run: its time has come, or the apps tell what was done there.
    async fn trigger(&mut self) -> Trigger {
        if self.profile.told == 0 || self.news.next_u32() % 100 >= self.profile.told {
            return Trigger::Schedule;
        }
        // Of those it tells of in vain, the next reading hears.
        let _ = self.world.tell(&mut self.news).await;
        self.counts.told += 1;
        Trigger::Webhook
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

    /// Lets everything come to rest, and judges. False if it could not be judged as a whole: so many
    /// left that nothing is done until a person has looked, and there is none here.
    pub(super) async fn quiet(&mut self) -> bool {
        let (is_whole, wrong) = self.come_to_rest().await;
        self.violations.extend(wrong);
        is_whole
    }

    async fn come_to_rest(&mut self) -> (bool, Vec<String>) {
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
                Err(RunError::SideLost { .. }) => {
                    return (false, oracle::judge_unfinished(&self.world).await);
                }
                // A busy machine may need longer for a run than a lease in real time lasts.
                Err(RunError::Store(Error::Fenced)) if self.stage.leases_run_by.is_some() => {
                    calm = 0;
                }
                Err(error) => return (true, vec![format!("a quiet run failed: {error}")]),
            }
        }
        if calm < 2 {
            return (true, vec!["V2: it never comes to rest".to_owned()]);
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
        (true, violations)
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
