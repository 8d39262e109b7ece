//! The two emulated apps with the people in them.

use anyhow::{Context as _, Result};

use super::Server;
use super::client::Client;
use super::played::Played;
use super::script::Script;
use crate::config::address_variable;
use crate::connectors::{Overrides, kommo, zoho};
use crate::lab::emulate::{AppHandle, Emulated, Listening, listen};
use crate::lab::people::{Moved, People, move_in, people};

/// The two emulated apps with the people in them.
pub struct Town {
    /// Who they are.
    pub people: People,
    /// Where each of them lives.
    pub moved: Moved,
    /// Kommo, to act in it and to look at it.
    pub kommo: kommo::emulator::Emulator,
    /// Zoho CRM, to act in it and to look at it.
    pub zoho: zoho::emulator::Emulator,
    /// What a person would type in, for each.
    pub(super) credentials: [Vec<(&'static str, String)>; 2],
    /// What a server that does not reach them must be told.
    settings: String,
}

/// The two emulated apps, listening.
pub struct Emulators {
    kommo: Listening,
    zoho: Listening,
}

/// Opens the two apps on these ports of this machine, with people in them.
///
/// # Errors
/// If a port is in use.
pub async fn open(contacts: u32, seed: u64, ports: [u16; 2]) -> Result<(Town, Emulators)> {
    let [kommo, zoho] = ports;
    let in_use = |app: &str, port: u16| {
        let option = app.to_lowercase();
        format!(
            "no port for the emulator of {app}: {port} can't be listened on, take another by --{option}-port"
        )
    };
    let left = listen(Emulated::Kommo, kommo).await.with_context(|| in_use("Kommo", kommo))?;
    let right = listen(Emulated::Zoho, zoho).await.with_context(|| in_use("Zoho", zoho))?;
    let emulators = Emulators { kommo: left, zoho: right };
    let town = Town::new(contacts, seed, &emulators)?;
    Ok((town, emulators))
}

impl Town {
    fn new(contacts: u32, seed: u64, emulators: &Emulators) -> Result<Self> {
        let Emulators { kommo: left, zoho: right } = emulators;
        let (AppHandle::Kommo(kommo), AppHandle::Zoho(zoho)) =
            (left.app.clone(), right.app.clone())
        else {
            anyhow::bail!("the emulators are mixed up");
        };
        let people = people(contacts, seed);
        let moved = move_in(&people, &kommo, &zoho);
        let credentials = [left.credentials.clone(), right.credentials.clone()];
        Ok(Self { people, moved, kommo, zoho, credentials, settings: emulators.settings() })
    }

    /// Plays the script through the API of a server, and waits for it if it is just starting. What
    /// came of it is to be judged.
    ///
    /// # Errors
    /// If the server does not answer, does not reach the emulators, or refuses anything. Where it does
    /// not reach them the error says which settings it has to be started with.
    pub async fn play(&self, server: &Server, is_quiet: bool) -> Result<Played> {
        self.script(server, is_quiet).await?.play().await
    }

    /// The steps of the script, for whoever wants to do something else between them. Waits for the
    /// server if it is just starting.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn script(&self, server: &Server, is_quiet: bool) -> Result<Script<'_>> {
        let client = Client::new(server)?;
        client.wait().await?;
        Ok(Script::new(client, self, is_quiet))
    }

    /// What an error says of a server that does not reach the emulators.
    pub(super) fn advice(&self) -> String {
        format!("the server does not reach the emulators: start it with\n{}", self.settings)
    }
}

impl Emulators {
    /// Where they are reached, each by the name of its host.
    fn hosts(&self) -> [(&'static str, &str); 3] {
        let (kommo, zoho) = (&self.kommo.address, &self.zoho.address);
        [("kommo", kommo), ("zoho", zoho), ("zoho_accounts", zoho)]
    }

    /// Where the emulators of Kommo and Zoho CRM are reached.
    #[must_use]
    pub fn addresses(&self) -> [String; 2] {
        [self.kommo.address.clone(), self.zoho.address.clone()]
    }

    /// What makes a server in this process ask them in place of the apps.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let hosts = self.hosts();
        hosts.iter().fold(Overrides::default(), |all, (host, url)| all.with_address(host, url))
    }

    /// What makes any other server ask them: the variables of its environment, one a line.
    #[must_use]
    pub fn settings(&self) -> String {
        let lines = self.hosts().map(|(host, url)| format!("{}={url}", address_variable(host)));
        lines.join("\n")
    }

    /// Puts something before each, such as what breaks requests off. Gives them back, to be chained.
    #[must_use]
    pub fn behind(
        self,
        kommo: impl FnOnce(axum::Router) -> axum::Router,
        zoho: impl FnOnce(axum::Router) -> axum::Router,
    ) -> Self {
        Self { kommo: self.kommo.behind(kommo), zoho: self.zoho.behind(zoho) }
    }

    /// Serves both until the process ends.
    ///
    /// # Errors
    /// If a port can be listened on no more.
    pub async fn serve(self) -> std::io::Result<()> {
        tokio::try_join!(self.kommo.serve(), self.zoho.serve())?;
        Ok(())
    }
}
