//! From what came to what is to be read again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::receive::place;
use super::{DEBOUNCE, Error, Webhooks};
use crate::connectors::{self, Delivery as Incoming, Noticed};
use crate::record::{ObjectName, RemoteId};
use crate::store::{
    Account, ConnectionId, Delivery, DeliveryEnd, Endpoint, EndpointId, WorkspaceId,
};

/// Deliveries that are expanded at once.
const AT_ONCE: u64 = 100;
/// After so many failures a delivery waits for a person.
const ATTEMPTS_MAX: u32 = 10;
/// How long the first failure waits; each further one twice as long.
const AGAIN: Duration = Duration::from_secs(5);

/// What came of expanding what was due.
#[derive(Debug, Default)]
pub struct Expansion {
    /// The connections that have something to read again.
    pub woken: BTreeSet<(WorkspaceId, ConnectionId)>,
    /// The endpoints at which something failed, and is still due.
    pub failed: BTreeMap<EndpointId, Error>,
}

impl Webhooks {
    /// Expands everything that is due. What fails at one endpoint keeps no other waiting.
    ///
    /// # Errors
    /// [`Error::Store`]: nobody knows what is due.
    pub async fn expand_due(&self) -> Result<Expansion, Error> {
        let mut expansion = Expansion::default();
        for (workspace, endpoint) in self.store.due_endpoints(self.clock.now()).await? {
            if let Err(error) = self.expand(workspace, endpoint, &mut expansion.woken).await {
                expansion.failed.insert(endpoint, error);
            }
        }
        Ok(expansion)
    }

    /// Expands what is due at an endpoint, and adds the connections that have something to read again.
    async fn expand(
        &self,
        workspace: WorkspaceId,
        id: EndpointId,
        woken: &mut BTreeSet<(WorkspaceId, ConnectionId)>,
    ) -> Result<(), Error> {
        let Some(endpoint) = self.store.endpoint_at(id).await? else { return Ok(()) };
        let account = self.store.account(workspace, endpoint.account).await?;
        loop {
            let now = self.clock.now();
            let due = self.store.due_deliveries(workspace, id, now, AT_ONCE).await?;
            let is_last = (due.len() as u64) < AT_ONCE;
            let mut read = Vec::new();
            let mut noticed = BTreeSet::new();
            for delivery in due {
                let notices = self.read(&endpoint, &account, &delivery);
                if let Ok(notices) = &notices {
                    noticed.extend(notices.iter().cloned());
                }
                read.push((delivery, notices.map(|notices| notices.len())));
            }
            // The hints first: cut off between, the deliveries are expanded once more.
            let hinted = self.hint(&account, noticed).await?;
            woken.extend(hinted.into_iter().map(|connection| (workspace, connection)));
            for (delivery, outcome) in read {
                let end = match outcome {
                    Ok(hints) => {
                        DeliveryEnd::Expanded { hints: u32::try_from(hints).unwrap_or(u32::MAX) }
                    }
                    Err(code) => self.failed(&delivery, code),
                };
                let settle =
                    self.store.settle_delivery(workspace, delivery.id, delivery.received_at, &end);
                settle.await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn read(
        &self,
        endpoint: &Endpoint,
        account: &Account,
        delivery: &Delivery,
    ) -> Result<Vec<Noticed>, String> {
        let (workspace, row) = (endpoint.workspace.to_string(), delivery.id.to_string());
        let body = self.sealer.open(place(&workspace, &row), &delivery.body);
        let body = body.map_err(|_| "sealed".to_owned())?;
        let app = connectors::app(&account.app).ok_or("no_such_app")?;
        let incoming = Incoming {
            content_type: &delivery.content_type,
            body: &body,
            token: &self.keys.token(endpoint),
            remote_id: &account.remote_id,
        };
        app.notices(&incoming).map_err(|unreadable| unreadable.code().to_owned())
    }

    fn failed(&self, delivery: &Delivery, error: String) -> DeliveryEnd {
        if delivery.attempts + 1 >= ATTEMPTS_MAX {
            return DeliveryEnd::Parked { error };
        }
        let wait = AGAIN.saturating_mul(1 << delivery.attempts.min(ATTEMPTS_MAX));
        DeliveryEnd::Failed { error, next_at: self.clock.now() + wait }
    }

    /// Marks the records in every feed of the account that has their object.
    async fn hint(
        &self,
        account: &Account,
        noticed: BTreeSet<Noticed>,
    ) -> Result<BTreeSet<ConnectionId>, Error> {
        let mut ids: BTreeMap<ObjectName, BTreeSet<RemoteId>> = BTreeMap::new();
        for notice in noticed {
            ids.entry(notice.object).or_default().insert(notice.id);
        }
        let mut woken = BTreeSet::new();
        if ids.is_empty() {
            return Ok(woken);
        }
        let due = self.clock.now() + DEBOUNCE;
        let mut hinted = BTreeSet::new();
        let connections = self.store.connections_of_account(account.workspace, account.id).await?;
        for connection in connections {
            let connection = self.store.connection(account.workspace, connection).await?;
            for feed in &connection.feeds {
                let feed = self.store.feed(account.workspace, feed.feed).await?;
                let Some(ids) = ids.get(&feed.object).filter(|_| feed.account == account.id) else {
                    continue;
                };
                if hinted.insert(feed.id) {
                    self.store.add_hints(account.workspace, feed.id, ids, due).await?;
                }
                if connection.is_running() {
                    woken.insert(connection.id);
                }
            }
        }
        Ok(woken)
    }
}
