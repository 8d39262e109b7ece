//! The numbers of a run: folds over its items. They add up: each observed record is in one item, and
//! each item has one outcome.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::item::{Item, OpKind, Outcome, Row, Skip, Standing};
use crate::record::{PerSide, Side, Toll};

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
    /// What a plan would ask of the app of each side; none of runs that write, and of plans made before this
    /// was counted.
    #[serde(default)]
    pub tolls: Option<PerSide<Toll>>,
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
