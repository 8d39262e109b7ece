//! A look at a connection: it is run, if it can be.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::cut_off::rests_until;
use super::due::{due, until};
use super::sweep::EVERY;
use super::{AGAIN_AFTER, Nudge};
use crate::accounts::{self, Accounts};
use crate::connectors::Connector;
use crate::ports::Clock;
use crate::record::{PerSide, Side};
use crate::runner::{NEEDS_RECONNECTING, RunError, Runner, awaits_answer_until};
use crate::store::{self, Connection, IssueRow, Store, Trigger};

/// How soon after a run that was asked for meanwhile.
const AT_ONCE: Duration = Duration::from_millis(50);

/// How many issues are looked through at once.
const ISSUES: u64 = 200;

/// What is done with a job.
#[async_trait]
pub trait Look: Send + Sync + 'static {
    /// Looks at a connection. Gives how long it rests after that, whatever the store says is due.
    async fn look(&self, nudge: Nudge) -> Duration;

    /// The process is to end: looks that go on end as soon as they can.
    fn stop(&self);
}

/// Runs connections with the accounts that they connect.
pub struct Looker {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    runner: Arc<Runner>,
    clock: Arc<dyn Clock>,
    again_after: Duration,
}

/// Why a connection can't run now.
enum Failed {
    Gone,
    Later,
}

impl Looker {
    /// What runs connections.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        accounts: Arc<Accounts>,
        runner: Arc<Runner>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, accounts, runner, clock, again_after: AGAIN_AFTER }
    }

    /// Has it try what could not run after another while than [`AGAIN_AFTER`]. Gives it back, to be
    /// chained.
    #[must_use]
    pub fn with_again_after(mut self, again_after: Duration) -> Self {
        self.again_after = again_after;
        self
    }

    async fn run(&self, nudge: Nudge) -> Result<Duration, Failed> {
        let Nudge { workspace, connection, trigger } = nudge;
        let known = self.store.connection(workspace, connection).await.map_err(of_store)?;
        let may_rest = match trigger {
            Trigger::Person => false,
            Trigger::Schedule => true,
            Trigger::Webhook | Trigger::Again => {
                let now = self.clock.now();
                let awaits = awaits_answer_until(self.store.as_ref(), &known, now).await;
                let last = self.store.runs(workspace, connection, 1).await.map_err(of_store)?;
                !known.is_running()
                    || awaits.map_err(of_store)?.is_some()
                    || rests_until(last.first(), self.again_after) > now
            }
        };
        if may_rest && let Some(rest) = self.rest(&known).await? {
            return Ok(rest);
        }
        // It would take long: others that were told of something must not wait for it.
        if trigger == Trigger::Webhook
            && !self.runner.reads_only_what_was_told(&known).await.map_err(|_| Failed::Later)?
        {
            return Ok(AT_ONCE);
        }
        let (connectors, is_told) = self.connectors(&known, trigger).await?;
        // One that reads only what it was told might not meet what it is to tell.
        let trigger = match trigger {
            Trigger::Webhook if is_told => Trigger::Again,
            other => other,
        };
        let ran = self.runner.run(workspace, connection, &connectors, trigger).await;
        let known = self.store.connection(workspace, connection).await.map_err(of_store)?;
        match ran {
            Ok(ran) if ran.again => Ok(AT_ONCE),
            Ok(_) => self.until_due(&known).await,
            Err(RunError::Changed) => Ok(AT_ONCE),
            Err(RunError::Busy | RunError::Stopped) => Ok(self.again_after),
            Err(error) => {
                eprintln!("run of {connection} stopped: {error}");
                // What failed in the store may not be in the history.
                if matches!(error, RunError::Store(_)) {
                    Err(Failed::Later)
                } else {
                    Ok(self.again_after)
                }
            }
        }
    }

    /// How long a connection may rest, if nothing of it is due: somebody else may have run it since
    /// the job was queued.
    async fn rest(&self, known: &Connection) -> Result<Option<Duration>, Failed> {
        let rest = self.until_due(known).await?;
        Ok((!rest.is_zero()).then_some(rest.max(EVERY)))
    }

    /// How long it is until something of a connection is due.
    async fn until_due(&self, known: &Connection) -> Result<Duration, Failed> {
        let now = self.clock.now();
        let due = due(self.store.as_ref(), known, now, self.again_after).await.map_err(of_store)?;
        Ok(due.map_or(self.again_after, |at| until(at, now)))
    }

    /// What reads and writes both sides, and whether a run with it is only to tell that an account needs
    /// reconnecting.
    async fn connectors(
        &self,
        known: &Connection,
        trigger: Trigger,
    ) -> Result<(PerSide<Arc<dyn Connector>>, bool), Failed> {
        let (mut opened, mut is_told) = (Vec::new(), false);
        for side in Side::BOTH {
            let feed = known.feeds.iter().find(|feed| feed.side == side).ok_or(Failed::Gone)?;
            let feed = self.store.feed(known.workspace, feed.feed).await.map_err(of_store)?;
            // What is not connected is tried again: somebody may be reconnecting it.
            let mut connector = self.accounts.open(known.workspace, feed.account).await;
            if let Err(accounts::Error::NotConnected) = &connector {
                is_told = is_told || self.is_to_be_told(known, side, trigger).await?;
                if is_told {
                    connector = self.accounts.closed(known.workspace, feed.account).await;
                }
            }
            opened.push(connector.map_err(|error| {
                if matches!(error, accounts::Error::Sealing(_)) {
                    let id = feed.account;
                    eprintln!(
                        "{id} can't be used: {error}; was it sealed with another secret key?"
                    );
                }
                Failed::Later
            })?);
        }
        let right = opened.pop().ok_or(Failed::Gone)?;
        let left = opened.pop().ok_or(Failed::Gone)?;
        Ok((PerSide { left, right }, is_told))
    }

    /// Whether a run is to be begun that ends with an issue, because the account of a side needs
    /// reconnecting: once, and whenever a person wants to hear it.
    async fn is_to_be_told(
        &self,
        known: &Connection,
        side: Side,
        trigger: Trigger,
    ) -> Result<bool, Failed> {
        if trigger == Trigger::Person {
            return Ok(true);
        }
        let is_it = |issue: &IssueRow| issue.code == NEEDS_RECONNECTING && issue.side == Some(side);
        let (store, workspace) = (&self.store, known.workspace);
        let mut before = None;
        loop {
            let page = store.issues(workspace, known.id, true, before, ISSUES).await;
            let page = page.map_err(of_store)?;
            if page.iter().any(is_it) {
                return Ok(false);
            }
            let Some(last) = page.last() else { return Ok(true) };
            before = Some(last.id);
        }
    }
}

#[async_trait]
impl Look for Looker {
    async fn look(&self, nudge: Nudge) -> Duration {
        match self.run(nudge).await {
            Ok(rest) => rest,
            Err(Failed::Gone) => self.again_after,
            Err(Failed::Later) => {
                // If even this can't be written, it waits for its schedule.
                let _ = self.store.ask_again(nudge.workspace, nudge.connection).await;
                self.again_after
            }
        }
    }

    fn stop(&self) {
        self.runner.stop();
    }
}

fn of_store(error: store::Error) -> Failed {
    match error {
        store::Error::NotFound(_) => Failed::Gone,
        _ => Failed::Later,
    }
}
