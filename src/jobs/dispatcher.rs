//! Runs what is nudged or due, each connection once at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Nudge;
use crate::accounts::Accounts;
use crate::planner::SyncState;
use crate::ports::Clock;
use crate::record::{PerSide, Side};
use crate::runner::{RunError, Runner};
use crate::store::{self, ConnectionId, Store, Trigger, WorkspaceId};

/// How soon a connection that could not run is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How soon after a run that was asked for meanwhile.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Runs what is nudged or due.
pub struct Dispatcher {
    inbox: mpsc::UnboundedReceiver<Nudge>,
    shared: Shared,
    /// What is running, and whether it was nudged meanwhile.
    running: BTreeMap<ConnectionId, Option<Nudge>>,
    /// What wakes by itself, and when.
    waking: BTreeMap<ConnectionId, (Instant, Nudge)>,
    runs: JoinSet<(Nudge, Option<Duration>)>,
}

#[derive(Clone)]
struct Shared {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    runner: Arc<Runner>,
    clock: Arc<dyn Clock>,
}

impl Dispatcher {
    pub(super) fn new(
        inbox: mpsc::UnboundedReceiver<Nudge>,
        store: Arc<dyn Store>,
        accounts: Arc<Accounts>,
        runner: Arc<Runner>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            inbox,
            shared: Shared { store, accounts, runner, clock },
            running: BTreeMap::new(),
            waking: BTreeMap::new(),
            runs: JoinSet::new(),
        }
    }

    /// Runs connections until nobody can nudge any more.
    ///
    /// # Errors
    /// If the store can't be read at the start.
    pub async fn run(mut self) -> Result<(), store::Error> {
        self.wake_all().await?;
        loop {
            let next = self.waking.values().map(|(at, _)| *at).min();
            tokio::select! {
                nudge = self.inbox.recv() => match nudge {
                    Some(nudge) => self.begin(nudge),
                    None => return Ok(()),
                },
                Some(ended) = self.runs.join_next(), if !self.runs.is_empty() => {
                    if let Ok((nudge, wait)) = ended {
                        self.end(nudge, wait);
                    }
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    self.begin_due();
                }
            }
        }
    }

    /// At the start everything that runs by itself is looked at once.
    async fn wake_all(&mut self) -> Result<(), store::Error> {
        for workspace in self.shared.store.workspaces().await? {
            for connection in self.shared.store.connections(workspace.id).await? {
                let is_running = Side::BOTH.iter().any(|side| {
                    connection.settings.sync(*side).is_some_and(|s| s.state == SyncState::Running)
                });
                if is_running {
                    let trigger = Trigger::Schedule;
                    self.begin(Nudge {
                        workspace: workspace.id,
                        connection: connection.id,
                        trigger,
                    });
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, nudge: Nudge) {
        self.waking.remove(&nudge.connection);
        if let Some(again) = self.running.get_mut(&nudge.connection) {
            *again = Some(nudge);
            return;
        }
        self.running.insert(nudge.connection, None);
        let shared = self.shared.clone();
        self.runs.spawn(async move {
            let wait = shared.run(nudge).await;
            (nudge, wait)
        });
    }

    fn begin_due(&mut self) {
        let now = Instant::now();
        let due: Vec<Nudge> =
            self.waking.values().filter(|(at, _)| *at <= now).map(|(_, nudge)| *nudge).collect();
        for nudge in due {
            self.begin(nudge);
        }
    }

    fn end(&mut self, nudge: Nudge, wait: Option<Duration>) {
        match self.running.remove(&nudge.connection).flatten() {
            Some(again) => self.begin(again),
            None => {
                if let Some(wait) = wait {
                    let nudge = Nudge { trigger: Trigger::Schedule, ..nudge };
                    self.waking.insert(nudge.connection, (Instant::now() + wait, nudge));
                }
            }
        }
    }
}

impl Shared {
    /// Runs a connection. Gives how long it sleeps; none if it wakes no more by itself.
    async fn run(&self, nudge: Nudge) -> Option<Duration> {
        let Nudge { workspace, connection, trigger } = nudge;
        let connectors = match self.connectors(workspace, connection).await {
            Ok(connectors) => connectors,
            Err(Failed::Gone) => return None,
            Err(Failed::Later) => return Some(AGAIN),
        };
        let ran = self.runner.run(workspace, connection, &connectors, trigger).await;
        let every = self.every(workspace, connection).await?;
        match ran {
            Ok(ran) if ran.again => Some(AT_ONCE),
            Ok(ran) => {
                let due = ran.next_due.map(|at| self.until(at));
                Some(due.map_or(every, |due| due.min(every)))
            }
            Err(RunError::Changed) => Some(AT_ONCE),
            Err(RunError::Busy) => Some(AGAIN),
            Err(error) => {
                eprintln!("run of {connection} stopped: {error}");
                Some(AGAIN)
            }
        }
    }

    fn until(&self, at: Timestamp) -> Duration {
        let left = at.duration_since(self.clock.now());
        Duration::try_from(left).unwrap_or_default().max(AT_ONCE)
    }

    async fn every(&self, workspace: WorkspaceId, connection: ConnectionId) -> Option<Duration> {
        let known = self.store.connection(workspace, connection).await.ok()?;
        Some(Duration::from_secs(u64::from(known.settings.every_minutes.max(1)) * 60))
    }

    async fn connectors(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<PerSide<Arc<dyn crate::connectors::Connector>>, Failed> {
        let known = self.store.connection(workspace, connection).await.map_err(of_store)?;
        let mut opened = Vec::new();
        for side in Side::BOTH {
            let feed = known.feeds.iter().find(|feed| feed.side == side).ok_or(Failed::Gone)?;
            let feed = self.store.feed(workspace, feed.feed).await.map_err(of_store)?;
            // What is not connected is tried again: somebody may be reconnecting it.
            let connector = self.accounts.open(workspace, feed.account).await;
            opened.push(connector.map_err(|_| Failed::Later)?);
        }
        let right = opened.pop().ok_or(Failed::Gone)?;
        let left = opened.pop().ok_or(Failed::Gone)?;
        Ok(PerSide { left, right })
    }
}

/// Why a connection can't run now.
enum Failed {
    Gone,
    Later,
}

fn of_store(error: store::Error) -> Failed {
    match error {
        store::Error::NotFound(_) => Failed::Gone,
        _ => Failed::Later,
    }
}
