//! What an earlier run left open: ops that were sent without an answer, and creates of which nobody
//! knows whether they happened.
//!
//! A create is never sent again before it was looked for, at growing distances, for longer than any
//! answer can be late. One that was once in doubt is looked for again later, in case it came to pass
//! after all.

use std::collections::BTreeSet;

use super::RunError;
use super::execute::closed;
use super::session::{Session, app_error, later};
use crate::connectors::Lookup;
use crate::planner::{MatchKey, OpKind};
use crate::record::{FieldType, Record, Side};
use crate::store::{End, Intent, IntentState, OpRow, OpState, PendingReason, Settlement};

impl Session<'_> {
    /// Sorts out the journal.
    pub(super) async fn resume(&mut self) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut settlement = Settlement::default();
        for row in store.open_ops(workspace, self.connection.id).await? {
            let is_create = row.op.kind == OpKind::Create;
            match row.state {
                OpState::Planned => {
                    self.drop_op(&row, "not_sent", &mut settlement);
                    settlement.closed.insert(row.id);
                }
                // The record says what became of it: it is read, and its pair is planned again.
                OpState::Sent | OpState::Unknown if !is_create => {
                    self.drop_op(&row, "looked_up", &mut settlement);
                    if let Some(id) = &row.op.id {
                        let end = End { feed: row.feed, id: id.clone() };
                        settlement.hints.push((end, self.now()));
                    }
                }
                OpState::Sent => {
                    let first = self.runner.timings.resolve.first().copied().unwrap_or_default();
                    let sent_at = row.sent_at.unwrap_or_else(|| self.now());
                    settlement.ops.insert(row.id, (OpState::Unknown, Some("cut_off".to_owned())));
                    settlement.doubtful.insert(row.id, later(sent_at, first));
                    self.let_wait(row.source.as_ref(), PendingReason::Unknown, &mut settlement);
                }
                OpState::Unknown | OpState::Applied | OpState::Rejected | OpState::Dropped => {}
            }
        }
        self.write_down(settlement).await
    }

    fn drop_op(&self, row: &OpRow, code: &str, settlement: &mut Settlement) {
        settlement.ops.insert(row.id, (OpState::Dropped, Some(code.to_owned())));
        self.due_now(row.source.as_ref(), settlement);
    }

    fn let_wait(&self, end: Option<&End>, reason: PendingReason, settlement: &mut Settlement) {
        settlement.pending.extend(end.and_then(|end| self.wait(end, reason)));
    }

    /// Has a record planned in this very run.
    fn due_now(&self, end: Option<&End>, settlement: &mut Settlement) {
        let wait = end.and_then(|end| self.wait(end, PendingReason::Failed));
        settlement.pending.extend(wait.map(|mut row| {
            row.next_at = Some(self.now());
            row
        }));
    }

    /// Looks for the creates that are in doubt and due.
    pub(super) async fn resolve(&mut self) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        for intent in store.due_intents(workspace, self.connection.id, self.now()).await? {
            let Some(side) = self.side(intent.feed) else { continue };
            let found = self.look_for(side, &intent).await?;
            let records = found.into_iter().map(|record| self.seen(side, record)).collect();
            self.settle_intent(intent, records).await?;
        }
        Ok(())
    }

    async fn look_for(&self, side: Side, intent: &Intent) -> Result<Vec<Record>, RunError> {
        let Some((_, feed)) = self.feeds.get(&intent.feed) else { return Ok(Vec::new()) };
        let lookups: BTreeSet<Lookup> = intent
            .keys
            .iter()
            .map(|key| Lookup {
                kind: match key.kind {
                    MatchKey::Email => FieldType::Email,
                    MatchKey::Phone => FieldType::Phone,
                },
                value: key.value.clone(),
            })
            .collect();
        if lookups.is_empty() {
            return Ok(Vec::new());
        }
        self.hold().await?;
        let query = self.query(side, feed);
        let found = self.connector(side).find(&query, &lookups).await.map_err(app_error(side))?;
        // The app's search may be fuzzy: only those that carry a key exactly count.
        let settings = self.connection.settings.sides.of(side);
        let has_key = |record: &Record| {
            !crate::planner::record_keys(record, settings).0.is_disjoint(&intent.keys)
        };
        Ok(found.into_iter().filter(has_key).collect())
    }

    async fn settle_intent(
        &mut self,
        intent: Intent,
        found: Vec<crate::store::Observed>,
    ) -> Result<(), RunError> {
        let mut settlement = Settlement::default();
        let is_found = !found.is_empty();
        let feed = intent.feed;
        settlement.written =
            found.into_iter().map(|observed| crate::store::OwnWrite { feed, observed }).collect();
        if intent.state == IntentState::Closed {
            // The late sweep: whoever turned up meanwhile is matched like anybody else.
            settlement.intents.push(closed(intent));
            return self.write_down(settlement).await;
        }
        let ladder = &self.runner.timings.resolve;
        let attempts = intent.attempts + 1;
        let next = ladder.get(attempts as usize).filter(|_| !is_found);
        let sent_at = intent.sent_at.unwrap_or_else(|| self.now());
        match next {
            Some(next) => settlement.intents.push(Intent {
                attempts,
                resolve_at: Some(later(sent_at, *next)),
                ..intent
            }),
            None => {
                // Found: it is matched with its source in this run. Not found for so long: it did
                // not happen, and is planned anew.
                let code = if is_found { "found" } else { "not_found" };
                settlement.ops.insert(intent.op, (OpState::Dropped, Some(code.to_owned())));
                self.due_now(Some(&intent.source), &mut settlement);
                settlement.intents.push(Intent {
                    state: IntentState::Closed,
                    attempts,
                    resolve_at: Some(later(sent_at, self.runner.timings.sweep)),
                    ..intent
                });
            }
        }
        self.write_down(settlement).await
    }
}
