//! The gate to one account: its pace, and its key. A key is renewed by one process at a time, under the
//! account's lease, and is written down before it is used: some apps give each only once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::vault::{Kept, Of, Vault};
use super::{Error, Result};
use crate::connectors::{self, Access, App, Credentials, ErrorKind, Key, World};
use crate::net::Line;
use crate::store::{self, AccountStatus, Held, LeaseKey, LeaseKind, Store};

/// How long the lease holds: longer than a request may take.
const LEASE: Duration = Duration::from_secs(90);
/// How often, and how often at most, it is asked whether another process is done.
const ASK_EVERY: Duration = Duration::from_millis(200);
const ASK_MAX: u32 = 150;
/// A key is renewed this long before it runs out.
const EARLY: Duration = Duration::from_secs(60);
/// A new key that is refused at once is not worth another: the token endpoints are throttled.
const RENEW_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Gate {
    store: Arc<dyn Store>,
    vault: Vault,
    world: World,
    app: &'static dyn App,
    of: Of,
    holder: String,
    line: Line,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    renewed_at: Option<Timestamp>,
}

impl Gate {
    pub(super) fn new(
        store: Arc<dyn Store>,
        vault: Vault,
        world: World,
        app: &'static dyn App,
        of: Of,
        holder: String,
    ) -> Self {
        let line = world.line(app.about());
        Self { store, vault, world, app, of, holder, line, state: Mutex::default() }
    }

    pub(super) fn line(&self) -> Line {
        self.line.clone()
    }

    pub(super) async fn credentials(&self) -> Result<Credentials> {
        let mut state = self.state.lock().await;
        Ok(self.kept(&mut state).await?.granted.credentials)
    }

    async fn kept(&self, state: &mut State) -> Result<Kept> {
        if let Some(kept) = &state.kept {
            return Ok(kept.clone());
        }
        let kept = self.vault.read(self.of).await?;
        state.kept = Some(kept.clone());
        Ok(kept)
    }

    /// A key in place of this one. Everybody else in this process waits meanwhile.
    async fn renew(&self, state: &mut State, stale: &Key) -> Result<Key> {
        let now = self.world.clock.now();
        let is_hasty = |at: Timestamp| now.duration_since(at).unsigned_abs() < RENEW_EVERY;
        if state.renewed_at.is_some_and(is_hasty) {
            let again = connectors::Error::new(ErrorKind::Unavailable, "refresh", "refused_again");
            return Err(again.into());
        }
        let held = self.lease().await?;
        let renewed = self.renew_held(&held, stale).await;
        self.store.release(&held).await?;
        let kept = renewed?;
        state.renewed_at = Some(now);
        let key = kept.granted.key.clone();
        state.kept = Some(kept);
        Ok(key)
    }

    async fn renew_held(&self, held: &Held, stale: &Key) -> Result<Kept> {
        let stored = self.vault.read(self.of).await?;
        if !stored.granted.key.is(stale) {
            return Ok(stored);
        }
        let kept = &stored.granted.credentials;
        match self.app.refresh(&self.world, &self.line, kept).await {
            Ok(granted) => self.vault.replace(held, self.of, &stored, granted).await,
            Err(error) => {
                // Somebody may have reconnected it meanwhile.
                let is_same = self.vault.read(self.of).await?.generation == stored.generation;
                if error.kind == ErrorKind::Unauthorised && is_same {
                    self.needs_reconnecting(&error.code).await?;
                }
                Err(error.into())
            }
        }
    }

    async fn needs_reconnecting(&self, code: &str) -> Result<()> {
        let mut account = self.store.account(self.of.0, self.of.1).await?;
        if account.status == AccountStatus::Connected {
            let since = self.world.clock.now();
            account.status = AccountStatus::NeedsReconnecting { code: code.to_owned(), since };
            self.store.set_account(&account).await?;
        }
        Ok(())
    }

    async fn lease(&self) -> Result<Held> {
        let (workspace, account) = self.of;
        let key = LeaseKey { workspace, kind: LeaseKind::Account, subject: account.0 };
        for _ in 0..ASK_MAX {
            if let Some(held) = self.store.acquire(&key, &self.holder, LEASE).await? {
                return Ok(held);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Err(store::Error::Busy(None).into())
    }
}

/// An error of the way to a key, in the words that connectors have.
fn of_access(error: Error) -> connectors::Error {
    match error {
        Error::App(error) => error,
        Error::NotConnected | Error::Store(store::Error::NotFound(_)) => {
            connectors::Error::new(ErrorKind::Unauthorised, "credentials", "not_connected")
        }
        other => {
            connectors::Error::new(ErrorKind::Unavailable, "credentials", other.code().to_owned())
        }
    }
}

#[async_trait]
impl Access for Gate {
    async fn key(&self) -> connectors::Result<Key> {
        let mut state = self.state.lock().await;
        let kept = self.kept(&mut state).await.map_err(of_access)?;
        let key = kept.granted.key;
        let soon = self.world.clock.now().checked_add(EARLY).unwrap_or(Timestamp::MAX);
        let is_old = key.expires_at.is_some_and(|at| at <= soon);
        if is_old && self.app.about().renews_keys {
            return self.renew(&mut state, &key).await.map_err(of_access);
        }
        Ok(key)
    }

    async fn replace(&self, refused: &Key) -> connectors::Result<Key> {
        let mut state = self.state.lock().await;
        let kept = self.kept(&mut state).await.map_err(of_access)?;
        if !kept.granted.key.is(refused) {
            return Ok(kept.granted.key);
        }
        self.renew(&mut state, refused).await.map_err(of_access)
    }
}
