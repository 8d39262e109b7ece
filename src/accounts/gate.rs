//! The gate to one account: its pace, and its key. A key is renewed by one process at a time, under the
//! account's lease, and is written down before it is used: some apps give each only once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::vault::{Kept, Of, Vault};
use super::{Error, Result};
use crate::connectors::{self, Access, App, Credentials, ErrorKind, Granted, Key, Retry, World};
use crate::net::Line;
use crate::store::{self, AccountStatus, Held, LeaseKey, LeaseKind, Store};

/// How long the lease holds: longer than two requests may take, since some apps are asked again when an
/// answer got lost.
const LEASE: Duration = Duration::from_secs(200);
/// How often, and how often at most, it is asked whether another process is done.
const ASK_EVERY: Duration = Duration::from_millis(200);
const ASK_MAX: u32 = 150;
/// A key is renewed this long before it runs out.
const EARLY: Duration = Duration::from_secs(60);
/// A new key that is refused at once is not worth another: the token endpoints are throttled.
const RENEW_EVERY: Duration = Duration::from_secs(30);
/// How long nobody asks again after a renewal that failed, where the app does not say; twice as long
/// after each, up to the most. So no ten requests fall into ten minutes, which is what Zoho allows.
const REST: Duration = Duration::from_secs(30);
const REST_MAX: Duration = Duration::from_secs(600);

/// A clone is the same gate.
#[derive(Clone)]
pub(super) struct Gate {
    store: Arc<dyn Store>,
    vault: Vault,
    world: World,
    app: &'static dyn App,
    of: Of,
    holder: String,
    line: Line,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// When this process last got a new key from the app.
    renewed_at: Option<Timestamp>,
    failed: Option<Failed>,
    /// What the app gave and the store did not take: it may be given only once.
    unsaved: Option<Unsaved>,
}

/// New credentials that are not written down yet.
struct Unsaved {
    granted: Granted,
    /// The generation of the credentials that they were got with.
    generation: u64,
}

/// A renewal that failed. It is not tried again before its time, unless the credentials are others.
struct Failed {
    error: connectors::Error,
    /// The generation of the credentials that it was tried with.
    generation: u64,
    /// How often in a row.
    times: u32,
    until: Timestamp,
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
        Self { store, vault, world, app, of, holder, line, state: Arc::default() }
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

    /// A key in place of this one. Everybody else in this process waits meanwhile. It goes on to its
    /// end when nobody waits for it any more: what an app gives only once must be written down.
    #[expect(clippy::disallowed_methods, reason = "a new key that is cut off is lost for good")]
    async fn renew(&self, mut state: OwnedMutexGuard<State>, stale: Key) -> Result<Key> {
        let gate = self.clone();
        let work = async move { gate.renew_now(&mut state, &stale).await };
        let cut_off =
            |_| connectors::Error::new(ErrorKind::Unavailable, "refresh", "cut_off").into();
        tokio::spawn(work).await.unwrap_or_else(|error| Err(cut_off(error)))
    }

    async fn renew_now(&self, state: &mut State, stale: &Key) -> Result<Key> {
        let now = self.world.clock.now();
        let stored = self.vault.read(self.of).await?;
        if self.is_fresh(&stored.granted.key, stale) {
            return Ok(adopt(state, stored));
        }
        let is_same = |failed: &&Failed| failed.generation == stored.generation;
        if let Some(failed) = state.failed.as_ref().filter(is_same).filter(|f| now < f.until) {
            return Err(failed.error.clone().into());
        }
        let is_hasty = |at: Timestamp| now.duration_since(at).unsigned_abs() < RENEW_EVERY;
        if state.renewed_at.is_some_and(is_hasty) {
            let again = connectors::Error::new(ErrorKind::Unavailable, "refresh", "refused_again");
            return Err(again.into());
        }
        let held = self.lease().await?;
        let renewed = self.renew_held(state, &held, stale).await;
        self.store.release(&held).await?;
        renewed
    }

    async fn renew_held(&self, state: &mut State, held: &Held, stale: &Key) -> Result<Key> {
        let stored = self.vault.read(self.of).await?;
        if self.is_fresh(&stored.granted.key, stale) {
            return Ok(adopt(state, stored));
        }
        let unsaved = state.unsaved.take().filter(|got| got.generation == stored.generation);
        if let Some(Unsaved { granted, .. }) = unsaved {
            return self.save(state, held, &stored, granted).await;
        }
        let kept = &stored.granted.credentials;
        match self.app.refresh(&self.world, &self.line, kept).await {
            Ok(granted) => self.save(state, held, &stored, granted).await,
            Err(error) => {
                self.rest(state, &error, stored.generation);
                // Somebody may have reconnected it meanwhile.
                let is_same = self.vault.read(self.of).await?.generation == stored.generation;
                if error.kind == ErrorKind::Unauthorised && is_same {
                    self.needs_reconnecting(&error.code).await?;
                }
                Err(error.into())
            }
        }
    }

    /// Writes new credentials down before anybody uses them.
    async fn save(
        &self,
        state: &mut State,
        held: &Held,
        stored: &Kept,
        granted: Granted,
    ) -> Result<Key> {
        let generation = stored.generation;
        state.unsaved = Some(Unsaved { granted: granted.clone(), generation });
        let kept = self.vault.replace(held, self.of, stored, granted).await?;
        state.renewed_at = Some(self.world.clock.now());
        Ok(adopt(state, kept))
    }

    /// Remembers that a renewal failed, and for how long nobody tries again.
    fn rest(&self, state: &mut State, error: &connectors::Error, generation: u64) {
        let before = state.failed.as_ref().filter(|failed| failed.generation == generation);
        let times = before.map_or(0, |failed| failed.times);
        let wait = REST.saturating_mul(1 << times.min(16)).min(REST_MAX);
        let until = match error.retry {
            Retry::At(time) => time,
            Retry::Never | Retry::Later => {
                self.world.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX)
            }
        };
        let times = times.saturating_add(1);
        state.failed = Some(Failed { error: error.clone(), generation, times, until });
    }

    /// Whether a key is another than this one, and has not run out.
    fn is_fresh(&self, key: &Key, stale: &Key) -> bool {
        !key.is(stale) && !self.is_old(key)
    }

    fn is_old(&self, key: &Key) -> bool {
        let soon = self.world.clock.now().checked_add(EARLY).unwrap_or(Timestamp::MAX);
        key.expires_at.is_some_and(|at| at <= soon)
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

/// Goes on with these credentials.
fn adopt(state: &mut State, kept: Kept) -> Key {
    let key = kept.granted.key.clone();
    state.kept = Some(kept);
    state.failed = None;
    state.unsaved = None;
    key
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
        let mut state = self.state.clone().lock_owned().await;
        let Granted { credentials, key } = self.kept(&mut state).await.map_err(of_access)?.granted;
        if self.is_old(&key) && self.app.renews_keys(&credentials) {
            return self.renew(state, key).await.map_err(of_access);
        }
        Ok(key)
    }

    async fn replace(&self, refused: &Key) -> connectors::Result<Key> {
        let mut state = self.state.clone().lock_owned().await;
        let kept = self.kept(&mut state).await.map_err(of_access)?;
        if self.is_fresh(&kept.granted.key, refused) {
            return Ok(kept.granted.key);
        }
        self.renew(state, refused.clone()).await.map_err(of_access)
    }
}
