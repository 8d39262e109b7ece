//! Links, runs, the journal, and who waits.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::State;
use crate::planner::{History, LinkState, Report, counted};
use crate::record::{PerSide, RemoteId};
use crate::store::{
    ConnectionId, End, Error, FeedId, Intent, IntentState, LinkId, LinkRow, OpFilter, OpId, OpRow,
    OpState, Pending, PlanState, Result, RunEnd, RunId, RunRow, RunState, Settlement, WorkspaceId,
};

impl State {
    pub(super) fn links_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Vec<LinkRow> {
        let links: BTreeSet<LinkId> = ids
            .iter()
            .filter_map(|id| self.ends.get(&(connection, End { feed, id: id.clone() })))
            .copied()
            .collect();
        links.into_iter().filter_map(|id| self.links.get(&(workspace, id)).cloned()).collect()
    }

    pub(super) fn links(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        after: Option<LinkId>,
        limit: u64,
    ) -> Vec<LinkRow> {
        self.links
            .iter()
            .filter(|((ws, id), row)| {
                *ws == workspace && row.connection == connection && Some(*id) > after
            })
            .map(|(_, row)| row.clone())
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect()
    }

    pub(super) fn count_links(&self, workspace: WorkspaceId, connection: ConnectionId) -> u64 {
        let active = self.links.iter().filter(|((ws, _), row)| {
            *ws == workspace && row.connection == connection && row.link.state == LinkState::Active
        });
        active.count() as u64
    }

    pub(super) fn begin_run(&mut self, workspace: WorkspaceId, run: &RunRow) -> Result<RunRow> {
        self.connection_mut(workspace, run.connection)?.again = false;
        let open = self.runs.iter_mut().find(|((ws, _), row)| {
            *ws == workspace && row.connection == run.connection && row.state == RunState::Running
        });
        if let Some((_, row)) = open {
            row.cut_off = row.cut_off.resumed(run.started_at);
            return Ok(row.clone());
        }
        self.runs.insert((workspace, run.id), run.clone());
        Ok(run.clone())
    }

    pub(super) fn put_down(&mut self, workspace: WorkspaceId, id: RunId) -> Result<()> {
        let run = self.runs.get_mut(&(workspace, id)).ok_or(Error::NotFound("run"))?;
        run.cut_off.is_put_down = true;
        Ok(())
    }

    pub(super) fn finish_run(&mut self, workspace: WorkspaceId, end: &RunEnd) -> Result<bool> {
        let run = self.runs.get_mut(&(workspace, end.id)).ok_or(Error::NotFound("run"))?;
        run.state = end.state;
        run.ended_at = Some(end.at);
        run.report = end.report.clone();
        run.error.clone_from(&end.error);
        let kept = end.keeps_plan_of();
        self.remove_plans(workspace, end.connection, PlanState::Building, kept);
        let connection = self.connection_mut(workspace, end.connection)?;
        for feed in &mut connection.feeds {
            if let Some(planned_to) = end.planned_to.get(&feed.feed) {
                feed.planned_to = *planned_to;
            }
        }
        connection.progress = end.progress.clone();
        Ok(connection.again)
    }

    pub(super) fn run(&self, workspace: WorkspaceId, id: RunId) -> Result<&RunRow> {
        self.runs.get(&(workspace, id)).ok_or(Error::NotFound("run"))
    }

