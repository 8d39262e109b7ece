//! How records stand.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{End, RunId};
use crate::planner::{Finding, Outcome};
use crate::record::Side;

/// How a record stands since it was planned last. Kept only where there is something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordOutcome {
    /// The record.
    pub end: End,
    /// The side it is on.
    pub side: Side,
    /// What became of it.
    pub outcome: Outcome,
    /// What a person should know of it.
    pub findings: BTreeSet<Finding>,
    /// The app's code, where the app refused it.
    pub code: Option<String>,
    /// The run that found it so last.
    pub run: RunId,
    /// Since when it has had this outcome.
    pub since: Timestamp,
}

impl RecordOutcome {
    /// Whether all is well with the record: then nothing is kept of it.
    pub(crate) fn is_calm(&self) -> bool {
        let is_done = matches!(
            self.outcome,
            Outcome::InSync
                | Outcome::Updated
                | Outcome::Created
                | Outcome::Linked
                | Outcome::Deleted
        );
        is_done && self.findings.is_empty()
    }
}

/// Which outcomes are asked for; all that is said must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeFilter {
    /// Those of this name ([`Outcome::name`]).
    pub outcome: Option<String>,
    /// Those of records on this side.
    pub side: Option<Side>,
}
