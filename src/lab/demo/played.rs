//! What came of the script, and its judgement.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value as Json;

use super::Town;
use super::client::at;
use super::report::{DemoReport, Items, Seconds, SideReport};
use crate::lab::check::differences;

/// What came of the script, before it is judged.
#[derive(Debug)]
pub struct Played {
    pub(super) first: Json,
    pub(super) read: [usize; 2],
    pub(super) calls: [usize; 2],
    pub(super) first_run: Duration,
    pub(super) no_change_run: Duration,
    pub(super) webhook_to_write: Option<Duration>,
}

impl Played {
    /// Judges from the emulators' raw state, as it is now, whether the two sides became the same.
    ///
    /// # Errors
    /// If there are more people than can be told.
    pub fn judge(&self, town: &Town) -> Result<DemoReport> {
        let Self { first, read, calls, first_run, no_change_run, webhook_to_write } = self;
        let found =
            differences(&town.people, &town.moved, &town.kommo.contacts(), &town.zoho.contacts());
        let writes = |side: &str, kind: &str| {
            let all = at(first, "/counts/writes").as_array().into_iter().flatten();
            let mine = all.filter(|count| at(count, "/side") == side && at(count, "/kind") == kind);
            mine.filter_map(|count| at(count, "/count").as_u64()).sum()
        };
        let side = |at: usize, app: &str, side: &str| SideReport {
            app: app.to_owned(),
            read: read.get(at).map_or(0, |read| *read as u64),
            created: writes(side, "create"),
            updated: writes(side, "fields"),
            tagged: writes(side, "tags"),
            calls: calls.get(at).map_or(0, |calls| *calls as u64),
        };
        let named = |list: &Json| -> BTreeMap<String, u64> {
            let all = list.as_array().into_iter().flatten();
            all.filter_map(|c| {
                Some((at(c, "/name").as_str()?.to_owned(), at(c, "/count").as_u64()?))
            })
            .collect()
        };
        let outcomes = named(at(first, "/counts/outcomes"));
        let outcome = |name: &str| outcomes.get(name).copied().unwrap_or_default();
        let people = u32::try_from(town.people.people.len())?;
        let reasons = town.people.reasons();
        Ok(DemoReport {
            people,
            reasons: reasons.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            left: side(0, "kommo", "LEFT"),
            right: side(1, "zoho", "RIGHT"),
            items: Items {
                linked: outcome("linked"),
                in_sync: outcome("in_sync"),
                updated: outcome("updated"),
                created: outcome("created"),
                skipped: named(at(first, "/counts/skipped")),
                ambiguous: outcome("ambiguous"),
                duplicate: outcome("duplicate"),
                conflict: outcome("conflict"),
                failed: outcome("failed"),
            },
            seconds: Seconds {
                first_run: first_run.as_secs_f64(),
                no_change_run: no_change_run.as_secs_f64(),
                webhook_to_write: webhook_to_write.map(|took| took.as_secs_f64()),
            },
            converged: found.is_empty(),
            differences: found.into_iter().map(Into::into).collect(),
        })
    }
}
