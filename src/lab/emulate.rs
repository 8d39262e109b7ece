//! Emulators on ports of their own, for whoever wants to try Concord or another client on them.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::people::{move_in, people};
use super::postman::carry;
use crate::connectors::{kommo, zoho};
use crate::net::Http;
use crate::ports::{Clock, SystemClock};

/// An app that can be emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulated {
    /// Kommo.
    Kommo,
    /// Zoho CRM.
    Zoho,
}

/// An emulator that listens.
pub struct Listening {
    /// Where it is reached.
    pub address: String,
    /// What a person would type in to connect an account: names and values.
    pub credentials: Vec<(&'static str, String)>,
    listener: TcpListener,
    router: axum::Router,
    /// The app behind it.
    pub app: AppHandle,
}

/// An emulator, to act in it and to look at it.
#[derive(Clone)]
pub enum AppHandle {
    /// Kommo.
    Kommo(kommo::emulator::Emulator),
    /// Zoho CRM.
    Zoho(zoho::emulator::Emulator),
}

impl AppHandle {
    /// Moves in sample people: those of them who are on this app's side.
    pub fn fill(&self, contacts: u32, seed: u64) {
        let people = people(contacts, seed);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // The other side of the same people is not looked at.
        match self {
            Self::Kommo(kommo) => {
                let other = zoho::emulator::Emulator::new(zoho::emulator::Options::new(clock));
                let _ = move_in(&people, kommo, &other);
            }
            Self::Zoho(zoho) => {
                let other = kommo::emulator::Emulator::new(kommo::emulator::Options::new(clock));
                let _ = move_in(&people, &other, zoho);
            }
        }
    }
}

impl Listening {
    /// Puts something before it, such as what breaks requests off. Gives it back, to be chained.
    #[must_use]
    pub fn behind(mut self, door: impl FnOnce(axum::Router) -> axum::Router) -> Self {
        self.router = door(self.router);
        self
    }

    /// Serves until the process ends, and posts to the webhooks that were registered.
    ///
    /// # Errors
    /// If the port can be listened on no more, or nothing can be posted at all.
    pub async fn serve(self) -> std::io::Result<()> {
        let http = Http::new().map_err(std::io::Error::other)?;
        tokio::select! {
            served = axum::serve(self.listener, self.router) => served,
            () = carry(self.app, http) => Ok(()),
        }
    }
}

/// Listens on a port of this machine; on any, if it is 0.
///
/// # Errors
/// If the port is in use.
pub async fn listen(app: Emulated, port: u16) -> std::io::Result<Listening> {
    listen_by(app, port, Arc::new(SystemClock)).await
}

/// Listens as [`listen`] does, and lives by this clock.
///
/// # Errors
/// If the port is in use.
pub async fn listen_by(
    app: Emulated,
    port: u16,
    clock: Arc<dyn Clock>,
) -> std::io::Result<Listening> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok(match app {
        Emulated::Kommo => {
            let mut options = kommo::emulator::Options::new(clock);
            options.base_url.clone_from(&address);
            let emulator = kommo::emulator::Emulator::new(options);
            let credentials =
                vec![("host", "demo.kommo.com".to_owned()), ("token", emulator.token())];
            let router = emulator.router();
            Listening { address, credentials, listener, router, app: AppHandle::Kommo(emulator) }
        }
        Emulated::Zoho => {
            let mut options = zoho::emulator::Options::new(clock);
            options.base_url.clone_from(&address);
            let emulator = zoho::emulator::Emulator::new(options);
            let credentials = vec![
                ("data_centre", "eu".to_owned()),
                ("client_id", zoho::emulator::CLIENT_ID.to_owned()),
                ("client_secret", zoho::emulator::CLIENT_SECRET.to_owned()),
                ("refresh_token", emulator.refresh_token()),
            ];
            let router = emulator.router();
            Listening { address, credentials, listener, router, app: AppHandle::Zoho(emulator) }
        }
    })
}
