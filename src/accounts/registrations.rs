//! The OAuth clients that are registered with apps: by whoever runs this server for all workspaces, and
//! by each workspace for itself. Their own come first.

use secrecy::{ExposeSecret as _, SecretString};

use super::vault::Vault;
use super::{Accounts, Error, Result, app};
use crate::connectors::{AppRegistration, Clients, Registrations};
use crate::secrets::{self, Place};
use crate::store::{RegistrationRow, WorkspaceId};

/// The longest id or secret of a client, in bytes.
const CLIENT_MAX: usize = 512;

/// A client as it is shown: without its secret.
pub struct Registered {
    /// Its id.
    pub client_id: String,
    /// Where in the app it is registered; none where it is the same everywhere.
    pub place: Option<String>,
    /// Whether it is the workspace's own.
    pub is_own: bool,
}

impl Registered {
    fn of(client: &AppRegistration, is_own: bool) -> Self {
        Self { client_id: client.client_id.clone(), place: client.place.clone(), is_own }
    }
}

impl Accounts {
    /// The clients with which accounts of an app can be authorized, in the order in which they are tried.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Sealing`].
    pub async fn registrations(
        &self,
        workspace: WorkspaceId,
        slug: &str,
    ) -> Result<Vec<Registered>> {
        let own = self.vault.own_clients(workspace, slug).await?;
        let all = self.world.registrations.of(slug);
        let own = own.iter().map(|client| Registered::of(client, true));
        Ok(own.chain(all.iter().map(|client| Registered::of(client, false))).collect())
    }

    /// Registers a workspace's own client, in the place of the one that it had there.
    ///
    /// # Errors
    /// [`Error::BadClient`], [`Error::NoSuchPlace`].
    pub async fn register(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        client: &AppRegistration,
    ) -> Result<Registered> {
        let place = place_of(slug, client.place.as_deref())?;
        let is_one = |text: &str| {
            (1..=CLIENT_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !is_one(&client.client_id) || !is_one(client.client_secret.expose_secret()) {
            return Err(Error::BadClient);
        }
        let client = AppRegistration { place, ..client.clone() };
        let sealed = self.vault.seal_client(workspace, slug, &client)?;
        let row = RegistrationRow {
            workspace,
            app: slug.to_owned(),
            place: client.place.clone(),
            client_id: client.client_id.clone(),
            sealed,
        };
        self.store.set_registration(&row).await?;
        Ok(Registered::of(&client, true))
    }

    /// Forgets a workspace's own client. Accounts that were authorized with it go on until their keys run
    /// out. False if there was none.
    ///
    /// # Errors
    /// [`Error::NoSuchPlace`].
    pub async fn unregister(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        place: Option<&str>,
    ) -> Result<bool> {
        let place = place_of(slug, place)?;
        Ok(self.store.remove_registration(workspace, slug, place.as_deref()).await?)
    }
}

/// A place as the app's connector writes it.
fn place_of(slug: &str, named: Option<&str>) -> Result<Option<String>> {
    let places = app(slug)?.about().client_places;
    let Some(named) = named else { return Ok(None) };
    let known = places.iter().find(|place| place.eq_ignore_ascii_case(named));
    known
        .map(|place| Some((*place).to_owned()))
        .ok_or_else(|| Error::NoSuchPlace(places.join(", ")))
}

impl Vault {
    /// The clients at an app: the workspace's own, and after them those of this server.
    pub(super) async fn clients(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        shared: &Registrations,
    ) -> Result<Clients> {
        Ok(self.own_clients(workspace, slug).await?.then(shared.of(slug)))
    }

    async fn own_clients(&self, workspace: WorkspaceId, slug: &str) -> Result<Clients> {
        let mut clients = Clients::default();
        for row in self.store.registrations(workspace, slug).await? {
            let subject = subject(slug, row.place.as_deref());
            let secret = self.sealer.open(place(&workspace.to_string(), &subject), &row.sealed)?;
            let secret = std::str::from_utf8(&secret).map_err(|_| secrets::Error::Altered)?;
            clients = clients.with(AppRegistration {
                client_id: row.client_id,
                client_secret: SecretString::from(secret),
                place: row.place,
            });
        }
        Ok(clients)
    }

    fn seal_client(
        &self,
        workspace: WorkspaceId,
        slug: &str,
        client: &AppRegistration,
    ) -> Result<Vec<u8>> {
        let subject = subject(slug, client.place.as_deref());
        let secret = client.client_secret.expose_secret().as_bytes();
        Ok(self.sealer.seal(place(&workspace.to_string(), &subject), secret)?)
    }
}

fn subject(slug: &str, place: Option<&str>) -> String {
    format!("{slug}/{}", place.unwrap_or_default())
}

fn place<'a>(workspace: &'a str, row: &'a str) -> Place<'a> {
    Place { workspace, column: "app_registration.sealed", row }
}
