//! Authorised accounts: connecting, checking, describing and disconnecting them, and the gate through
//! which everybody speaks to one. The only room that hands credentials to a connector; they leave it
//! sealed or not at all.

mod authorization;
mod connect;
mod error;
mod gate;
mod vault;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::connectors::{self, App, Connector, World};
use crate::ports::Ids;
use crate::secrets::Sealer;
use crate::store::{Account, AccountId, AccountStatus, Store, WorkspaceId};
use gate::Gate;
use vault::Vault;

pub use authorization::{Authorizations, Begin, Begun, By, callback};
pub use error::Error;

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
        Self { store, vault, world, ids, holder: holder.into(), gates: Mutex::default() }
    }

    /// The connector of an account.
    ///
    /// # Errors
    /// [`Error::NotConnected`] if it is disconnected or has to be reconnected.
    pub async fn open(&self, workspace: WorkspaceId, id: AccountId) -> Result<Arc<dyn Connector>> {
        let account = self.store.account(workspace, id).await?;
        if account.status != AccountStatus::Connected {
            return Err(Error::NotConnected);
        }
        let app = app(&account.app)?;
        let gate = self.gate(&account, app);
        let kept = gate.credentials().await?;
        Ok(app.open(&self.world, gate.line(), &kept, gate)?)
    }

    /// Opens the credentials of one account, if any is connected: with the wrong key nothing would run.
    ///
    /// # Errors
    /// [`Error::Sealing`]: it is the wrong key.
    pub async fn check_key(&self) -> Result<()> {
        for workspace in self.store.workspaces().await? {
            let accounts = self.store.accounts(workspace.id).await?;
            let is_connected = |account: &&Account| account.status == AccountStatus::Connected;
            if let Some(account) = accounts.iter().find(is_connected) {
                self.vault.read((workspace.id, account.id)).await?;
                return Ok(());
            }
        }
        Ok(())
    }

    fn gate(&self, account: &Account, app: &'static dyn App) -> Arc<Gate> {
        // What a panicking thread left in the map is as good as before.
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let (store, vault) = (self.store.clone(), self.vault.clone());
            let of = (account.workspace, account.id);
            Arc::new(Gate::new(store, vault, self.world.clone(), app, of, self.holder.clone()))
        };
        gates.entry(account.id).or_insert_with(new).clone()
    }

    /// Forgets what this process remembers of an account: its credentials have changed.
    fn forget(&self, id: AccountId) {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

fn app(slug: &str) -> Result<&'static dyn App> {
    connectors::app(slug).ok_or_else(|| Error::NoSuchApp(slug.to_owned()))
}
