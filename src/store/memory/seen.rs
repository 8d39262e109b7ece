//! What was seen, and what is to be looked at again.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::{Row, State};
use crate::planner::{Key, Presence, Seen};
use crate::record::{Record, RemoteId};
use crate::store::key::{KeyHash, hash};
use crate::store::{Error, Feed, FeedId, Observation, Observed, Result, SeenRow, WorkspaceId};

/// What became of observations.
#[derive(Default)]
pub(super) struct Saw {
    /// The records of which anything that is compared changed.
    changed: BTreeSet<RemoteId>,
    /// Those that were left as they are, to be looked at again.
    pub(super) outdated: Vec<(RemoteId, Timestamp)>,
}

impl State {
    pub(super) fn observe(
        &mut self,
        workspace: WorkspaceId,
        observation: &Observation,
    ) -> Result<BTreeSet<RemoteId>> {
        let saw = self.see(workspace, observation.feed, observation.records.iter())?;
        if let Some(step) = &observation.step {
            let feed = self.feed_mut(workspace, observation.feed)?;
            if feed.cursor == step.from {
                feed.cursor = Some(step.to.clone());
            }
        }
        for id in &observation.answered {
            let hint = (workspace, observation.feed, id.clone());
            if self.hints.get(&hint).is_some_and(|due| *due <= observation.answered_up_to) {
                self.hints.remove(&hint);
            }
        }
        for (id, due) in saw.outdated {
            self.hint(workspace, observation.feed, &id, due);
        }
        Ok(saw.changed)
    }

    pub(super) fn feed_mut(&mut self, workspace: WorkspaceId, id: FeedId) -> Result<&mut Feed> {
        self.feeds.get_mut(&(workspace, id)).ok_or(Error::NotFound("feed"))
    }

    /// Remembers observations, in order.
    pub(super) fn see<'a>(
        &mut self,
        workspace: WorkspaceId,
        feed: FeedId,
        observed: impl Iterator<Item = &'a Observed>,
    ) -> Result<Saw> {
        let since = self.feed(workspace, feed)?.last_change;
        let mut saw = Saw::default();
        for one in observed {
            self.see_one(workspace, feed, since, one, &mut saw)?;
        }
        Ok(saw)
    }

    /// Remembers one observation of a page; `since` is the last change before it.
    fn see_one(
        &mut self,
        workspace: WorkspaceId,
        feed: FeedId,
        since: u64,
        observed: &Observed,
        saw: &mut Saw,
    ) -> Result<()> {
        let rows = self.seen.entry((workspace, feed)).or_default();
        let known = rows.get(&observed.id);
        // Nothing can be said of a record that is gone and was never seen.
        if known.is_none() && observed.record.is_none() {
            return Ok(());
        }
        if known.is_some_and(|row| row.seen.presence.outlasts(observed.presence)) {
            return Ok(());
        }
        let became = observed.now(known.and_then(|row| row.seen.became.as_ref()));
        let same = known.is_some_and(|row| {
            let is_there = row.seen.presence == observed.presence && row.seen.became == became;
            observed.is_as(&row.hash) && is_there
        });
        // What came before it on the same page is no newer.
        let is_outdated = |row: &Row| row.change <= since && row.change > observed.as_of;
        if let Some(row) = known.filter(|row| is_outdated(row)) {
            // What is the same by fewer fields has still to be read with all of them.
            if row.hash != observed.hash || row.seen.presence != observed.presence {
                saw.outdated.push((observed.id.clone(), observed.at));
            }
            return Ok(());
        }
        let record = match (&observed.record, known) {
            (Some(record), _) => record.clone(),
            (None, Some(row)) => row.seen.record.clone(),
            (None, None) => Record::new("", observed.id.clone()),
        };
        let old_keys = known.map(|row| row.keys.clone()).unwrap_or_default();
        let keys: BTreeSet<KeyHash> = match observed.presence {
            Presence::Live => observed.keys.iter().map(|key| hash(workspace, key)).collect(),
            Presence::Gone | Presence::Forbidden | Presence::Left => BTreeSet::new(),
        };
        let old_change = known.map(|row| row.change).unwrap_or_default();
        for key in &old_keys {
            self.keys.remove(&(feed, *key, observed.id.clone()));
        }
        for key in &keys {
            self.keys.insert((feed, *key, observed.id.clone()));
        }
        let change = if same {
            old_change
        } else {
            let feed = self.feed_mut(workspace, feed)?;
            feed.last_change += 1;
            feed.last_change
        };
        let seen = Seen { record, presence: observed.presence, became };
        let row = Row { change, seen, hash: observed.hash, keys };
        self.seen.entry((workspace, feed)).or_default().insert(observed.id.clone(), row);
        saw.changed.extend((!same).then(|| observed.id.clone()));
        Ok(())
    }

    fn rows(&self, workspace: WorkspaceId, feed: FeedId) -> impl Iterator<Item = SeenRow> {
        self.seen.get(&(workspace, feed)).into_iter().flatten().map(move |(_, row)| SeenRow {
            feed,
            change: row.change,
            seen: row.seen.clone(),
        })
    }

    pub(super) fn seen_after(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        change: u64,
        limit: u64,
    ) -> Vec<SeenRow> {
        let mut rows: Vec<SeenRow> =
            self.rows(workspace, feed).filter(|row| row.change > change).collect();
        rows.sort_by_key(|row| row.change);
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        rows
    }

    pub(super) fn seen_by_id(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Vec<SeenRow> {
        let Some(rows) = self.seen.get(&(workspace, feed)) else { return Vec::new() };
        ids.iter()
            .filter_map(|id| rows.get(id))
            .map(|row| SeenRow { feed, change: row.change, seen: row.seen.clone() })
            .collect()
    }

    pub(super) fn seen_by_keys(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        keys: &BTreeSet<Key>,
    ) -> Vec<SeenRow> {
        let mut ids = BTreeSet::new();
        for key in keys {
            let key = hash(workspace, key);
            let from = (feed, key, RemoteId::new(""));
            let same = self.keys.range(from..).take_while(|(f, k, _)| (*f, *k) == (feed, key));
            ids.extend(same.map(|(_, _, id)| id.clone()));
        }
        self.seen_by_id(workspace, feed, &ids)
    }

    pub(super) fn count_live(&self, workspace: WorkspaceId, feed: FeedId) -> u64 {
        let live = self
            .seen
            .get(&(workspace, feed))
            .into_iter()
            .flatten()
            .filter(|(_, row)| row.seen.presence == Presence::Live);
        live.count() as u64
    }

    pub(super) fn hint(
        &mut self,
        workspace: WorkspaceId,
        feed: FeedId,
        id: &RemoteId,
        due: Timestamp,
    ) {
        let at = self.hints.entry((workspace, feed, id.clone())).or_insert(due);
        *at = due.max(*at);
    }

    pub(super) fn due_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        now: Timestamp,
        limit: u64,
    ) -> BTreeSet<RemoteId> {
        let is_due = |((ws, of, _), due): &(&(WorkspaceId, FeedId, RemoteId), &Timestamp)| {
            *ws == workspace && *of == feed && **due <= now
        };
        let mut due: Vec<_> = self.hints.iter().filter(is_due).collect();
        due.sort_by_key(|(_, at)| Reverse(**at));
        let newest = due.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
        newest.map(|((_, _, id), _)| id.clone()).collect()
    }

    pub(super) fn hinted(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> BTreeSet<RemoteId> {
        let is_hinted = |id: &&RemoteId| self.hints.contains_key(&(workspace, feed, (*id).clone()));
        ids.iter().filter(is_hinted).cloned().collect()
    }
}
