//! The numbers of a run: folds over its items. They add up: each observed record is in one item, and
//! each item has one outcome.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::item::{Item, OpKind, Outcome, Row, Skip, Standing, TagChange};
use crate::record::{PerSide, Side};

/// What a run comes to, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Items.
    pub items: u64,
    /// Records in them, per side.
    pub records: PerSide<u64>,
    /// Items per outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Skipped items per reason.
    pub skipped: BTreeMap<String, u64>,
    /// Writes per written side and kind.
    pub writes: PerSide<BTreeMap<OpKind, u64>>,
    /// The sets of tags that records get or lose, per written side.
    #[serde(default)]
    pub tag_sets: PerSide<TagSets>,
    /// How often each row of the merge table decided.
    pub rows: BTreeMap<Row, u64>,
    /// Entries that differ and are left so, by how they stand.
    pub held: BTreeMap<String, u64>,
    /// Changes that were found by reading, though the apps should have told of them.
    #[serde(default)]
    pub missed_by_webhooks: u64,
}

impl Report {
    /// How many items are of somebody who is gone on a side: told there, or left alone.
    #[must_use]
    pub fn losses(&self) -> u64 {
        let deleted = self.outcomes.get(Outcome::Deleted.name()).copied().unwrap_or_default();
        let skips = [Skip::PartnerGone, Skip::Gone].map(Skip::name);
        let skipped = skips.iter().filter_map(|name| self.skipped.get(*name)).sum::<u64>();
        deleted + skipped
    }

    /// Counts one item.
    pub fn add(&mut self, item: &Item) {
        self.items += 1;
        *self.outcomes.entry(item.outcome.name().to_owned()).or_default() += 1;
        if let Outcome::Skipped(reason) = &item.outcome {
            *self.skipped.entry(reason.name().to_owned()).or_default() += 1;
        }
        for side in Side::BOTH {
            *self.records.of_mut(side) += u64::from(item.records.of(side).is_some());
        }
        for op in &item.ops {
            *self.writes.of_mut(op.side).entry(op.kind).or_default() += 1;
            if op.kind == OpKind::Tags {
                self.tag_sets.of_mut(op.side).add(&op.tags);
            }
        }
        for entered in item.entries.values() {
            if let Some(row) = entered.row {
                *self.rows.entry(row).or_default() += 1;
            }
            match entered.standing {
                Standing::Agreed | Standing::Carried | Standing::Inactive => {}
                other => *self.held.entry(other.name().to_owned()).or_default() += 1,
            }
        }
    }

    /// Whether the outcomes add up to the items.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.outcomes.values().sum::<u64>() == self.items
    }

    /// All writes.
    #[must_use]
    pub fn total_writes(&self) -> u64 {
        Side::BOTH.iter().flat_map(|side| self.writes.of(*side).values()).sum()
    }
}

/// Different sets of tags, by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSets {
    known: BTreeSet<u64>,
    more: u64,
}

/// How many are told apart; each after those counts as another.
const SETS_MAX: usize = 200;

impl TagSets {
    /// Counts the tags that a record gets, and those that it loses.
    pub fn add(&mut self, change: &TagChange) {
        for (is_added, tags) in [(true, &change.add), (false, &change.remove)] {
            if !tags.is_empty() {
                self.add_set(is_added, tags);
            }
        }
    }

    fn add_set(&mut self, is_added: bool, tags: &[String]) {
        let tags: BTreeSet<&String> = tags.iter().collect();
        // Plain text: serialising it cannot fail.
        let document = serde_json::to_vec(&(is_added, tags)).unwrap_or_default();
        let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(&document).as_bytes();
        let set = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if self.known.len() < SETS_MAX {
            self.known.insert(set);
        } else if !self.known.contains(&set) {
            self.more += 1;
        }
    }

    /// How many there are, at most.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.known.len() as u64 + self.more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_tags_are_told_apart_by_what_is_in_them() {
        let change = |add: &[&str], remove: &[&str]| {
            let owned = |tags: &[&str]| tags.iter().map(ToString::to_string).collect();
            TagChange { add: owned(add), remove: owned(remove) }
        };
        let mut sets = TagSets::default();
        for tags in [&["a", "b"][..], &["b", "a"], &["a"]] {
            sets.add(&change(tags, &[]));
        }
        assert_eq!(sets.count(), 2);
        sets.add(&change(&["a"], &["a"]));
        assert_eq!(sets.count(), 3, "to get one is not to lose it");
        for number in 0..SETS_MAX {
            sets.add(&change(&[&number.to_string()], &[]));
        }
        sets.add(&change(&["a", "b"], &[]));
        assert_eq!(sets.count(), 3 + SETS_MAX as u64, "those that are known stay known");
    }
}
