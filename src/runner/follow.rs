//! Records that have become others: a lead that was converted is a contact from then on, and what was
//! linked to the lead is linked to the contact.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::approval::Mode;
use super::plan::end_of;
use super::session::Session;
use crate::planner::{LinkState, Presence, record_keys};
use crate::record::{RemoteId, Side};
use crate::store::{End, FeedId, LinkRow, SeenRow, Settlement};

/// A record of a link, and the one that takes its place.
struct Step {
    /// The place of the link among those that are looked at.
    at: usize,
    side: Side,
    from: SeenRow,
    to: End,
}

impl Session<'_> {
    /// These links, with the records that theirs have become: the one that the app names, or, where one
    /// is gone, another of the same person that its side has of another object. Both are written down
    /// before anything is planned.
    pub(super) async fn follow(&self, mut rows: Vec<LinkRow>) -> Result<Vec<LinkRow>, RunError> {
        if !Side::BOTH.iter().any(|side| self.has_several_objects(*side)) {
            return Ok(rows);
        }
        let steps = self.steps(&rows).await?;
        let targets: BTreeSet<End> = steps.iter().map(|step| step.to.clone()).collect();
        let seen = self.read_unseen(&targets).await?;
        let holders = self.links_of(&targets).await?;
        let mut taken: BTreeSet<End> =
            holders.into_values().flat_map(|row| [row.ends.left, row.ends.right]).collect();
        let mut settlement = Settlement::default();
        for step in steps {
            let (Some(row), Some(to)) = (rows.get_mut(step.at), seen.get(&step.to)) else {
                continue;
            };
            if taken.insert(step.to.clone()) {
                let (from, to) = (&step.from.seen.record, &to.seen.record);
                row.link = row.link.moved(&self.connection.settings, step.side, from, to);
                let left = std::mem::replace(row.ends.of_mut(step.side), step.to);
                self.tell_left(left, &mut settlement);
            } else {
                row.link = row.link.merged();
            }
            settlement.links.push(row.clone());
        }
        // A plan looks at how it will be, and leaves it as it is.
        if !matches!(self.mode, Mode::Plan(_)) {
            self.write_down(settlement).await?;
        }
        Ok(rows)
    }

    /// Which records of these links others take the place of.
    async fn steps(&self, rows: &[LinkRow]) -> Result<Vec<Step>, RunError> {
        let ends = rows.iter().flat_map(|row| [row.ends.left.clone(), row.ends.right.clone()]);
        let mut seen = self.seen_rows(&ends.collect()).await?;
        let mut steps = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            if matches!(row.link.state, LinkState::Severed | LinkState::Merged) {
                continue;
            }
            for (side, end) in row.ends.iter() {
                let Some(from) = seen.remove(end) else { continue };
                let to = match from.seen.presence {
                    Presence::Left => {
                        from.seen.became.as_ref().and_then(|became| self.end(side, became))
                    }
                    Presence::Gone if !row.link.state.is_gone(side) => {
                        self.heir(side, &from).await?
                    }
                    Presence::Gone | Presence::Forbidden | Presence::Live => None,
                };
                steps.extend(to.map(|to| Step { at, side, from, to }));
            }
        }
        Ok(steps)
    }

    /// The only record of another object of its side that shares a key with one that is gone, if nothing
    /// is linked to it.
    async fn heir(&self, side: Side, gone: &SeenRow) -> Result<Option<End>, RunError> {
        let settings = &self.connection.settings;
        let (mut keys, _) = record_keys(&gone.seen.record, settings.sides.of(side));
        keys.retain(|key| settings.match_keys.contains(&key.kind));
        let mut heirs = BTreeSet::new();
        for feed in self.feeds_of(side).into_iter().filter(|feed| *feed != gone.feed) {
            let store = &self.runner.store;
            let rows = store.seen_by_keys(self.connection.workspace, feed, &keys).await?;
            heirs.extend(rows.iter().map(end_of));
        }
        let is_free = heirs.len() == 1 && self.links_of(&heirs).await?.is_empty();
        Ok(heirs.pop_first().filter(|_| is_free))
    }

    /// What is known of these records; those that nobody has seen yet are read.
    async fn read_unseen(&self, ends: &BTreeSet<End>) -> Result<BTreeMap<End, SeenRow>, RunError> {
        let seen = self.seen_rows(ends).await?;
        let mut unseen: BTreeMap<FeedId, BTreeSet<RemoteId>> = BTreeMap::new();
        for end in ends.iter().filter(|end| !seen.contains_key(end)) {
            unseen.entry(end.feed).or_default().insert(end.id.clone());
        }
        if unseen.is_empty() {
            return Ok(seen);
        }
        for (feed, ids) in unseen {
            let Some(side) = self.side(feed) else { continue };
            let read = self.look_at(side, feed, &ids).await?;
            self.remember(feed, read).await?;
        }
        self.seen_rows(ends).await
    }

    /// The records of the same people as these pairs that nothing is linked to, where one of a pair has
    /// permission taken away: it holds for them too.
    pub(super) async fn companions(
        &self,
        rows: &[LinkRow],
        seen: &BTreeMap<End, SeenRow>,
    ) -> Result<BTreeSet<End>, RunError> {
        let settings = &self.connection.settings;
        let mut companions = BTreeSet::new();
        for side in Side::BOTH.into_iter().filter(|side| self.has_several_objects(*side)) {
            let mut keys = BTreeSet::new();
            for (of, end) in rows.iter().flat_map(|row| row.ends.iter()) {
                let Some(row) = seen.get(end) else { continue };
                let is_live = row.seen.presence == Presence::Live;
                if is_live && settings.forbids(of, &row.seen.record) {
                    keys.extend(record_keys(&row.seen.record, settings.sides.of(of)).0);
                }
            }
            keys.retain(|key| settings.match_keys.contains(&key.kind));
            if keys.is_empty() {
                continue;
            }
            for feed in self.feeds_of(side) {
                let store = &self.runner.store;
                let found = store.seen_by_keys(self.connection.workspace, feed, &keys).await?;
                let may = |row: &&SeenRow| !settings.forbids(side, &row.seen.record);
                companions.extend(found.iter().filter(may).map(end_of));
            }
        }
        let linked = self.links_of(&companions).await?;
        let linked = linked.into_values().flat_map(|row| [row.ends.left, row.ends.right]);
        for end in linked {
            companions.remove(&end);
        }
        Ok(companions)
    }
}
