//! The tables of the store in memory, and what each transaction does to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::planner::{Key, LinkState, Presence, Seen, Settings};
use crate::record::{ObjectName, Record, RemoteId};
use crate::store::key::{KeyHash, hash};
use crate::store::{
    Account, AccountId, Connection, ConnectionId, End, Error, Feed, FeedId, Held, Intent,
    IntentState, LeaseKey, LinkId, LinkRow, Observation, Observed, OpId, OpRow, OpState, Pending,
    Result, RunEnd, RunId, RunRow, RunState, SeenRow, Settlement, WorkspaceId,
};

type Scoped<T> = (WorkspaceId, T);

#[derive(Default)]
pub(super) struct State {
    leases: BTreeMap<LeaseKey, Lease>,
    accounts: BTreeMap<Scoped<AccountId>, Account>,
    feeds: BTreeMap<Scoped<FeedId>, Feed>,
    seen: BTreeMap<Scoped<FeedId>, BTreeMap<RemoteId, Row>>,
    keys: BTreeSet<(FeedId, KeyHash, RemoteId)>,
    hints: BTreeMap<(WorkspaceId, FeedId, RemoteId), Timestamp>,
    connections: BTreeMap<Scoped<ConnectionId>, Connection>,
    links: BTreeMap<Scoped<LinkId>, LinkRow>,
    ends: BTreeMap<(ConnectionId, End), LinkId>,
    pending: BTreeMap<(WorkspaceId, ConnectionId, End), Pending>,
    runs: BTreeMap<Scoped<RunId>, RunRow>,
    ops: BTreeMap<Scoped<OpId>, OpRow>,
    intents: BTreeMap<Scoped<OpId>, Intent>,
}

struct Lease {
    holder: String,
    fence: u64,
    expires_at: Timestamp,
}

struct Row {
    change: u64,
    seen: Seen,
    hash: [u8; 32],
    keys: BTreeSet<KeyHash>,
}

