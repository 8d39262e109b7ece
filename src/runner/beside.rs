//! The other records of the people who are linked: those that permission reaches too, and those that
//! theirs may become.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::plan::end_of;
use super::session::Session;
use crate::planner::{Channel, Held, Key, LinkState, Other, Presence};
use crate::record::{PerSide, Side};
use crate::store::{End, FeedId, LinkId, LinkRow, SeenRow};

impl Session<'_> {
    /// The records of the same people as these pairs that nothing is linked to and that say otherwise
    /// who may be written to.
    pub(super) async fn companions(
        &self,
        rows: &[LinkRow],
        seen: &BTreeMap<End, SeenRow>,
    ) -> Result<BTreeSet<End>, RunError> {
        let settings = &self.connection.settings;
        let mut companions = BTreeSet::new();
        for side in Side::BOTH.into_iter().filter(|side| self.has_several_objects(*side)) {
            let pairs: Vec<(BTreeSet<Key>, BTreeSet<Channel>)> = rows
                .iter()
                .map(|row| (self.keys_of_pair(row, seen), self.forbidden_of_pair(row, seen)))
                .collect();
            let keys: BTreeSet<Key> = pairs.iter().flat_map(|(keys, _)| keys).cloned().collect();
            if settings.consent.is_empty() || keys.is_empty() {
                continue;
            }
            for feed in self.feeds_of(side) {
                let store = &self.runner.store;
                for row in store.seen_by_keys(self.connection.workspace, feed, &keys).await? {
                    let theirs = self.candidate(side, &row, Held::Free).keys;
                    let forbidden = settings.forbidden(side, &row.seen.record);
                    let differs = |(keys, of_pair): &(BTreeSet<Key>, BTreeSet<Channel>)| {
                        !keys.is_disjoint(&theirs) && *of_pair != forbidden
                    };
                    companions.extend(pairs.iter().any(differs).then(|| end_of(&row)));
                }
            }
        }
        let linked = self.linked_of(&companions).await?;
        Ok(companions.difference(&linked).cloned().collect())
    }

    /// Whom the records of these pairs may become, where a rule makes something else of them: those who
    /// share a key with one of the pair.
    pub(super) async fn others(
        &self,
        rows: &[LinkRow],
        seen: &BTreeMap<End, SeenRow>,
    ) -> Result<BTreeMap<LinkId, PerSide<Vec<Other>>>, RunError> {
        let settings = &self.connection.settings;
        let mut others: BTreeMap<LinkId, PerSide<Vec<Other>>> = BTreeMap::new();
        for side in Side::BOTH {
            let mut wanted: BTreeMap<FeedId, BTreeMap<LinkId, BTreeSet<Key>>> = BTreeMap::new();
            for row in rows {
                let object = seen.get(row.ends.of(side)).map(|row| &row.seen.record.object);
                let becomes = object.and_then(|object| settings.becomes(side, object));
                let Some(feed) = becomes.and_then(|object| self.feed_of(side, object)) else {
                    continue;
                };
                let keys = self.keys_of_pair(row, seen);
                wanted.entry(feed.id).or_default().insert(row.id, keys);
            }
            for (feed, keys) in wanted {
                let all = keys.values().flatten().cloned().collect();
                let (store, workspace) = (&self.runner.store, self.connection.workspace);
                let found = store.seen_by_keys(workspace, feed, &all).await?;
                let linked = self.linked_of(&found.iter().map(end_of).collect()).await?;
                for row in found {
                    let theirs = self.candidate(side, &row, Held::Free).keys;
                    let is_linked = linked.contains(&end_of(&row));
                    for (link, _) in keys.iter().filter(|(_, keys)| !keys.is_disjoint(&theirs)) {
                        let other = Other { name: row.seen.record.name(), is_linked };
                        others.entry(*link).or_default().of_mut(side).push(other);
                    }
                }
            }
        }
        Ok(others)
    }

    /// Of links whose record was merged into one of another link: the side of the record that is left
    /// over, and the one that its partner became.
    pub(super) async fn survivors(
        &self,
        rows: &[LinkRow],
        seen: &BTreeMap<End, SeenRow>,
    ) -> Result<BTreeMap<LinkId, (Side, SeenRow)>, RunError> {
        let mut wanted: BTreeMap<LinkId, (Side, End)> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.link.state == LinkState::Merged) {
            for (side, end) in row.ends.iter() {
                let became = seen.get(end).and_then(|row| row.seen.became.as_ref());
                if let Some(became) = became.and_then(|became| self.end(side, became)) {
                    wanted.insert(row.id, (side.other(), became));
                }
            }
        }
        let ends = wanted.values().map(|(_, end)| end.clone()).collect();
        let known = self.seen_rows(&ends).await?;
        let found = wanted.into_iter();
        Ok(found
            .filter_map(|(link, (side, end))| Some((link, (side, known.get(&end)?.clone()))))
            .collect())
    }

    /// Those of these records that are ends of links.
    pub(super) async fn linked_of(&self, ends: &BTreeSet<End>) -> Result<BTreeSet<End>, RunError> {
        let links = self.links_of(ends).await?.into_values();
        Ok(links.flat_map(|row| [row.ends.left, row.ends.right]).collect())
    }

    /// What the live records of a pair are recognised by.
    fn keys_of_pair(&self, row: &LinkRow, seen: &BTreeMap<End, SeenRow>) -> BTreeSet<Key> {
        let live = live_of(row, seen);
        live.flat_map(|(side, row)| self.candidate(side, row, Held::Linked).keys).collect()
    }

    /// By which channels either record of a pair says that its person may not be written to.
    fn forbidden_of_pair(&self, row: &LinkRow, seen: &BTreeMap<End, SeenRow>) -> BTreeSet<Channel> {
        let settings = &self.connection.settings;
        let live = live_of(row, seen);
        live.flat_map(|(side, row)| settings.forbidden(side, &row.seen.record)).collect()
    }
}

fn live_of<'a>(
    row: &'a LinkRow,
    seen: &'a BTreeMap<End, SeenRow>,
) -> impl Iterator<Item = (Side, &'a SeenRow)> {
    let known = row.ends.iter().filter_map(|(side, end)| Some((side, seen.get(end)?)));
    known.filter(|(_, row)| row.seen.presence == Presence::Live)
}
