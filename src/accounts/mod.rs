//! Authorised accounts: connecting, checking, describing and disconnecting them, and the gate through
//! which everybody speaks to one. The only room that hands credentials to a connector; they leave it
//! sealed or not at all.

mod authorization;
mod budget;
mod connect;
mod error;
mod gate;
mod keys;
mod ledger;
mod registrations;
mod tasks;
mod vault;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::connectors::{self, App, Clients, Connector, World};
use crate::ports::Ids;
use crate::secrets::{self, Sealer};
use crate::store::{Account, AccountId, AccountStatus, Store, WorkspaceId};
use gate::Gate;
use keys::Closed;
use tasks::Tasks;
use vault::Vault;

pub use authorization::{Authorizations, Begin, Begun, By, CameBack, callback};
pub use budget::{Budget, Quota};
pub use connect::Names;
pub use error::Error;
pub use registrations::Registered;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// The accounts of all workspaces, as this process speaks to them.
pub struct Accounts {
    store: Arc<dyn Store>,
    vault: Vault,
    world: World,
    ids: Arc<dyn Ids>,
    holder: String,
    /// One gate an account, so that everybody in this process keeps its pace and shares its key.
    gates: Mutex<BTreeMap<AccountId, Arc<Gate>>>,
    /// What goes on to its end when nobody waits for it any more.
    tasks: Tasks,
}

impl Accounts {
    /// The accounts in `store`, whose credentials `sealer` opens. `holder` is unique to this start of
    /// this process: leases are held under it.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        sealer: Sealer,
        world: World,
        ids: Arc<dyn Ids>,
        holder: impl Into<String>,
    ) -> Self {
        let vault = Vault::new(store.clone(), sealer);
        let (holder, gates) = (holder.into(), Mutex::default());
        Self { store, vault, world, ids, holder, gates, tasks: Tasks::default() }
    }

    /// The connector of an account.
    ///
    /// # Errors
    /// [`Error::NotConnected`] if it is disconnected or has to be reconnected.
    pub async fn open(&self, workspace: WorkspaceId, id: AccountId) -> Result<Arc<dyn Connector>> {
        let account = self.store.account(workspace, id).await?;
        if account.status.is_disconnected() {
            return Err(Error::NotConnected);
        }
        let app = app(&account.app)?;
        let gate = self.gate(&account, app);
        let kept = gate.credentials().await?;
        // Asked after that: credentials that were not written down yet make good what was refused.
        if self.store.account(workspace, id).await?.status != AccountStatus::Connected {
            return Err(Error::NotConnected);
        }
        Ok(app.open(&self.world, gate.line(), &kept, gate)?)
    }

    /// The connector of an account that needs reconnecting: it asks the app for nothing, and says why to
    /// whoever wants something of it.
    ///
    /// # Errors
    /// [`Error::Store`] if it has no credentials.
    pub async fn closed(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
    ) -> Result<Arc<dyn Connector>> {
        let app = app(&self.store.account(workspace, id).await?.app)?;
        let kept = self.vault.read((workspace, id)).await?.granted.credentials;
        let line = self.world.line(app.about());
        Ok(app.open(&self.world, line, &kept, Arc::new(Closed))?)
    }

    /// Opens the credentials of an account, if any is connected: with the wrong key nothing would run. What is
    /// damaged of one account keeps nobody else from running.
    ///
    /// # Errors
    /// [`Error::Sealing`]: it is the wrong key.
    pub async fn check_key(&self) -> Result<()> {
        for workspace in self.store.workspaces().await? {
            let accounts = self.store.accounts(workspace.id).await?;
            let is_connected = |account: &&Account| account.status == AccountStatus::Connected;
            for account in accounts.iter().filter(is_connected) {
                match self.vault.read((workspace.id, account.id)).await {
                    Err(Error::Sealing(secrets::Error::Altered)) => {}
                    read => return read.map(drop),
                }
            }
        }
        Ok(())
    }

    /// The OAuth clients with which accounts of an app can be authorized: at least one.
    async fn clients(&self, workspace: WorkspaceId, slug: &str) -> Result<Clients> {
        let clients = self.vault.clients(workspace, slug, &self.world.registrations).await?;
        if clients.iter().next().is_none() {
            return Err(Error::NotRegistered(slug.to_uppercase()));
        }
        Ok(clients)
    }

    fn gate(&self, account: &Account, app: &'static dyn App) -> Arc<Gate> {
        // What a panicking thread left in the map is as good as before.
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let (store, vault) = (self.store.clone(), self.vault.clone());
            let of = (account.workspace, account.id);
            let (world, holder) = (self.world.clone(), self.holder.clone());
            Arc::new(Gate::new(store, vault, world, app, of, holder, self.tasks.clone()))
        };
        gates.entry(account.id).or_insert_with(new).clone()
    }

    /// Waits until nothing is under way that must not be cut off: what an app gives only once, a code or
    /// a refresh token, is lost unless it is written down. Writes down what was asked, too.
    pub async fn settled(&self) {
        self.tasks.ended().await;
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for gate in gates.values() {
            gate.ledger().note().await;
        }
    }
}

fn app(slug: &str) -> Result<&'static dyn App> {
    connectors::app(slug).ok_or_else(|| Error::NoSuchApp(slug.to_owned()))
}
