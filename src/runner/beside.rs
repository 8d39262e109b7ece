//! The other records of the people who are linked: those that permission reaches too, and those that
//! theirs may become.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::plan::end_of;
use super::session::Session;
use crate::planner::{Candidate, Channel, Held, Key, LinkState, Other, Presence, same_person};
use crate::record::{PerSide, Side};
use crate::store::{End, Feed, FeedId, LinkId, LinkRow, SeenRow};

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
                .map(|row| (all_keys(&self.pair_of(row, seen)), self.forbidden_of_pair(row, seen)))
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

    /// Whom the records of these pairs may become, where a rule makes something else of them.
    pub(super) async fn others(
        &self,
        rows: &[LinkRow],
        seen: &BTreeMap<End, SeenRow>,
    ) -> Result<BTreeMap<LinkId, PerSide<Vec<Other>>>, RunError> {
        let mut others: BTreeMap<LinkId, PerSide<Vec<Other>>> = BTreeMap::new();
        for side in Side::BOTH {
            let mut wanted: BTreeMap<FeedId, Vec<(LinkId, Vec<Candidate>)>> = BTreeMap::new();
            for row in rows {
                let becomes = seen.get(row.ends.of(side)).and_then(|row| self.becomes(side, row));
                let Some(feed) = becomes else { continue };
                wanted.entry(feed.id).or_default().push((row.id, self.pair_of(row, seen)));
            }
            for (feed, pairs) in wanted {
                let keys = pairs.iter().flat_map(|(_, pair)| all_keys(pair)).collect();
                let found = self.carriers(side, &[feed], &keys).await?;
                for (link, pair) in pairs {
                    let of_side = self.same_person(&pair, &found);
                    *others.entry(link).or_default().of_mut(side) = of_side;
                }
            }
        }
        Ok(others)
    }

    /// Among which records is what a record may become, where a rule makes something else of it.
    pub(super) fn becomes(&self, side: Side, row: &SeenRow) -> Option<&Feed> {
        let object = self.connection.settings.becomes(side, &row.seen.record.object)?;
        self.feed_of(side, object)
    }

    /// Which of these records are the person of a pair.
    pub(super) fn same_person<'c>(
        &self,
        pair: &[Candidate],
        found: impl IntoIterator<Item = &'c Candidate>,
    ) -> Vec<Other> {
        let other =
            |one: &Candidate| Other { name: one.id.clone(), is_linked: one.held != Held::Free };
        let found = same_person(pair, found, &self.connection.settings.match_keys);
        found.into_iter().map(other).collect()
    }

    /// The live records in these feeds of a side that carry any of these keys.
    pub(super) async fn carriers(
        &self,
        side: Side,
        feeds: &[FeedId],
        keys: &BTreeSet<Key>,
    ) -> Result<Vec<Candidate>, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut rows = Vec::new();
        for feed in feeds {
            rows.extend(store.seen_by_keys(workspace, *feed, keys).await?);
        }
        let linked = self.linked_of(&rows.iter().map(end_of).collect()).await?;
        let candidates = rows.iter().map(|row| {
            let held = if linked.contains(&end_of(row)) { Held::Linked } else { Held::Free };
            self.candidate(side, row, held)
        });
        Ok(candidates.collect())
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

    /// The live records of a pair, as matching sees them.
    fn pair_of(&self, row: &LinkRow, seen: &BTreeMap<End, SeenRow>) -> Vec<Candidate> {
        live_of(row, seen).map(|(side, row)| self.candidate(side, row, Held::Linked)).collect()
    }

    /// By which channels either record of a pair says that its person may not be written to.
    fn forbidden_of_pair(&self, row: &LinkRow, seen: &BTreeMap<End, SeenRow>) -> BTreeSet<Channel> {
        let settings = &self.connection.settings;
        let live = live_of(row, seen);
        live.flat_map(|(side, row)| settings.forbidden(side, &row.seen.record)).collect()
    }
}

/// What all of these are recognised by.
pub(super) fn all_keys(of: &[Candidate]) -> BTreeSet<Key> {
    of.iter().flat_map(|one| one.keys.iter().cloned()).collect()
}

fn live_of<'a>(
    row: &'a LinkRow,
    seen: &'a BTreeMap<End, SeenRow>,
) -> impl Iterator<Item = (Side, &'a SeenRow)> {
    let known = row.ends.iter().filter_map(|(side, end)| Some((side, seen.get(end)?)));
    known.filter(|(_, row)| row.seen.presence == Presence::Live)
}
