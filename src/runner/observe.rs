//! Reading both sides: what changed, and what somebody hinted at. Both are always read, also for a
//! sync that goes one way.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::RunError;
use super::reading::Missed;
use super::session::{Session, app_error, later};
use crate::connectors::{Change, ErrorKind, Fetched};
use crate::planner::Presence;
use crate::record::{RemoteId, Side};
use crate::store::{FeedId, Observation, Observed, Step};

/// Hints that are due so soon are read too, so that those of one moment are one run's. A little less than
/// a hint waits for others: one that comes while its record is read is due later.
const SOON: Duration = Duration::from_millis(1900);

impl Session<'_> {
    /// Reads both sides at once. Where one fails the other is read to its end all the same: it may be
    /// about to keep a new key.
    pub(super) async fn observe(&mut self) -> Result<(), RunError> {
        let now = self.now();
        self.read_at.extend(self.feeds.keys().map(|feed| (*feed, now)));
        let missed = Missed::default();
        let (left, right) = tokio::join!(
            self.observe_side(Side::Left, &missed),
            self.observe_side(Side::Right, &missed)
        );
        self.note_missed(&missed);
        self.observed_at = self.now();
        left.and(right)
    }

    /// Keeps what was missed.
    pub(super) fn note_missed(&mut self, missed: &Missed) {
        self.report.missed_by_webhooks += missed.changes();
        self.silent.extend(missed.silent());
    }

    async fn observe_side(&self, of: Side, missed: &Missed) -> Result<(), RunError> {
        for feed in self.feeds_of(of) {
            self.read_feed(of, feed, missed).await?;
        }
        Ok(())
    }

    /// Reads what changed in a feed, and what was told of it.
    pub(super) async fn read_feed(
        &self,
        side: Side,
        feed: FeedId,
        missed: &Missed,
    ) -> Result<(), RunError> {
        self.read_changes(side, feed, missed).await?;
        self.read_hints(side, feed).await
    }

    /// Page by page: each is remembered, with where to go on, before the next is read.
    async fn read_changes(
        &self,
        side: Side,
        feed: FeedId,
        missed: &Missed,
    ) -> Result<(), RunError> {
        let mut asked = self.ask(side, feed).await?;
        let mut from = asked.feed.cursor.clone();
        let mut cursor = asked.cursor(self.connector(side));
        let mut is_restarted = false;
        loop {
            let page = match self.connector(side).changes(&asked.query, cursor.as_deref()).await {
                Err(error) if error.kind == ErrorKind::CursorLost && cursor.is_some() => {
                    let kept = cursor.and_then(|lost| self.connector(side).restart(&lost));
                    // Should that be lost too, nothing of it is any good.
                    cursor = kept.filter(|_| !is_restarted);
                    is_restarted = true;
                    self.hold().await?;
                    continue;
                }
                other => other.map_err(app_error(side))?,
            };
            if let Some(moment) = page.moment {
                asked.tells_of(moment);
            }
            let mut records = Vec::new();
            let mut reported_gone = BTreeSet::new();
            for change in page.changes {
                match change {
                    Change::Seen(record) => records.push(asked.seen(record)),
                    Change::Gone(id) => {
                        reported_gone.insert(id);
                    }
                    Change::Left(departure) => records.push(asked.left(departure)),
                }
            }
            records.extend(self.look_at(side, feed, &reported_gone).await?);
            let on_their_way = self.reading.on_their_way(&records, self.now());
            let overdue = self.reading.overdue(feed, &records, self.now());
            let step = Step { from, to: asked.mark(page.cursor.clone(), page.is_last) };
            from = Some(step.to.clone());
            let observation = Observation { step: Some(step), ..Observation::of(feed, records) };
            let changed = self.runner.store.observe(&self.held, &observation).await?;
            let (reading, workspace) = (&self.reading, self.connection.workspace);
            let changed = changed.difference(&on_their_way).cloned().collect();
            let untold = reading.untold(self.runner, workspace, feed, changed).await?;
            missed.count(side, &untold, &overdue);
            if page.is_last {
                return Ok(());
            }
            cursor = Some(page.cursor);
            asked = self.ask(side, feed).await?;
        }
    }

    /// Reads a slice of what was told of each feed, the newest first. False if nothing is left.
    pub(super) async fn observe_told(&mut self) -> Result<bool, RunError> {
        let up_to = self.soon();
        let read = async |of: Side| {
            let mut is_any = false;
            for feed in self.feeds_of(of) {
                is_any |= self.read_slice(of, feed, up_to).await?;
            }
            Ok::<bool, RunError>(is_any)
        };
        let (left, right) = tokio::join!(read(Side::Left), read(Side::Right));
        self.observed_at = self.now();
        Ok(left? | right?)
    }

    async fn read_hints(&self, side: Side, feed: FeedId) -> Result<(), RunError> {
        // Whoever is hinted at from here on is read by the next run.
        let up_to = self.soon();
        while self.read_slice(side, feed, up_to).await? {}
        Ok(())
    }

    /// Up to when hints are read that are read now.
    fn soon(&self) -> Timestamp {
        later(self.now(), SOON)
    }

    /// Reads some of the records that somebody hinted at and that are due by then. False if there are
    /// none.
    async fn read_slice(
        &self,
        side: Side,
        feed: FeedId,
        up_to: Timestamp,
    ) -> Result<bool, RunError> {
        let store = &self.runner.store;
        let max = self.connector(side).capability().read_many_max as u64;
        let due = store.due_hints(self.connection.workspace, feed, up_to, max).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let records = self.look_at(side, feed, &due).await?;
        let read = Observation::of(feed, records);
        let observation = Observation { answered: due, answered_up_to: up_to, ..read };
        store.observe(&self.held, &observation).await?;
        Ok(true)
    }

    /// Reads records directly. Only this makes a reported deletion believed.
    pub(super) async fn look_at(
        &self,
        side: Side,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<Observed>, RunError> {
        let max = self.connector(side).capability().read_many_max.max(1);
        let ids: Vec<&RemoteId> = ids.iter().collect();
        let mut seen = Vec::new();
        for chunk in ids.chunks(max) {
            let asked = self.ask(side, feed).await?;
            let chunk: BTreeSet<RemoteId> = chunk.iter().copied().cloned().collect();
            let answers = self.connector(side).fetch(&asked.query, &chunk).await;
            for answer in answers.map_err(app_error(side))? {
                seen.push(match answer {
                    Fetched::Live(record) => asked.seen(record),
                    Fetched::Gone(id) => asked.unseen(id, Presence::Gone),
                    Fetched::Forbidden(id) => asked.unseen(id, Presence::Forbidden),
                    Fetched::Left(departure) => asked.left(departure),
                });
            }
        }
        Ok(seen)
    }

    /// Writes down what was read.
    pub(super) async fn remember(
        &self,
        feed: FeedId,
        records: Vec<Observed>,
    ) -> Result<(), RunError> {
        self.runner.store.observe(&self.held, &Observation::of(feed, records)).await?;
        Ok(())
    }
}
