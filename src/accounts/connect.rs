//! Connecting, checking, describing and disconnecting.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Accounts, Error, Result, app};
use crate::connectors::{
    self, Access, App, Connector, Credentials, ErrorKind, Granted, Identity, Key, Redirected,
};
use crate::net::Line;
use crate::record::ObjectName;
use crate::store::{
    self, Account, AccountId, AccountStatus, AuthorizationRequest, Description, WorkspaceId,
};

impl Accounts {
    /// Connects an account with what a person typed in: it is tried before anything is kept.
    ///
    /// # Errors
    /// [`Error::App`] says what is wrong with it; [`Error::AlreadyConnected`].
    pub async fn connect(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        typed: &Credentials,
        label: Option<&str>,
    ) -> Result<Account> {
        let app = app(slug)?;
        let line = self.world.line(app.about());
        let granted = app.authorise(&self.world, &line, typed).await?;
        self.add(workspace, self.try_out(app, line, granted).await?, label).await
    }

    /// Gives an account new credentials.
    ///
    /// # Errors
    /// [`Error::OtherAccount`] if they belong to another; [`Error::App`].
    pub async fn reconnect(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        typed: &Credentials,
    ) -> Result<Account> {
        let account = self.store.account(workspace, id).await?;
        let app = app(&account.app)?;
        let line = self.world.line(app.about());
        let granted = app.authorise(&self.world, &line, typed).await?;
        self.renew(account, self.try_out(app, line, granted).await?).await
    }

    /// Exchanges the code that a person came back with: the account that was to be reconnected, or
    /// the one that the person gave access to, which may be connected already, goes on with what it
    /// gives; otherwise it is connected.
    ///
    /// # Errors
    /// [`Error::OtherAccount`] if the person gave access to another; [`Error::App`].
    pub(super) async fn redeem(
        &self,
        request: &AuthorizationRequest,
        redirected: &Redirected<'_>,
    ) -> Result<Account> {
        let app = app(&request.app)?;
        let line = self.world.line(app.about());
        let granted = app.redeem(&self.world, &line, redirected).await?;
        let tried = self.try_out(app, line, granted).await?;
        let known = match request.account {
            Some(id) => Some(self.store.account(request.workspace, id).await?),
            None => self.known(request.workspace, &tried).await?,
        };
        match known {
            Some(account) => self.renew(account, tried).await,
            None => self.add(request.workspace, tried, request.label.as_deref()).await,
        }
    }

    /// The account of a workspace that this is, unless a person took it away.
    async fn known(&self, workspace: WorkspaceId, tried: &Tried) -> Result<Option<Account>> {
        let accounts = self.store.accounts(workspace).await?;
        let (slug, remote_id) = (tried.app.about().slug, &tried.identity.remote_id);
        let is_it = |account: &Account| {
            account.app == slug
                && account.remote_id == *remote_id
                && !account.status.is_disconnected()
        };
        Ok(accounts.into_iter().find(is_it))
    }

    async fn add(
        &self,
        workspace: WorkspaceId,
        tried: Tried,
        label: Option<&str>,
    ) -> Result<Account> {
        let Tried { app, granted, connector, identity } = tried;
        let now = self.world.clock.now();
        let id = AccountId(self.ids.next(now));
        let mut account = Account::new(workspace, id, app.about().slug, &identity.remote_id, now);
        account.environment = "production".to_owned();
        account.label = label.map_or_else(|| identity.label.clone(), str::to_owned);
        adopt(&mut account, &identity);
        let description = self.read_description(app, connector.as_ref()).await?;
        let sealed = self.vault.seal((workspace, id), &granted)?;
        self.store.add_account(&account, &sealed).await.map_err(of_place)?;
        self.store.describe(workspace, id, &description).await?;
        Ok(account)
    }