impl State {
    pub(super) fn acquire(
        &mut self,
        key: &LeaseKey,
        holder: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Option<Held> {
        let expires_at = now + ttl;
        let fence = match self.leases.get(key) {
            Some(lease) if lease.expires_at > now && lease.holder != holder => return None,
            Some(lease) => lease.fence + 1,
            None => 1,
        };
        self.leases.insert(*key, Lease { holder: holder.to_owned(), fence, expires_at });
        Some(Held { key: *key, fence })
    }

    pub(super) fn renew(&mut self, held: &Held, ttl: Duration, now: Timestamp) -> bool {
        match self.leases.get_mut(&held.key) {
            Some(lease) if lease.fence == held.fence && lease.expires_at > now => {
                lease.expires_at = now + ttl;
                true
            }
            _ => false,
        }
    }

    pub(super) fn release(&mut self, held: &Held) {
        if let Some(lease) = self.leases.get_mut(&held.key)
            && lease.fence == held.fence
        {
            lease.expires_at = Timestamp::MIN;
        }
    }

    pub(super) fn check(&self, held: &Held, now: Timestamp) -> Result<()> {
        match self.leases.get(&held.key) {
            Some(lease) if lease.fence == held.fence && lease.expires_at > now => Ok(()),
            _ => Err(Error::Fenced),
        }
    }

    pub(super) fn add_account(&mut self, account: &Account) -> Result<()> {
        let same = |known: &Account| {
            (known.workspace, &known.app, &known.environment, &known.remote_id)
                == (account.workspace, &account.app, &account.environment, &account.remote_id)
        };
        if self.accounts.values().any(same) {
            return Err(Error::Conflict);
        }
        self.accounts.insert((account.workspace, account.id), account.clone());
        Ok(())
    }

    pub(super) fn open_feed(
        &mut self,
        workspace: WorkspaceId,
        account: AccountId,
        object: &ObjectName,
        collection: &str,
        id: FeedId,
    ) -> Result<Feed> {
        if !self.accounts.contains_key(&(workspace, account)) {
            return Err(Error::NotFound("account"));
        }
        let known = self.feeds.values().find(|feed| {
            feed.workspace == workspace
                && feed.account == account
                && feed.object == *object
                && feed.collection == collection
        });
        if let Some(feed) = known {
            return Ok(feed.clone());
        }
        let feed = Feed {
            workspace,
            id,
            account,
            object: object.clone(),
            collection: collection.to_owned(),
            cursor: None,
            last_change: 0,
        };
        self.feeds.insert((workspace, id), feed.clone());
        Ok(feed)
    }

    pub(super) fn feed(&self, workspace: WorkspaceId, id: FeedId) -> Result<&Feed> {
        self.feeds.get(&(workspace, id)).ok_or(Error::NotFound("feed"))
    }

    pub(super) fn add_connection(&mut self, connection: &Connection) -> Result<()> {
        for feed in &connection.feeds {
            self.feed(connection.workspace, feed.feed)?;
        }
        let key = (connection.workspace, connection.id);
        if self.connections.contains_key(&key) {
            return Err(Error::Conflict);
        }
        self.connections.insert(key, connection.clone());
        Ok(())
    }

    pub(super) fn connection(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<&Connection> {
        self.connections.get(&(workspace, id)).ok_or(Error::NotFound("connection"))
    }

    pub(super) fn connection_mut(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<&mut Connection> {
        self.connections.get_mut(&(workspace, id)).ok_or(Error::NotFound("connection"))
    }

    pub(super) fn publish(
        &mut self,
        workspace: WorkspaceId,
        id: ConnectionId,
        expected: u32,
        settings: &Settings,
    ) -> Result<u32> {
        let connection = self.connection_mut(workspace, id)?;
        if connection.settings.version != expected {
            return Err(Error::Conflict);
        }
        connection.settings = Settings { version: expected + 1, ..settings.clone() };
        Ok(expected + 1)
    }

    pub(super) fn observe(
        &mut self,
        workspace: WorkspaceId,
        observation: &Observation,
    ) -> Result<BTreeSet<RemoteId>> {
        let mut changed = BTreeSet::new();
        for observed in &observation.records {
            if self.see(workspace, observation.feed, observed)? {
                changed.insert(observed.id.clone());
            }
        }
        if let Some(cursor) = &observation.cursor {
            self.feed_mut(workspace, observation.feed)?.cursor = Some(cursor.clone());
        }
        for id in &observation.answered {
            self.hints.remove(&(workspace, observation.feed, id.clone()));
        }
        Ok(changed)
    }

    fn feed_mut(&mut self, workspace: WorkspaceId, id: FeedId) -> Result<&mut Feed> {
        self.feeds.get_mut(&(workspace, id)).ok_or(Error::NotFound("feed"))
    }

    /// Remembers one observation. True if anything that is compared changed.
    fn see(&mut self, workspace: WorkspaceId, feed: FeedId, observed: &Observed) -> Result<bool> {
        self.feed(workspace, feed)?;
        let rows = self.seen.entry((workspace, feed)).or_default();
        let known = rows.get(&observed.id);
        // Nothing can be said of a record that is gone and was never seen.
        if known.is_none() && observed.record.is_none() {
            return Ok(false);
        }
        let same = known
            .is_some_and(|row| row.hash == observed.hash && row.seen.presence == observed.presence);
        let record = match (&observed.record, known) {
            (Some(record), _) => record.clone(),
            (None, Some(row)) => row.seen.record.clone(),
            (None, None) => Record::new("", observed.id.clone()),
        };
        let old_keys = known.map(|row| row.keys.clone()).unwrap_or_default();
        let keys: BTreeSet<KeyHash> = match observed.presence {
            Presence::Live => observed.keys.iter().map(|key| hash(workspace, key)).collect(),
            Presence::Gone | Presence::Forbidden => BTreeSet::new(),
        };
        let old_change = known.map(|row| row.change).unwrap_or_default();
        for key in &old_keys {
            self.keys.remove(&(feed, *key, observed.id.clone()));
        }
        for key in &keys {
            self.keys.insert((feed, *key, observed.id.clone()));
        }
        let change = if same {
            old_change
        } else {
            let feed = self.feed_mut(workspace, feed)?;
            feed.last_change += 1;
            feed.last_change
        };
        let seen = Seen { record, presence: observed.presence };
        let row = Row { change, seen, hash: observed.hash, keys };
        self.seen.entry((workspace, feed)).or_default().insert(observed.id.clone(), row);
        Ok(!same)
    }

    fn rows(&self, workspace: WorkspaceId, feed: FeedId) -> impl Iterator<Item = SeenRow> {
        self.seen.get(&(workspace, feed)).into_iter().flatten().map(move |(_, row)| SeenRow {
            feed,
            change: row.change,
            seen: row.seen.clone(),
        })
    }

    pub(super) fn seen_after(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        change: u64,
        limit: u64,
    ) -> Vec<SeenRow> {
        let mut rows: Vec<SeenRow> =
            self.rows(workspace, feed).filter(|row| row.change > change).collect();
        rows.sort_by_key(|row| row.change);
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        rows
    }

    pub(super) fn seen_by_id(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        ids: &BTreeSet<RemoteId>,
    ) -> Vec<SeenRow> {
        let Some(rows) = self.seen.get(&(workspace, feed)) else { return Vec::new() };
        ids.iter()
            .filter_map(|id| rows.get(id))
            .map(|row| SeenRow { feed, change: row.change, seen: row.seen.clone() })
            .collect()
    }

    pub(super) fn seen_by_keys(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        keys: &BTreeSet<Key>,
    ) -> Vec<SeenRow> {
        let mut ids = BTreeSet::new();
        for key in keys {
            let key = hash(workspace, key);
            let from = (feed, key, RemoteId::new(""));
            let same = self.keys.range(from..).take_while(|(f, k, _)| (*f, *k) == (feed, key));
            ids.extend(same.map(|(_, _, id)| id.clone()));
        }
        self.seen_by_id(workspace, feed, &ids)
    }

    pub(super) fn count_live(&self, workspace: WorkspaceId, feed: FeedId) -> u64 {
        let live = self
            .seen
            .get(&(workspace, feed))
            .into_iter()
            .flatten()
            .filter(|(_, row)| row.seen.presence == Presence::Live);
        live.count() as u64
    }

    pub(super) fn hint(
        &mut self,
        workspace: WorkspaceId,
        feed: FeedId,
        id: &RemoteId,
        due: Timestamp,
    ) {
        let at = self.hints.entry((workspace, feed, id.clone())).or_insert(due);
        *at = due.min(*at);
    }

    pub(super) fn due_hints(
        &self,
        workspace: WorkspaceId,
        feed: FeedId,
        now: Timestamp,
        limit: u64,
    ) -> BTreeSet<RemoteId> {
        self.hints
            .iter()
            .filter(|((ws, of, _), due)| *ws == workspace && *of == feed && **due <= now)
            .map(|((_, _, id), _)| id.clone())
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect()
    }

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
        let open = self.runs.iter().find(|((ws, _), row)| {
            *ws == workspace && row.connection == run.connection && row.state == RunState::Running
        });
        if let Some((_, row)) = open {
            return Ok(row.clone());
        }
        self.runs.insert((workspace, run.id), run.clone());
        Ok(run.clone())
    }

    pub(super) fn finish_run(&mut self, workspace: WorkspaceId, end: &RunEnd) -> Result<bool> {
        let run = self.runs.get_mut(&(workspace, end.id)).ok_or(Error::NotFound("run"))?;
        run.state = end.state;
        run.ended_at = Some(end.at);
        run.report = end.report.clone();
        run.error.clone_from(&end.error);
        let connection = self.connection_mut(workspace, end.connection)?;
        for feed in &mut connection.feeds {
            if let Some(planned_to) = end.planned_to.get(&feed.feed) {
                feed.planned_to = *planned_to;
            }
        }
        connection.progress = end.progress.clone();
        Ok(connection.again)
    }

    pub(super) fn runs(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        limit: u64,
    ) -> Vec<RunRow> {
        self.runs
            .iter()
            .rev()
            .filter(|((ws, _), row)| *ws == workspace && row.connection == connection)
            .map(|(_, row)| row.clone())
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect()
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

    pub(super) fn settle(&mut self, workspace: WorkspaceId, settlement: &Settlement) -> Result<()> {
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
            self.see(workspace, own.feed, &own.observed)?;
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
