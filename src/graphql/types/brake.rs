//! How much may happen in a day.

use async_graphql::SimpleObject;

use crate::planner;

/// How much may happen in a day before it waits for a person: in each direction, over the last 24 hours.
#[derive(SimpleObject)]
pub struct Brake {
    /// Removals that the other side is told of.
    deletions: BrakeLimit,
    /// Records of which a field is emptied.
    clears: BrakeLimit,
    /// Records that are made, but for those of a first run.
    creates: BrakeLimit,
    /// Records in which one and the same field is written, but for those of a first run.
    one_field: BrakeLimit,
}

/// A share of the pairs that are kept the same, at least `floor` and at most `ceiling`.
#[derive(SimpleObject)]
pub struct BrakeLimit {
    /// As many are always let through.
    floor: u64,
    /// Percent of the pairs.
    percent: u64,
    /// Never more than this; none for any number.
    ceiling: Option<u64>,
}

impl From<planner::Thresholds> for Brake {
    fn from(thresholds: planner::Thresholds) -> Self {
        let planner::Thresholds { deletions, clears, creates, one_field } = thresholds;
        Self {
            deletions: deletions.into(),
            clears: clears.into(),
            creates: creates.into(),
            one_field: one_field.into(),
        }
    }
}

impl From<planner::Limit> for BrakeLimit {
    fn from(limit: planner::Limit) -> Self {
        let planner::Limit { floor, percent, ceiling } = limit;
        Self { floor, percent, ceiling }
    }
}
