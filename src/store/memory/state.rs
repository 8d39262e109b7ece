//! The tables of the store in memory; leases, feeds and connections.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::account::Secret;
use crate::planner::{Seen, Settings};
use crate::record::{ObjectName, RemoteId};
use crate::store::key::KeyHash;
use crate::store::rows::KeptRequest;
use crate::store::{
    Account, AccountId, AuthorizationRequest, Connection, ConnectionFeed, ConnectionId, Delivery,
    DeliveryId, Description, DraftRow, End, Endpoint, EndpointId, Error, Feed, FeedId, Held,
    Intent, IssueId, IssueRow, LeaseKey, LinkId, LinkRow, OpId, OpRow, Pending, PlanItem, PlanRow,
    RecordOutcome, RegistrationRow, Result, RunId, RunRow, UsageHour, Workspace, WorkspaceId,
};

type Scoped<T> = (WorkspaceId, T);
/// Whose request, and its key.
pub(super) type RequestKey = (WorkspaceId, String, String);

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) leases: BTreeMap<LeaseKey, Lease>,
    pub(super) workspaces: BTreeMap<String, Workspace>,
    pub(super) accounts: BTreeMap<Scoped<AccountId>, Account>,
    pub(super) secrets: BTreeMap<Scoped<AccountId>, Secret>,
    pub(super) descriptions: BTreeMap<Scoped<AccountId>, Description>,
    /// By when the hour began.
    pub(super) usage: BTreeMap<Scoped<AccountId>, BTreeMap<Timestamp, UsageHour>>,
    /// By the hash of their state.
    pub(super) authorization_requests: BTreeMap<[u8; 32], AuthorizationRequest>,
    /// By workspace, app and place.
    pub(super) registrations: BTreeMap<(WorkspaceId, String, Option<String>), RegistrationRow>,
    pub(super) feeds: BTreeMap<Scoped<FeedId>, Feed>,
    pub(super) seen: BTreeMap<Scoped<FeedId>, BTreeMap<RemoteId, Row>>,
    pub(super) keys: BTreeSet<(FeedId, KeyHash, RemoteId)>,
    pub(super) hints: BTreeMap<(WorkspaceId, FeedId, RemoteId), Timestamp>,
    pub(super) connections: BTreeMap<Scoped<ConnectionId>, Connection>,
    pub(super) drafts: BTreeMap<Scoped<ConnectionId>, DraftRow>,
    pub(super) links: BTreeMap<Scoped<LinkId>, LinkRow>,
    pub(super) ends: BTreeMap<(ConnectionId, End), LinkId>,
    pub(super) pending: BTreeMap<(WorkspaceId, ConnectionId, End), Pending>,
    pub(super) runs: BTreeMap<Scoped<RunId>, RunRow>,
    pub(super) ops: BTreeMap<Scoped<OpId>, OpRow>,
    pub(super) intents: BTreeMap<Scoped<OpId>, Intent>,
    pub(super) plans: BTreeMap<Scoped<RunId>, PlanRow>,
    pub(super) plan_items: BTreeMap<(WorkspaceId, RunId, u64), PlanItem>,
    pub(super) outcomes: BTreeMap<(WorkspaceId, ConnectionId, End), RecordOutcome>,
    pub(super) issues: BTreeMap<Scoped<IssueId>, IssueRow>,
    pub(super) endpoints: BTreeMap<EndpointId, Endpoint>,
    pub(super) deliveries: BTreeMap<Scoped<DeliveryId>, Delivery>,
    pub(super) requests: BTreeMap<RequestKey, KeptRequest>,
}

#[derive(Clone)]
pub(super) struct Lease {
    holder: String,
    fence: u64,
    expires_at: Timestamp,
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) change: u64,
    pub(super) seen: Seen,
    pub(super) hash: [u8; 32],
    pub(super) keys: BTreeSet<KeyHash>,
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

    pub(super) fn is_held(&self, key: &LeaseKey, now: Timestamp) -> bool {
        self.leases.get(key).is_some_and(|lease| lease.expires_at > now)
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

    pub(super) fn open_feed(
        &mut self,
        workspace: WorkspaceId,
        account: AccountId,
        object: &ObjectName,
        collection: &str,
        id: FeedId,
    ) -> Result<Feed> {
        self.account(workspace, account)?;
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

    pub(super) fn connections(&self, workspace: WorkspaceId) -> Vec<Connection> {
        self.connections.values().filter(|row| row.workspace == workspace).cloned().collect()
    }

    pub(super) fn connections_of_account(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Vec<ConnectionId> {
        let is_read = |feed: &ConnectionFeed| {
            self.feeds.get(&(workspace, feed.feed)).is_some_and(|feed| feed.account == account)
        };
        self.connections
            .values()
            .filter(|row| row.workspace == workspace && row.feeds.iter().any(is_read))
            .map(|row| row.id)
            .collect()
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
        self.discard_draft(workspace, id);
        Ok(expected + 1)
    }
}
