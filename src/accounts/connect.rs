//! Connecting, checking, describing and disconnecting.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::Once;
use super::{Accounts, Error, Result, app};
use crate::connectors::{
    App, Connector, Credentials, ErrorKind, Granted, Identity, Parameters, Redirected,
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
    /// [`Error::App`] says what is wrong with it; [`Error::NoSuchCredential`]; [`Error::AlreadyConnected`].
    pub async fn connect(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        typed: &Credentials,
        names: Names<'_>,
    ) -> Result<Account> {
        let app = app(slug)?;
        check_names(app, typed)?;
        let line = self.world.line(app.about());
        let granted = app.authorise(&self.world, &line, typed).await?;
        self.add(workspace, &self.try_out(app, line, granted).await?, names).await
    }

    /// Gives an account new credentials.
    ///
    /// # Errors
    /// [`Error::OtherAccount`] if they belong to another; [`Error::NoSuchCredential`]; [`Error::App`].
    pub async fn reconnect(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        typed: &Credentials,
        email: Option<&str>,
    ) -> Result<Account> {
        let account = self.store.account(workspace, id).await?;
        let app = app(&account.app)?;
        check_names(app, typed)?;
        let line = self.world.line(app.about());
        let granted = app.authorise(&self.world, &line, typed).await?;
        self.renew(account, &self.try_out(app, line, granted).await?, email).await
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
        parameters: &Parameters,
    ) -> Result<Account> {
        let app = app(&request.app)?;
        let line = self.world.line(app.about());
        let redirected = Redirected {
            clients: &self.clients(request.workspace, &request.app).await?,
            place: request.place.as_deref(),
            redirect_uri: &request.redirect_uri,
            parameters,
        };
        let granted = app.redeem(&self.world, &line, &redirected).await?;
        let tried = self.try_out(app, line, granted).await?;
        let names = Names { label: request.label.as_deref(), email: request.email.as_deref() };
        let known = match request.account {
            Some(id) => Some(self.store.account(request.workspace, id).await?),
            None => self.known(request.workspace, &tried).await?,
        };
        if let Some(account) = known {
            return self.renew(account, &tried, names.email).await;
        }
        match self.add(request.workspace, &tried, names).await {
            // Somebody else was faster.
            Err(Error::AlreadyConnected) => {
                let known = self.known(request.workspace, &tried).await?;
                let account = known.ok_or(Error::AlreadyConnected)?;
                self.renew(account, &tried, names.email).await
            }
            added => added,
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
        tried: &Tried,
        names: Names<'_>,
    ) -> Result<Account> {
        let Tried { app, granted, connector, identity } = tried;
        check_user(names.email, identity)?;
        let now = self.world.clock.now();
        let id = AccountId(self.ids.next(now));
        let mut account = Account::new(workspace, id, app.about().slug, &identity.remote_id, now);
        account.environment = "production".to_owned();
        account.label = names.label.map_or_else(|| identity.label.clone(), str::to_owned);
        account.expected_email = names.email.filter(|email| !email.is_empty()).map(str::to_owned);
        adopt(&mut account, identity);
        let description = self.read_description(*app, connector.as_ref()).await?;
        let sealed = self.vault.seal((workspace, id), granted)?;
        self.store.add_account(&account, &sealed).await.map_err(of_place)?;
        self.store.describe(workspace, id, &description).await?;
        Ok(account)
    }

    async fn renew(
        &self,
        mut account: Account,
        tried: &Tried,
        email: Option<&str>,
    ) -> Result<Account> {
        if tried.identity.remote_id != account.remote_id {
            return Err(Error::OtherAccount);
        }
        // An empty one lets it be any user.
        let expected = email.map(|email| Some(email.to_owned()).filter(|email| !email.is_empty()));
        account.expected_email = expected.unwrap_or(account.expected_email);
        check_user(account.expected_email.as_deref(), &tried.identity)?;
        adopt(&mut account, &tried.identity);
        account.status = AccountStatus::Connected;
        let sealed = self.vault.seal((account.workspace, account.id), &tried.granted)?;
        self.store.reconnect(&account, &sealed).await.map_err(of_place)?;
        Ok(account)
    }

    /// Asks the app whose account it is, and keeps what it says.
    ///
    /// # Errors
    /// [`Error::App`] if the credentials are accepted no more; [`Error::OtherUser`].
    pub async fn check(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account> {
        let identity = self.open(workspace, id).await?.check().await?;
        let mut account = self.store.account(workspace, id).await?;
        adopt(&mut account, &identity);
        self.store.set_account(&account).await?;
        check_user(account.expected_email.as_deref(), &identity)?;
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
        if users.is_empty() {
            return Ok(());
        }
        let users: Vec<String> = users.iter().map(ToString::to_string).collect();
        Err(Error::InUse(users.join(", ")))
    }

    /// Disconnects an account: its credentials are gone for good; what was seen of it stays until
    /// nothing needs it. What a person's consent gave us is given back to the app, if it takes it back; a
    /// failure of that is told, and keeps nobody from leaving.
    ///
    /// # Errors
    /// [`Error::InUse`] while connections use it.
    pub async fn disconnect(&self, workspace: WorkspaceId, id: AccountId) -> Result<Account> {
        self.check_unused(workspace, id).await?;
        let mut account = self.store.account(workspace, id).await?;
        let kept = self.vault.read((workspace, id)).await;
        account.status = AccountStatus::Disconnected { since: self.world.clock.now() };
        self.store.set_account(&account).await?;
        // Those of an account that was disconnected before are gone already.
        if let Ok(kept) = kept {
            let app = app(&account.app)?;
            let line = self.world.line(app.about());
            let revoked = app.revoke(&self.world, &line, &kept.granted.credentials).await;
            if let Err(error) = revoked {
                eprintln!("{id} is disconnected, and its app still lists the access: {error}");
            }
        }
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
        for (nth, object) in app.about().objects.iter().enumerate() {
            let object = ObjectName::new(object.name);
            match connector.describe(&object).await {
                Ok(schema) => _ = schemas.insert(object, schema),
                // Not every edition has all of them, and not every user may read them.
                Err(error) if nth > 0 && is_not_there(error.kind) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let users = connector.users().await?;
        Ok(Description { schemas, users, described_at: self.world.clock.now() })
    }
}

/// Refuses another user than the one who was expected. An app that does not say who it is, because the
/// user may not read users, is believed.
fn check_user(expected: Option<&str>, identity: &Identity) -> Result<()> {
    match (expected, &identity.email) {
        (Some(expected), Some(email))
            if !expected.is_empty() && !expected.trim().eq_ignore_ascii_case(email.trim()) =>
        {
            Err(Error::OtherUser)
        }
        _ => Ok(()),
    }
}

/// Whether an object is none of this account's.
fn is_not_there(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Forbidden | ErrorKind::Unsupported)
}

fn adopt(account: &mut Account, identity: &Identity) {
    account.host.clone_from(&identity.host);
    account.owner_email.clone_from(&identity.email);
    account.region.clone_from(&identity.country);
    account.time_zone.clone_from(&identity.time_zone);
    account.allowance = identity.allowance;
}

/// What an error means where an account is to take its place.
fn of_place(error: store::Error) -> Error {
    match error {
        store::Error::Conflict => Error::AlreadyConnected,
        other => other.into(),
    }
}

/// What people call an account.
#[derive(Clone, Copy, Default)]
pub struct Names<'a> {
    /// Its name; the app's own, if none is given.
    pub label: Option<&'a str>,
    /// The e-mail address of the user who is to authorise it, if it matters; none, or an empty one, for
    /// any.
    pub email: Option<&'a str>,
}

/// Credentials that were accepted, and whose they are.
struct Tried {
    app: &'static dyn App,
    granted: Granted,
    connector: Arc<dyn Connector>,
    identity: Identity,
}

/// Refuses what the app does not ask for: a misspelt name would be taken for nothing.
fn check_names(app: &'static dyn App, typed: &Credentials) -> Result<()> {
    let about = app.about();
    let known: Vec<&str> = about.credentials.iter().map(|credential| credential.name).collect();
    match typed.names().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let (name, known) = (name.to_owned(), known.join(", "));
            Err(Error::NoSuchCredential { app: about.name, name, known })
        }
    }
}
