//! How records stand after an item: what is told of them, and what a person should look at.

use std::collections::BTreeSet;

use super::execute::Work;
use super::session::Session;
use crate::planner::{Failure, Item, Outcome, Skip, Wait};
use crate::store::{End, IssueId, IssuesOf, NewIssue, PendingReason, RecordOutcome, Settlement};

impl Work {
    /// The item as it came out: with the ops that were done, and what became of it.
    fn outcome(&self) -> Item {
        let mut item = self.item.clone();
        if let Some(side) = self.only {
            *item.records.of_mut(side.other()) = None;
        }
        item.ops.retain(|op| self.done.contains(&(op.side, op.kind)));
        item.outcome = match self.failed {
            Some(PendingReason::Refused) => Outcome::Failed(Failure::Refused),
            Some(PendingReason::Failed) => Outcome::Waiting(Wait::Retry),
            Some(PendingReason::Unknown | PendingReason::Doubt) => Outcome::Waiting(Wait::Answer),
            Some(PendingReason::Brake | PendingReason::Ambiguous | PendingReason::Conflict)
            | None => item.outcome,
        };
        item
    }
}

impl Session<'_> {
    /// Counts the item, and writes down how its records stand.
    pub(super) fn tell(&mut self, work: &Work, settlement: &mut Settlement) {
        let item = work.outcome();
        self.report.add(&item);
        let (run, now) = (self.run, self.now());
        for (side, end) in work.subjects() {
            settlement.outcomes.push(RecordOutcome {
                end: end.clone(),
                side,
                outcome: item.outcome.clone(),
                findings: item.findings.clone(),
                code: work.code.clone(),
                run,
                since: now,
            });
        }
        let Some(anchor) = work.anchor() else { return };
        let id = || IssueId(self.runner.ids.next(now));
        let mut open: Vec<NewIssue> = item
            .findings
            .iter()
            .map(|finding| NewIssue {
                id: id(),
                code: finding.code.name().to_owned(),
                side: finding.side,
                field: finding.field.clone(),
            })
            .collect();
        let problem = match &item.outcome {
            Outcome::Failed(Failure::RequiredField(field)) => {
                Some(("REQUIRED_FIELD_MISSING", Some(field.clone())))
            }
            Outcome::Failed(Failure::Unsettled) => Some(("UNSETTLED", None)),
            Outcome::Failed(Failure::Refused) if work.is_given_up => {
                Some(("GIVEN_UP", work.field.clone()))
            }
            Outcome::Failed(Failure::Refused) => Some(("REFUSED", work.field.clone())),
            Outcome::Conflict => Some(("CONFLICT", None)),
            Outcome::Ambiguous => Some(("AMBIGUOUS", None)),
            Outcome::Duplicate => Some(("DUPLICATE", None)),
            Outcome::Waiting(Wait::Brake) => Some(("BRAKE", None)),
            _ => None,
        };
        open.extend(problem.map(|(code, field)| NewIssue {
            id: id(),
            code: code.to_owned(),
            side: None,
            field,
        }));
        // What was once told of the other record is told of the pair now, if at all.
        for (_, end) in work.subjects().filter(|(_, end)| *end != anchor) {
            settlement.issues.push(self.issues_of(end, Vec::new()));
        }
        settlement.issues.push(self.issues_of(anchor, open));
    }

    /// Tells of a record for which nothing is planned in this run: what was sent for it was tried too
    /// often, or is in doubt.
    pub(super) fn tell_of(
        &self,
        end: &End,
        code: &str,
        outcome: Outcome,
        settlement: &mut Settlement,
    ) {
        settlement.outcomes.extend(self.stands(end, outcome));
        let id = IssueId(self.runner.ids.next(self.now()));
        let issue = NewIssue { id, code: code.to_owned(), side: None, field: None };
        settlement.issues.push(self.issues_of(end, vec![issue]));
    }

    /// A record that is linked no more, because another has taken its place.
    pub(super) fn tell_unlinked(&self, end: End, why: Skip, settlement: &mut Settlement) {
        settlement.outcomes.extend(self.stands(&end, Outcome::Skipped(why)));
        settlement.issues.push(self.issues_of(&end, Vec::new()));
        settlement.cleared.insert((self.connection.id, end));
    }

    fn stands(&self, end: &End, outcome: Outcome) -> Option<RecordOutcome> {
        Some(RecordOutcome {
            end: end.clone(),
            side: self.side(end.feed)?,
            outcome,
            findings: BTreeSet::new(),
            code: None,
            run: self.run,
            since: self.now(),
        })
    }

    fn issues_of(&self, end: &End, open: Vec<NewIssue>) -> IssuesOf {
        let end = Some(end.clone());
        IssuesOf { end, run: self.run, at: self.now(), open, unseen: BTreeSet::new() }
    }
}
