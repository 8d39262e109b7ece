//! What the demo tells, as one JSON object or in words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lab::check::Difference;

/// What the demo came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoReport {
    /// How many people moved in.
    pub people: u32,
    /// How many of them are special, by what is.
    pub reasons: BTreeMap<String, u32>,
    /// The left side.
    pub left: SideReport,
    /// The right side.
    pub right: SideReport,
    /// Items of the first run, by outcome; those that were skipped by reason.
    pub items: Items,
    /// How long it took.
    pub seconds: Seconds,
    /// Whether the two sides became the same.
    pub converged: bool,
    /// Where they did not.
    pub differences: Vec<ToldDifference>,
}

/// What happened on one side in the first run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SideReport {
    /// The app.
    pub app: String,
    /// Records that were there at the start.
    pub read: u64,
    /// Records that were made.
    pub created: u64,
    /// Records of which fields were written.
    pub updated: u64,
    /// Records of which tags were changed.
    pub tagged: u64,
    /// Requests that the app was asked.
    pub calls: u64,
}

/// Items by outcome.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Items {
    /// Found to be the same person, with nothing to write.
    pub linked: u64,
    /// Nothing to do.
    pub in_sync: u64,
    /// A field of either side was written.
    pub updated: u64,
    /// Made on the other side.
    pub created: u64,
    /// Left alone, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Several could be the partner.
    pub ambiguous: u64,
    /// Another of the same side has the address.
    pub duplicate: u64,
    /// Both sides changed.
    pub conflict: u64,
    /// Refused by the other app.
    pub failed: u64,
}

/// Durations in seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seconds {
    /// The first run, its plan included.
    pub first_run: f64,
    /// A run in which nothing had changed.
    pub no_change_run: f64,
    /// From an edit to its arrival on the other side, by a webhook; none while there are no webhooks.
    pub webhook_to_write: Option<f64>,
}

/// Where the two sides differ, with the names of things but never more of a person than the address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToldDifference {
    /// Who.
    pub person: String,
    /// Which field.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

impl From<Difference> for ToldDifference {
    fn from(difference: Difference) -> Self {
        let problem = serde_json::to_value(difference.problem).unwrap_or_default();
        Self {
            person: difference.person,
            field: difference.field,
            problem: problem.as_str().unwrap_or_default().to_owned(),
        }
    }
}

impl DemoReport {
    /// In words.
    pub fn print(&self) {
        println!("{} people in two CRMs, as messy as real ones:", self.people);
        for (reason, count) in &self.reasons {
            println!("  {count:>5}  {reason}");
        }
        for side in [&self.left, &self.right] {
            println!(
                "{}: {} records read, {} made, {} updated, {} tagged, {} requests",
                side.app, side.read, side.created, side.updated, side.tagged, side.calls
            );
        }
        let items = &self.items;
        println!(
            "items: {} linked, {} in sync, {} updated, {} created, {} ambiguous, {} duplicate, {} conflicts, {} failed",
            items.linked,
            items.in_sync,
            items.updated,
            items.created,
            items.ambiguous,
            items.duplicate,
            items.conflict,
            items.failed
        );
        for (reason, count) in &items.skipped {
            println!("  skipped, {reason}: {count}");
        }
        println!(
            "first run {:.1} s, a run without changes {:.1} s",
            self.seconds.first_run, self.seconds.no_change_run
        );
        if let Some(seconds) = self.seconds.webhook_to_write {
            println!(
                "the last of the edits was on the other side after {seconds:.1} s, by webhook"
            );
        }
        if self.converged {
            println!("The two sides are the same.");
        } else {
            println!("The two sides differ in {} places:", self.differences.len());
            for difference in &self.differences {
                println!("  {} {}: {}", difference.person, difference.field, difference.problem);
            }
        }
    }
}
