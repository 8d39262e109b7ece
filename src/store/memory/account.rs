//! Workspaces and accounts, with their credentials and what they say of themselves.

use super::state::State;
use crate::store::{
    Account, AccountId, AccountStatus, Description, Error, Result, Sealed, Workspace, WorkspaceId,
};

/// The credentials of an account. Once they are taken away their generation stays: who read the old
/// ones must not take the next ones for them.
#[derive(Clone, Default)]
pub(super) struct Secret {
    generation: u64,
    sealed: Option<Vec<u8>>,
}

impl Secret {
    fn replace(&mut self, sealed: &[u8]) -> u64 {
        self.generation += 1;
        self.sealed = Some(sealed.to_vec());
        self.generation
    }
}

impl State {
    pub(super) fn add_workspace(&mut self, workspace: &Workspace) -> Result<()> {
        let clash = self
            .workspaces
            .values()
            .any(|known| known.id == workspace.id || known.name == workspace.name);
        if clash {
            return Err(Error::Conflict);
        }
        self.workspaces.insert(workspace.name.clone(), workspace.clone());
        Ok(())
    }

    pub(super) fn workspaces(&self) -> Vec<Workspace> {
        self.workspaces.values().cloned().collect()
    }

    pub(super) fn add_account(&mut self, account: &Account, sealed: &[u8]) -> Result<()> {
        let key = (account.workspace, account.id);
        if self.accounts.contains_key(&key) || self.is_taken(account) {
            return Err(Error::Conflict);
        }
        self.accounts.insert(key, account.clone());
        self.secrets.entry(key).or_default().replace(sealed);
        Ok(())
    }

    /// Whether another account holds the place that this one is to hold.
    fn is_taken(&self, account: &Account) -> bool {
        let clashes = |known: &Account| {
            known.id != account.id
                && !known.status.is_disconnected()
                && (known.workspace, &known.app, &known.environment, &known.remote_id)
                    == (account.workspace, &account.app, &account.environment, &account.remote_id)
        };
        !account.status.is_disconnected() && self.accounts.values().any(clashes)
    }

    pub(super) fn account(&self, workspace: WorkspaceId, id: AccountId) -> Result<&Account> {
        self.accounts.get(&(workspace, id)).ok_or(Error::NotFound("account"))
    }

    pub(super) fn accounts(&self, workspace: WorkspaceId) -> Vec<Account> {
        let mut rows: Vec<Account> =
            self.accounts.values().filter(|row| row.workspace == workspace).cloned().collect();
        rows.sort_by_key(|row| (row.connected_at, row.id));
        rows
    }

    pub(super) fn set_account(&mut self, account: &Account) -> Result<()> {
        let known = self.account(account.workspace, account.id)?;
        let changed = Account {
            app: known.app.clone(),
            environment: known.environment.clone(),
            remote_id: known.remote_id.clone(),
            connected_at: known.connected_at,
            ..account.clone()
        };
        if self.is_taken(&changed) {
            return Err(Error::Conflict);
        }
        let key = (account.workspace, account.id);
        if changed.status.is_disconnected()
            && let Some(secret) = self.secrets.get_mut(&key)
        {
            secret.sealed = None;
        }
        self.accounts.insert(key, changed);
        Ok(())
    }

    pub(super) fn credentials(&self, workspace: WorkspaceId, id: AccountId) -> Result<Sealed> {
        let kept = self.secrets.get(&(workspace, id)).and_then(|secret| {
            let bytes = secret.sealed.clone()?;
            Some(Sealed { generation: secret.generation, bytes })
        });
        kept.ok_or(Error::NotFound("credentials"))
    }

    pub(super) fn replace_credentials(
        &mut self,
        workspace: WorkspaceId,
        id: AccountId,
        expected: u64,
        sealed: &[u8],
    ) -> Result<u64> {
        let known = self.secrets.get_mut(&(workspace, id));
        let secret =
            known.filter(|secret| secret.sealed.is_some()).ok_or(Error::NotFound("credentials"))?;
        if secret.generation != expected {
            return Err(Error::Conflict);
        }
        let generation = secret.replace(sealed);
        if let Some(account) = self.accounts.get_mut(&(workspace, id))
            && let AccountStatus::NeedsReconnecting { .. } = account.status
        {
            account.status = AccountStatus::Connected;
        }
        Ok(generation)
    }

    /// Puts this status in the place of being connected, as long as the credentials are of this
    /// generation.
    pub(super) fn credentials_refused(
        &mut self,
        (workspace, id): (WorkspaceId, AccountId),
        generation: u64,
        status: AccountStatus,
    ) -> Result<bool> {
        let account = self.account(workspace, id)?.clone();
        if account.status != AccountStatus::Connected
            || self.credentials(workspace, id)?.generation != generation
        {
            return Ok(false);
        }
        self.set_account(&Account { status, ..account })?;
        Ok(true)
    }

    pub(super) fn reconnect(&mut self, account: &Account, sealed: &[u8]) -> Result<u64> {
        self.set_account(account)?;
        let secret = self.secrets.entry((account.workspace, account.id)).or_default();
        Ok(secret.replace(sealed))
    }

    pub(super) fn describe(
        &mut self,
        workspace: WorkspaceId,
        id: AccountId,
        description: &Description,
    ) -> Result<()> {
        self.account(workspace, id)?;
        self.descriptions.insert((workspace, id), description.clone());
        Ok(())
    }

    pub(super) fn description(&self, workspace: WorkspaceId, id: AccountId) -> Option<Description> {
        self.descriptions.get(&(workspace, id)).cloned()
    }
}