    pub(super) fn runs_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        before: Option<RunId>,
    ) -> impl Iterator<Item = &RunRow> {
        self.runs
            .iter()
            .rev()
            .filter(move |((ws, id), row)| {
                *ws == workspace
                    && row.connection == connection
                    && before.is_none_or(|before| *id < before)
            })
            .map(|(_, row)| row)
    }

    pub(super) fn note_report(
        &mut self,
        workspace: WorkspaceId,
        id: RunId,
        report: &Report,
    ) -> Result<()> {
        let run = self.runs.get_mut(&(workspace, id));
        let run = run.filter(|run| run.state == RunState::Running);
        run.ok_or(Error::NotFound("run"))?.report = report.clone();
        Ok(())
    }

    pub(super) fn journal(
        &mut self,
        workspace: WorkspaceId,
        ops: &[OpRow],
        intents: &[Intent],
    ) -> BTreeSet<OpId> {
        let mut refused = BTreeSet::new();
        for intent in intents {
            let clash = self.intents.iter().any(|((ws, _), open)| {
                *ws == workspace
                    && open.state != IntentState::Closed
                    && open.feed == intent.feed
                    && (!open.keys.is_disjoint(&intent.keys)
                        || (open.connection, &open.source) == (intent.connection, &intent.source))
            });
            if clash {
                refused.insert(intent.op);
            } else {
                self.intents.insert((workspace, intent.op), intent.clone());
            }
        }
        for op in ops.iter().filter(|op| !refused.contains(&op.id)) {
            self.ops.insert((workspace, op.id), op.clone());
        }
        refused
    }

    pub(super) fn mark_sent(
        &mut self,
        workspace: WorkspaceId,
        ops: &BTreeSet<OpId>,
        at: Timestamp,
    ) {
        for id in ops {
            if let Some(op) = self.ops.get_mut(&(workspace, *id)) {
                op.state = OpState::Sent;
                op.sent_at = Some(at);
            }
            if let Some(intent) = self.intents.get_mut(&(workspace, *id)) {
                intent.sent_at = Some(at);
            }
        }
    }

    pub(super) fn settle(
        &mut self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        settlement: &Settlement,
    ) -> Result<()> {
        for link in &settlement.links {
            for (_, end) in link.ends.iter() {
                match self.ends.get(&(link.connection, end.clone())) {
                    Some(other) if *other != link.id => return Err(Error::Conflict),
                    _ => {}
                }
            }
        }
        for (id, (state, error)) in &settlement.ops {
            let op = self.ops.get_mut(&(workspace, *id)).ok_or(Error::NotFound("op"))?;
            op.state = *state;
            op.error.clone_from(error);
        }
        for (id, target) in &settlement.targets {
            let op = self.ops.get_mut(&(workspace, *id)).ok_or(Error::NotFound("op"))?;
            op.target = Some(target.clone());
        }
        for link in &settlement.links {
            if let Some(old) = self.links.get(&(workspace, link.id)) {
                for (_, end) in old.ends.iter() {
                    self.ends.remove(&(link.connection, end.clone()));
                }
            }
            for (_, end) in link.ends.iter() {
                self.ends.insert((link.connection, end.clone()), link.id);
            }
            self.links.insert((workspace, link.id), link.clone());
        }
        for own in &settlement.written {
            let saw = self.see(workspace, own.feed, std::iter::once(&own.observed))?;
            for (id, due) in saw.outdated {
                self.hint(workspace, own.feed, &id, due);
            }
        }
        for (connection, end) in &settlement.cleared {
            self.pending.remove(&(workspace, *connection, end.clone()));
        }
        for row in &settlement.pending {
            self.pending.insert((workspace, row.connection, row.end.clone()), row.clone());
        }
        for intent in &settlement.intents {
            self.intents.insert((workspace, intent.op), intent.clone());
        }
        for id in &settlement.closed {
            if let Some(intent) = self.intents.get_mut(&(workspace, *id)) {
                intent.state = IntentState::Closed;
                intent.resolve_at = None;
            }
        }
        for (id, due) in &settlement.doubtful {
            if let Some(intent) = self.intents.get_mut(&(workspace, *id)) {
                intent.state = IntentState::Unknown;
                intent.resolve_at = Some(*due);
            }
        }
        for (end, due) in &settlement.hints {
            self.hint(workspace, end.feed, &end.id, *due);
        }
        self.put_outcomes(workspace, connection, &settlement.outcomes);
        self.put_issues(workspace, connection, &settlement.issues);
        Ok(())
    }

    pub(super) fn ops_where(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        test: impl Fn(&OpRow) -> bool,
    ) -> Vec<OpRow> {
        self.ops
            .iter()
            .filter(|((ws, _), row)| *ws == workspace && row.connection == connection && test(row))
            .map(|(_, row)| row.clone())
            .collect()
    }

    pub(super) fn applied_since(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        since: Timestamp,
        first_run_ends: &PerSide<Option<Timestamp>>,
    ) -> History {
        let mut done = History::default();
        let rows = self.ops.iter().filter(|((ws, _), row)| {
            (*ws, row.connection, row.state) == (workspace, connection, OpState::Applied)
        });
        for (_, row) in rows {
            let Some(sent_at) = row.sent_at.filter(|at| *at >= since) else { continue };
            let is_first = first_run_ends.of(row.op.side).is_none_or(|end| sent_at <= end);
            done.add(row.op.side, &counted(&row.op), is_first, 1);
        }
        done
    }

    pub(super) fn op(&self, workspace: WorkspaceId, id: OpId) -> Result<&OpRow> {
        self.ops.get(&(workspace, id)).ok_or(Error::NotFound("op"))
    }

    pub(super) fn ops_before(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        filter: &OpFilter,
        before: Option<OpId>,
    ) -> impl Iterator<Item = &OpRow> {
        self.ops
            .iter()
            .rev()
            .filter(move |((ws, id), row)| {
                *ws == workspace
                    && row.connection == connection
                    && before.is_none_or(|before| *id < before)
                    && filter.run.is_none_or(|run| row.run == run)
                    && (filter.feeds.is_empty() || filter.feeds.contains(&row.feed))
                    && (filter.record.is_none() || row.target == filter.record)
            })
            .map(|(_, row)| row)
    }

    pub(super) fn doubtful_intents(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Vec<Intent> {
        self.intents
            .iter()
            .filter(|((ws, _), intent)| {
                *ws == workspace
                    && intent.connection == connection
                    && (intent.state == IntentState::Unknown
                        || intent.resolve_at.is_some_and(|at| at <= now))
            })
            .map(|(_, intent)| intent.clone())
            .collect()
    }

    pub(super) fn pending(&self, workspace: WorkspaceId, connection: ConnectionId) -> Vec<Pending> {
        self.pending
            .iter()
            .filter(|((ws, of, _), _)| *ws == workspace && *of == connection)
            .map(|(_, row)| row.clone())
            .collect()
    }

    pub(super) fn next_due(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<Timestamp>> {
        let feeds: BTreeSet<FeedId> =
            self.connection(workspace, connection)?.feeds.iter().map(|feed| feed.feed).collect();
        let hints = self
            .hints
            .iter()
            .filter(|((ws, feed, _), _)| *ws == workspace && feeds.contains(feed))
            .map(|(_, due)| *due);
        let intents = self
            .intents
            .iter()
            .filter(|((ws, _), intent)| *ws == workspace && intent.connection == connection)
            .filter_map(|(_, intent)| intent.resolve_at);
        let pending = self.pending(workspace, connection).into_iter().filter_map(|row| row.next_at);
        Ok(hints.chain(intents).chain(pending).min())
    }
}
