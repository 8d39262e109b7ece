//! How records stand.

use std::collections::BTreeMap;

use super::state::State;
use crate::store::{ConnectionId, End, OutcomeFilter, RecordOutcome, WorkspaceId};

impl State {
    pub(super) fn put_outcomes(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        rows: &[RecordOutcome],
    ) {
        let last: BTreeMap<&End, &RecordOutcome> = rows.iter().map(|row| (&row.end, row)).collect();
        for (end, row) in last {
            let key = (workspace, connection, end.clone());
            if row.is_calm() {
                self.outcomes.remove(&key);
                continue;
            }
            let same = self.outcomes.get(&key).filter(|known| known.outcome == row.outcome);
            let since = same.map_or(row.since, |known| known.since);
            self.outcomes.insert(key, RecordOutcome { since, ..row.clone() });
        }
    }

    pub(super) fn outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OutcomeFilter,
        after: Option<&End>,
    ) -> impl Iterator<Item = &RecordOutcome> {
        self.outcomes
            .iter()
            .filter(move |((ws, of, end), row)| {
                (*ws, *of) == (workspace, connection)
                    && after.is_none_or(|after| end > after)
                    && filter.outcome.as_ref().is_none_or(|name| row.outcome.name() == name)
                    && filter.side.is_none_or(|side| row.side == side)
            })
            .map(|(_, row)| row)
    }

    pub(super) fn outcome_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        end: &End,
    ) -> Option<&RecordOutcome> {
        self.outcomes.get(&(workspace, connection, end.clone()))
    }

    pub(super) fn count_outcomes(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for row in self.outcomes(workspace, connection, &OutcomeFilter::default(), None) {
            *counts.entry(row.outcome.name().to_owned()).or_default() += 1;
        }
        counts
    }
}
