//! Notifications of the apps: where they may post, what came, and which records are to be read again.
//!
//! A notification is believed in one thing only: that something happened to a record. It is kept
//! sealed as it came, answered, and expanded afterwards into hints; the runner reads those records
//! itself. What gets lost on the way is found by the next scheduled read.

mod error;
mod expand;
mod forget;
mod keys;
mod receive;
mod register;
mod tend;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::accounts::Accounts;
use crate::ports::{Clock, Ids};
use crate::secrets::{MasterKey, Sealer};
use crate::store::{AccountId, Endpoint, EndpointId, Store, WorkspaceId};
use keys::Keys;

pub use error::{Error, Refused};
pub use expand::Expansion;
pub use receive::Addressed;

/// How long a hint waits for others of the same record.
pub const DEBOUNCE: Duration = Duration::from_secs(2);

/// The endpoints of all accounts.
pub struct Webhooks {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    sealer: Sealer,
    keys: Keys,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    /// Where this server is reached from outside; without it nothing is registered.
    public_url: Option<String>,
    arrived: Notify,
    /// When an endpoint was last looked after, in this process.
    tended: Mutex<BTreeMap<EndpointId, Timestamp>>,
}

/// What the room is made of.
pub struct Parts {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// What seals the bodies.
    pub sealer: Sealer,
    /// From which the secrets of the addresses are made.
    pub key: MasterKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Where this server is reached from outside, without a slash at the end.
    pub public_url: Option<String>,
}

impl Webhooks {
    /// The endpoints in a store.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            store: parts.store,
            accounts: parts.accounts,
            sealer: parts.sealer,
            keys: Keys::new(&parts.key),
            clock: parts.clock,
            ids: parts.ids,
            public_url: parts.public_url,
            arrived: Notify::new(),
            tended: Mutex::default(),
        }
    }

    /// Has whoever waits look at once.
    pub fn look(&self) {
        self.arrived.notify_one();
    }

    /// Waits until a notification came since the last wait.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// The address at which an app may post for an account: whoever knows it can post there. None
    /// while nobody has said where this server is reached from outside.
    #[must_use]
    pub fn address(&self, endpoint: &Endpoint, app: &str) -> Option<String> {
        let base = self.public_url.as_deref()?;
        let secret = self.keys.secret(endpoint);
        Some(format!("{base}/webhooks/{app}/{}/{secret}", endpoint.id))
    }

    /// The endpoint of an account, made if there is none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn endpoint(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Endpoint, Error> {
        if let Some(known) = self.store.endpoint_of(workspace, account).await? {
            return Ok(known);
        }
        let now = self.clock.now();
        let id = EndpointId(self.ids.next(now));
        let endpoint = Endpoint::new(id, workspace, account, now);
        match self.store.add_endpoint(&endpoint).await {
            Ok(()) => Ok(endpoint),
            // Somebody else has just made it.
            Err(error) => self.store.endpoint_of(workspace, account).await?.ok_or(error.into()),
        }
    }
}