    async fn renew(&self, mut account: Account, tried: Tried) -> Result<Account> {
        if tried.identity.remote_id != account.remote_id {
            return Err(Error::OtherAccount);
        }
        adopt(&mut account, &tried.identity);
        account.status = AccountStatus::Connected;
        let sealed = self.vault.seal((account.workspace, account.id), &tried.granted)?;
        self.store.reconnect(&account, &sealed).await.map_err(of_place)?;
        self.forget(account.id);
        Ok(account)
    }

    /// Asks the app whose account it is, and keeps what it says.
    ///
    /// # Errors
    /// [`Error::App`] if the credentials are accepted no more.
    pub async fn check(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account> {
        let identity = self.open(workspace, id).await?.check().await?;
        let mut account = self.store.account(workspace, id).await?;
        adopt(&mut account, &identity);
        self.store.set_account(&account).await?;
        Ok(account)
    }

    /// Reads the fields and users of an account anew.
    ///
    /// # Errors
    /// [`Error::App`].
    pub async fn describe(&self, workspace: WorkspaceId, id: AccountId) -> Result<Description> {
        let account = self.store.account(workspace, id).await?;
        let connector = self.open(workspace, id).await?;
        let description = self.read_description(app(&account.app)?, connector.as_ref()).await?;
        self.store.describe(workspace, id, &description).await?;
        Ok(description)
    }

    /// Whether no connection uses an account.
    ///
    /// # Errors
    /// [`Error::InUse`] while connections do.
    pub async fn check_unused(&self, workspace: WorkspaceId, id: AccountId) -> Result<()> {
        let users = self.store.connections_of_account(workspace, id).await?;
        if users.is_empty() { Ok(()) } else { Err(Error::InUse(users.len())) }
    }

    /// Disconnects an account: its credentials are gone for good; what was seen of it stays until
    /// nothing needs it.
    ///
    /// # Errors
    /// [`Error::InUse`] while connections use it.
    pub async fn disconnect(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account> {
        self.check_unused(workspace, id).await?;
        let mut account = self.store.account(workspace, id).await?;
        account.status = AccountStatus::Disconnected { since: self.world.clock.now() };
        self.store.set_account(&account).await?;
        self.forget(id);
        Ok(account)
    }

    async fn try_out(&self, app: &'static dyn App, line: Line, granted: Granted) -> Result<Tried> {
        let access = Arc::new(Once(granted.key.clone()));
        let connector = app.open(&self.world, line, &granted.credentials, access)?;
        let identity = connector.check().await?;
        Ok(Tried { app, granted, connector, identity })
    }

    async fn read_description(
        &self,
        app: &dyn App,
        connector: &dyn Connector,
    ) -> Result<Description> {
        let mut schemas = BTreeMap::new();
        for object in app.about().objects {
            let object = ObjectName::new(object.name);
            let schema = connector.describe(&object).await?;
            schemas.insert(object, schema);
        }
        let users = connector.users().await?;
        Ok(Description { schemas, users, described_at: self.world.clock.now() })
    }
}

fn adopt(account: &mut Account, identity: &Identity) {
    account.host.clone_from(&identity.host);
    account.owner_email.clone_from(&identity.email);
    account.region.clone_from(&identity.country);
    account.time_zone.clone_from(&identity.time_zone);
}

/// What an error means where an account is to take its place.
fn of_place(error: store::Error) -> Error {
    match error {
        store::Error::Conflict => Error::AlreadyConnected,
        other => other.into(),
    }
}

/// Credentials that were accepted, and whose they are.
struct Tried {
    app: &'static dyn App,
    granted: Granted,
    connector: Arc<dyn Connector>,
    identity: Identity,
}

/// The key of an account that is being tried out: there is no other.
struct Once(Key);

#[async_trait]
impl Access for Once {
    async fn key(&self) -> connectors::Result<Key> {
        Ok(self.0.clone())
    }

    async fn replace(&self, _refused: &Key) -> connectors::Result<Key> {
        Err(connectors::Error::new(ErrorKind::Unauthorised, "connect", "token_refused")
            .advise("the app does not accept this token: check that it is whole and not revoked"))
    }
}
