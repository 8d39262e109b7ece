//! What an earlier run left open: ops that were sent without an answer, and creates of which nobody
//! knows whether they happened.
//!
//! A create is never sent again before it was looked for, at growing distances, for longer than any
//! answer can be late. One that was once in doubt is looked for again later, in case it came to pass
//! after all.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::execute::closed;
use super::session::{Session, app_error, later};
use crate::connectors::Lookup;
use crate::planner::{Failure, Link, OpKind, Outcome, Wait};
use crate::record::{PerSide, Record, RemoteId, Side};
use crate::store::{
    End, FeedId, Intent, IntentState, LinkId, LinkRow, Observed, OpRow, OpState, PendingReason,
    Settlement,
};

impl Session<'_> {
    /// Sorts out the journal.
    pub(super) async fn resume(&mut self) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut settlement = Settlement::default();
        let mut unanswered = Vec::new();
        for row in store.open_ops(workspace, self.connection.id).await? {
            let is_create = row.op.kind == OpKind::Create;
            match row.state {
                OpState::Planned => {
                    self.drop_op(&row, "not_sent", &mut settlement);
                    settlement.closed.insert(row.id);
                }
                OpState::Sent | OpState::Unknown if !is_create => unanswered.push(row),
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
        let mut links = BTreeMap::new();
        for (row, _) in self.look_up(unanswered, &mut links).await? {
            self.drop_op(&row, "looked_up", &mut settlement);
        }
        settlement.links.extend(links.into_values());
        self.write_down(settlement).await
    }

    /// What this run itself got no answer about is looked up before it plans again. What is not there
    /// may still come: it stays open, and waits as long as whatever failed.
    pub(super) async fn look_up_unanswered(&mut self) -> Result<(), RunError> {
        if !std::mem::take(&mut self.has_unanswered) {
            return Ok(());
        }
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut rows = store.open_ops(workspace, self.connection.id).await?;
        rows.retain(|row| row.state == OpState::Unknown && row.op.kind != OpKind::Create);
        let (mut settlement, mut links) = (Settlement::default(), BTreeMap::new());
        for (row, has_landed) in self.look_up(rows, &mut links).await? {
            if has_landed {
                self.drop_op(&row, "looked_up", &mut settlement);
            }
        }
        settlement.links.extend(links.into_values());
        self.write_down(settlement).await
    }

    /// The records that ops were to change say what became of them: what was written is taken over into
    /// their links. Of each op, whether anything of it is there.
    async fn look_up(
        &self,
        rows: Vec<OpRow>,
        links: &mut BTreeMap<LinkId, LinkRow>,
    ) -> Result<Vec<(OpRow, bool)>, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut asked: BTreeMap<FeedId, BTreeSet<RemoteId>> = BTreeMap::new();
        for row in &rows {
            asked.entry(row.feed).or_default().extend(row.op.id.clone());
        }
        let mut records: BTreeMap<End, Record> = BTreeMap::new();
        for (feed, ids) in asked {
            let Some(side) = self.side(feed) else { continue };
            let seen = self.look_at(side, feed, &ids).await?;
            let live = seen.iter().filter_map(|observed| observed.record.clone());
            records.extend(live.map(|record| (End { feed, id: record.id.clone() }, record)));
            self.remember(feed, seen).await?;
            for known in store.links_of(workspace, self.connection.id, feed, &ids).await? {
                links.entry(known.id).or_insert(known);
            }
        }
        let settings = &self.connection.settings;
        let mut looked_up = Vec::new();
        for row in rows {
            let end = row.op.id.clone().map(|id| End { feed: row.feed, id });
            let now = end.as_ref().and_then(|end| records.get(end));
            let link = links
                .values_mut()
                .find(|link| link.ends.iter().any(|(_, of_it)| Some(of_it) == end.as_ref()));
            let has_landed = match (link, now, &row.planned) {
                (Some(link), Some(now), Some(planned)) => {
                    link.link.recover(planned, settings, &row.op, now)
                }
                _ => false,
            };
            looked_up.push((row, has_landed));
        }
        Ok(looked_up)
    }

    fn drop_op(&self, row: &OpRow, code: &str, settlement: &mut Settlement) {
        settlement.ops.insert(row.id, (OpState::Dropped, Some(code.to_owned())));
        self.due_now(row.source.as_ref(), settlement);
    }

    fn let_wait(&self, end: Option<&End>, reason: PendingReason, settlement: &mut Settlement) {
        settlement.pending.extend(end.and_then(|end| self.wait(end, reason)));
    }

    /// Has a record planned in this very run, unless it was tried too often.
    fn due_now(&self, end: Option<&End>, settlement: &mut Settlement) {
        let Some(end) = end else { return };
        if self.is_used_up(end) {
            self.tell_of(end, "GIVEN_UP", Outcome::Failed(Failure::Refused), settlement);
        }
        let wait = self.wait(end, PendingReason::Failed);
        settlement.pending.extend(wait.map(|mut row| {
            row.next_at = row.next_at.map(|_| self.now());
            row
        }));
    }

    /// Looks for the creates that are in doubt: among what was read by now, and where it is time, by
    /// asking the app.
    pub(super) async fn resolve(&mut self) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let now = self.now();
        for intent in store.doubtful_intents(workspace, self.connection.id, now).await? {
            let Some(side) = self.side(intent.feed) else { continue };
            if intent.keys.is_empty() && intent.resolve_at.is_none() && !self.was_met(&intent) {
                continue;
            }
            let mut found = self.candidates(&intent).await?;
            let is_due = intent.resolve_at.is_none_or(|at| at <= now);
            if found.is_empty() && is_due {
                let records = self.look_for(side, &intent).await?;
                self.remember(intent.feed, records).await?;
                found = self.candidates(&intent).await?;
            }
            self.settle_intent(side, intent, &found, is_due).await?;
        }
        Ok(())
    }

    /// Whether the source of a create in doubt was met again, and held back: then that it is in doubt
    /// must be told again.
    fn was_met(&self, intent: &Intent) -> bool {
        let waiting = self.pending.get(&intent.source);
        waiting.is_some_and(|row| row.reason == PendingReason::Unknown)
    }

    /// The live records that carry a key of the intent and that nothing is linked to.
    async fn candidates(&self, intent: &Intent) -> Result<Vec<Record>, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let rows = store.seen_by_keys(workspace, intent.feed, &intent.keys).await?;
        let ids: BTreeSet<RemoteId> = rows.iter().map(|row| row.seen.record.id.clone()).collect();
        let links = store.links_of(workspace, self.connection.id, intent.feed, &ids).await?;
        let is_linked = |id: &RemoteId| {
            links
                .iter()
                .any(|row| row.ends.iter().any(|(_, end)| end.feed == intent.feed && end.id == *id))
        };
        let records = rows.into_iter().map(|row| row.seen.record);
        Ok(records.filter(|record| !is_linked(&record.id)).collect())
    }

    async fn look_for(&self, side: Side, intent: &Intent) -> Result<Vec<Observed>, RunError> {
        let lookups: BTreeSet<Lookup> = intent
            .keys
            .iter()
            .map(|key| Lookup { kind: key.kind.field_type(), value: key.value.clone() })
            .collect();
        if lookups.is_empty() {
            return Ok(Vec::new());
        }
        let asked = self.ask(side, intent.feed).await?;
        let found = self.connector(side).find(&asked.query, &lookups).await;
        // The app's search may be fuzzy: only those that carry a key exactly count.
        let has_key = |one: &Observed| !one.keys.is_disjoint(&intent.keys);
        let seen = found.map_err(app_error(side))?.into_iter().map(|record| asked.seen(record));
        Ok(seen.filter(has_key).collect())
    }

    async fn settle_intent(
        &mut self,
        side: Side,
        intent: Intent,
        found: &[Record],
        is_due: bool,
    ) -> Result<(), RunError> {
        let mut settlement = Settlement::default();
        let sent_at = intent.sent_at.unwrap_or_else(|| self.now());
        if intent.state == IntentState::Closed {
            // The late sweep: whoever turned up meanwhile is matched like anybody else.
            settlement.intents.push(closed(intent));
            return self.write_down(settlement).await;
        }
        if intent.keys.is_empty() {
            // Nothing to look for it by: a person must say whether it is there. Until then its source
            // stays taken, so that it is not made twice.
            self.let_wait(Some(&intent.source), PendingReason::Doubt, &mut settlement);
            let outcome = Outcome::Waiting(Wait::Answer);
            self.tell_of(&intent.source, "DOUBT", outcome, &mut settlement);
            settlement.intents.push(Intent { resolve_at: None, ..intent });
            return self.write_down(settlement).await;
        }
        let attempts = intent.attempts + u32::from(is_due);
        let next = self.runner.timings.resolve.get(attempts as usize);
        match (found, next) {
            ([], Some(_)) if !is_due => return Ok(()),
            ([], Some(next)) => {
                let resolve_at = Some(later(sent_at, *next));
                settlement.intents.push(Intent { attempts, resolve_at, ..intent });
            }
            // Found; or not found for so long: then it did not happen, and is planned anew.
            _ => {
                if let [record] = found {
                    settlement.targets.insert(intent.op, record.id.clone());
                    settlement.links.extend(self.adopt(side, &intent, record).await?);
                }
                let code = if found.is_empty() { "not_found" } else { "found" };
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

    /// The link that was planned with a create, now that its record has turned up: with the bases that
    /// tell what people changed since. Even if the source is gone by now: then that is told, instead
    /// of bringing it back. None if the source has a link already.
    async fn adopt(
        &self,
        made_on: Side,
        intent: &Intent,
        record: &Record,
    ) -> Result<Option<LinkRow>, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let source = &intent.source;
        let ids = BTreeSet::from([source.id.clone()]);
        let links = store.links_of(workspace, self.connection.id, source.feed, &ids).await?;
        if !links.is_empty() {
            return Ok(None);
        }
        let found = End { feed: intent.feed, id: record.id.clone() };
        let settings = &self.connection.settings;
        let mut link = Link { version: settings.version, ..Link::default() };
        let open = store.open_ops(workspace, self.connection.id).await?;
        if let Some(row) = open.iter().find(|row| row.id == intent.op)
            && let Some(planned) = &row.planned
        {
            link.was_in_scope = planned.was_in_scope;
            link.recover(planned, settings, &row.op, record);
        }
        Ok(Some(LinkRow {
            id: LinkId(self.runner.ids.next(self.now())),
            connection: self.connection.id,
            ends: PerSide::from_fn(
                |side| {
                    if side == made_on { found.clone() } else { source.clone() }
                },
            ),
            link,
        }))
    }
}
