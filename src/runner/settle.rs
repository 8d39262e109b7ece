//! What became of what was sent, and everything that follows from it: in one transaction per call.

use std::collections::BTreeMap;

use super::execute::{Shipment, Work, closed};
use super::session::{Session, later};
use crate::connectors::Written;
use crate::planner::{Link, OpKind, Outcome, Presence, Wait};
use crate::record::{FieldId, PerSide, Record, RemoteId, Revision, Side, Value, change_tags};
use crate::store::{
    End, Intent, IntentState, LinkId, LinkRow, OpState, OwnWrite, PendingReason, SeenRow,
    Settlement,
};

/// The answer to one shipment.
pub(super) enum Answer {
    /// It was not sent: somebody else is making the same person.
    HeldBack,
    /// The app's.
    Given {
        written: Written,
        /// The intent that it was sent under.
        intent: Option<Box<Intent>>,
        /// The record that was written, as it is stored by now: others may have read and written it since
        /// it was planned upon.
        stored: Option<Box<SeenRow>>,
    },
}

/// What an app says of a record that it wrote, and how that was stored here.
struct Applied {
    id: RemoteId,
    revision: Option<Revision>,
    also: BTreeMap<FieldId, Value>,
    stored: Option<SeenRow>,
}

impl Session<'_> {
    pub(super) fn settle_one(
        &mut self,
        shipment: &Shipment,
        answer: Answer,
        works: &mut [Work],
        settlement: &mut Settlement,
    ) {
        let Some(work) = works.get_mut(shipment.work) else { return };
        let (written, intent, stored) = match answer {
            Answer::HeldBack => {
                work.failed = Some(PendingReason::Unknown);
                return self.settled(work, settlement);
            }
            Answer::Given { written, intent, stored } => (written, intent, stored),
        };
        match written {
            // It is another record by now: what was linked to it follows once it was read.
            Written::Applied { id, .. } if shipment.write.becomes.is_some() => {
                note(shipment, OpState::Applied, None, settlement);
                work.done.extend(shipment.ops.iter().map(|(_, op)| (op.side, op.kind)));
                settlement.targets.extend(shipment.ops.iter().map(|(op, _)| (*op, id.clone())));
                self.look_again(shipment, settlement);
            }
            Written::Applied { id, revision, also } => {
                note(shipment, OpState::Applied, None, settlement);
                settlement.intents.extend(intent.map(|intent| closed(*intent)));
                let answer = Applied { id, revision, also, stored: stored.map(|row| *row) };
                self.applied(shipment, answer, work, settlement);
            }
            Written::Rejected { code, holder, field } => {
                (work.code, work.field) = (Some(code.clone()), field);
                note(shipment, OpState::Rejected, Some(&code), settlement);
                settlement.intents.extend(intent.map(|intent| closed(*intent)));
                self.rejected(shipment, &code, holder, work, settlement);
            }
            Written::Later { code } => {
                work.code = Some(code.clone());
                note(shipment, OpState::Dropped, Some(&code), settlement);
                settlement.intents.extend(intent.map(|intent| closed(*intent)));
                work.failed = Some(PendingReason::Failed);
                // Perhaps because it is not as it was planned upon: it is looked at first.
                self.look_again(shipment, settlement);
            }
            Written::Unknown { code } => {
                note(shipment, OpState::Unknown, Some(&code), settlement);
                self.unknown(shipment, intent.map(|intent| *intent), work, settlement);
            }
        }
        self.settled(work, settlement);
    }

    /// One shipment of an item less is open.
    fn settled(&mut self, work: &mut Work, settlement: &mut Settlement) {
        work.open = work.open.saturating_sub(1);
        if work.open == 0 {
            self.conclude(work, settlement);
        } else {
            self.keep_progress(work, settlement);
        }
    }

    fn applied(
        &self,
        shipment: &Shipment,
        answer: Applied,
        work: &mut Work,
        settlement: &mut Settlement,
    ) {
        let Applied { id, revision, also, stored } = answer;
        work.done.extend(shipment.ops.iter().map(|(_, op)| (op.side, op.kind)));
        settlement.targets.extend(shipment.ops.iter().map(|(op, _)| (*op, id.clone())));
        let Some(side) = self.side(shipment.feed.id) else { return };
        let made = |record: Option<Record>| {
            let mut record =
                record.unwrap_or_else(|| Record::new(shipment.write.object.clone(), id.clone()));
            record.id = id.clone();
            record.revision.clone_from(&revision);
            record.fields.extend(shipment.write.fields.clone());
            record.fields.extend(also.clone());
            self.put_tags(side, shipment, &mut record);
            record
        };
        let record = made(work.records.of_mut(side).take());
        *work.ends.of_mut(side) = Some(End { feed: shipment.feed.id, id: id.clone() });
        if let Some(link) = &mut work.item.link {
            self.expect(side, shipment, revision.as_ref(), link);
        }
        // Laid over what is stored by now, which may be newer than what was planned upon.
        let live = stored.filter(|row| row.seen.presence == Presence::Live);
        let now =
            live.as_ref().map_or_else(|| record.clone(), |row| made(Some(row.seen.record.clone())));
        let observed = self.own(side, now, live.as_ref());
        settlement.written.push(OwnWrite { feed: shipment.feed.id, observed });
        let settings = &self.connection.settings;
        let planned = work.planned_for(settings, side);
        if let (Some(planned), Some(progress)) = (planned, &mut work.progress) {
            for (_, op) in &shipment.ops {
                progress.recover(&planned, settings, op, &record);
            }
            progress.written.of_mut(side).clone_from(&revision);
        }
        *work.records.of_mut(side) = Some(record);
        // Permission goes ahead of the rest.
        *work.landed.of_mut(side) |= shipment.ops.iter().all(|(_, op)| op.kind != OpKind::Consent);
    }

    fn put_tags(&self, side: Side, shipment: &Shipment, record: &mut Record) {
        let write = &shipment.write;
        let Some(field) = self.connection.settings.sides.of(side).tags.as_ref() else { return };
        if write.tags_add.is_empty() && write.tags_remove.is_empty() {
            return;
        }
        let old = record.get(field).unwrap_or(&Value::Cleared);
        let value = change_tags(old, &write.tags_add, &write.tags_remove);
        record.fields.insert(field.clone(), value);
    }

    /// What is to be read back: with which revision, and in which form if the app is known for one.
    pub(super) fn expect(
        &self,
        side: Side,
        shipment: &Shipment,
        revision: Option<&Revision>,
        link: &mut Link,
    ) {
        let settings = self.connection.settings.sides.of(side);
        let schema = settings.schema(&shipment.write.object);
        *link.written.of_mut(side) = revision.cloned();
        for (field, value) in &shipment.write.fields {
            let Some(sent) = link.unconfirmed.of_mut(side).get_mut(field) else { continue };
            sent.revision = revision.cloned();
            let stored = self.connector(side).would_store(field, value);
            let known = schema.and_then(|schema| schema.get(field));
            sent.expected = stored.zip(known).map(|(stored, known)| {
                crate::record::normalise(&stored, known, settings.region.as_ref())
            });
        }
        // Tags that this write did not touch stay with the write that sent them.
        let is_about_tags =
            !(shipment.write.tags_add.is_empty() && shipment.write.tags_remove.is_empty());
        if let Some(tags) = settings.tags.as_ref().filter(|_| is_about_tags)
            && let Some(sent) = link.unconfirmed.of_mut(side).get_mut(tags)
        {
            sent.revision = revision.cloned();
        }
    }

    fn rejected(
        &self,
        shipment: &Shipment,
        code: &str,
        holder: Option<RemoteId>,
        work: &mut Work,
        settlement: &mut Settlement,
    ) {
        // It may be gone: then it is looked at, and its deletion is what is planned next. Or another
        // record has what only one may have: that one is looked at, and matched.
        let is_gone = code == "not_found" && shipment.write.id.is_some();
        let is_passing = is_gone || holder.is_some();
        work.failed = Some(if is_passing { PendingReason::Failed } else { PendingReason::Refused });
        if is_gone {
            self.look_again(shipment, settlement);
        }
        let becomes = shipment.write.becomes.as_ref().and_then(|it| {
            let side = self.side(shipment.feed.id)?;
            self.feed_of(side, &it.object)
        });
        let feed = becomes.map_or(shipment.feed.id, |feed| feed.id);
        let holder = holder.map(|id| End { feed, id });
        settlement.hints.extend(holder.map(|end| (end, self.now())));
    }

    fn unknown(
        &mut self,
        shipment: &Shipment,
        intent: Option<Intent>,
        work: &mut Work,
        settlement: &mut Settlement,
    ) {
        match intent {
            Some(intent) => {
                work.failed = Some(PendingReason::Unknown);
                let first = self.runner.timings.resolve.first().copied().unwrap_or_default();
                settlement.intents.push(Intent {
                    state: IntentState::Unknown,
                    sent_at: Some(self.now()),
                    resolve_at: Some(later(self.now(), first)),
                    ..intent
                });
            }
            None => {
                work.failed = Some(PendingReason::Failed);
                self.has_unanswered = true;
                self.look_again(shipment, settlement);
            }
        }
    }

    fn look_again(&self, shipment: &Shipment, settlement: &mut Settlement) {
        if let Some(id) = &shipment.write.id {
            let end = End { feed: shipment.feed.id, id: id.clone() };
            settlement.hints.push((end, self.now()));
        }
    }

    /// The end of an item: its link as it is now, and whether it has to wait.
    pub(super) fn conclude(&mut self, work: &mut Work, settlement: &mut Settlement) {
        let is_used_up = work.anchor().is_some_and(|end| self.is_used_up(end));
        if work.failed == Some(PendingReason::Failed) && is_used_up {
            work.failed = Some(PendingReason::Refused);
            work.is_given_up = true;
        }
        self.tell(work, settlement);
        if let Some(reason) = work.failed {
            self.keep_progress(work, settlement);
            let wait = work.anchor().and_then(|end| self.wait(end, reason));
            return settlement.pending.extend(wait);
        }
        if let Some(link) = work.item.link.as_ref().filter(|_| work.only.is_none()) {
            let had = work.link.as_ref().and_then(|(_, had)| had.as_ref());
            let ends = PerSide { left: &work.ends.left, right: &work.ends.right };
            if let (Some(left), Some(right)) = (ends.left, ends.right)
                && (had != Some(link) || work.item.is_new_link || work.is_moved)
            {
                let ends = PerSide { left: left.clone(), right: right.clone() };
                settlement.links.push(self.row(work, ends, link.clone()));
            }
        }
        let reason = match &work.item.outcome {
            Outcome::Conflict => Some(PendingReason::Conflict),
            Outcome::Ambiguous => Some(PendingReason::Ambiguous),
            Outcome::Failed(_) => Some(PendingReason::Refused),
            Outcome::Waiting(Wait::Brake) => Some(PendingReason::Brake),
            _ => None,
        };
        match reason {
            Some(reason) => {
                let wait = work.anchor().and_then(|end| self.wait(end, reason));
                settlement.pending.extend(wait);
            }
            None => {
                let ends = work.subjects().map(|(_, end)| end);
                let waited = ends.filter(|end| self.pending.contains_key(*end));
                let id = self.connection.id;
                settlement.cleared.extend(waited.map(|end| (id, end.clone())));
            }
        }
    }

    /// Two records that were found to be the same person are linked before anything is written: that
    /// they are is known, whatever becomes of the writes, and if one of them is removed meanwhile it
    /// must not come back. What is to be written has no base yet, and meets again if the run is cut
    /// off. The same goes for a record that takes the place of one that is gone.
    pub(super) fn link_first(&self, work: &mut Work, settlement: &mut Settlement) {
        let (Some(left), Some(right)) = (&work.ends.left, &work.ends.right) else { return };
        if let (true, Some(link)) = (work.is_moved, &work.progress) {
            let ends = PerSide { left: left.clone(), right: right.clone() };
            return settlement.links.push(self.row(work, ends, link.clone()));
        }
        if !work.item.is_new_link {
            return;
        }
        let Some(planned) = &work.item.link else { return };
        let link = planned.untouched_by(&self.connection.settings, &work.item.ops);
        let ends = PerSide { left: left.clone(), right: right.clone() };
        let row = self.row(work, ends, link.clone());
        work.progress = Some(link.clone());
        work.link = Some((row.id, Some(link)));
        settlement.links.push(row);
    }

    fn row(&self, work: &Work, ends: PerSide<End>, link: Link) -> LinkRow {
        let id = match &work.link {
            Some((id, _)) => *id,
            None => LinkId(self.runner.ids.next(self.now())),
        };
        LinkRow { id, connection: self.connection.id, ends, link }
    }

    /// Some writes of an item have succeeded and others have not, or not yet. What was written is
    /// taken over into the link, so that it is known for ours; the rest is planned again.
    fn keep_progress(&self, work: &Work, settlement: &mut Settlement) {
        let (Some(link), Some(left), Some(right)) =
            (&work.progress, &work.ends.left, &work.ends.right)
        else {
            return;
        };
        let stored = work.link.as_ref().and_then(|(_, stored)| stored.as_ref());
        if stored != Some(link) && work.only.is_none() {
            let ends = PerSide { left: left.clone(), right: right.clone() };
            settlement.links.push(self.row(work, ends, link.clone()));
        }
    }
}

fn note(shipment: &Shipment, state: OpState, error: Option<&str>, settlement: &mut Settlement) {
    for (id, _) in &shipment.ops {
        settlement.ops.insert(*id, (state, error.map(str::to_owned)));
    }
}
