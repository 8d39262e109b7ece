//! The gate to one account: its pace, and its key. A key is renewed by one process at a time, under the
//! account's lease, and is written down before it is used: some apps give each only once. Whoever has got
//! one writes it down, though the lease be over.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::ledger::Ledger;
use super::tasks::Tasks;
use super::vault::{Kept, Of, Vault};
use super::{Error, Result};
use crate::connectors::{self, Access, App, Credentials, ErrorKind, Granted, Key, Retry, World};
use crate::net::Line;
use crate::store::{self, Held, LeaseKey, LeaseKind, Store};

/// How long the lease holds: longer than two requests may take, since some apps are asked again when an
/// answer got lost.
const LEASE: Duration = Duration::from_secs(200);
/// How often, and how often at most, it is asked whether another process is done.
const ASK_EVERY: Duration = Duration::from_millis(200);
const ASK_MAX: u32 = 150;
/// How long nobody asks again after that.
const BUSY: Duration = Duration::from_secs(10);
/// A key is renewed this long before it runs out.
const EARLY: Duration = Duration::from_secs(60);
/// A new key that is refused at once is not worth another: the token endpoints are throttled.
const RENEW_EVERY: Duration = Duration::from_secs(30);
/// What an app gave is written down at once, or after this and twice as long after each further time, so
/// often at most: a database may be away for a moment.
const SAVE_AGAIN: Duration = Duration::from_millis(250);
const SAVES_MAX: u32 = 6;
/// After those it is tried again each time that this has passed.
const SAVE_LATER: Duration = Duration::from_secs(5);
/// How long this process does not ask again after a renewal that failed, where the app does not say; twice
/// as long after each, up to the most. So no ten of its requests fall into ten minutes, which is what Zoho
/// allows.
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
    ledger: Arc<Ledger>,
    tasks: Tasks,
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

impl State {
    /// What the app gave for the credentials of this generation, if it is not written down yet.
    fn unsaved_since(&self, generation: u64) -> Option<Granted> {
        let unsaved = self.unsaved.as_ref().filter(|got| got.generation == generation);
        unsaved.map(|got| got.granted.clone())
    }
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
        tasks: Tasks,
    ) -> Self {
        let line = world.line(app.about());
        let (clock, kept, by) = (world.clock.clone(), store.clone(), tasks.clone());
        let ledger = Arc::new(Ledger::new(kept, clock, of, line.clone(), by));
        let state = Arc::default();
        Self { store, vault, world, app, of, holder, line, ledger, tasks, state }
    }

    pub(super) fn line(&self) -> Line {
        self.line.clone()
    }

    /// What writes down what is asked.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The credentials as they are by now: another process may have been given others. What this one
    /// was given and could not write down is written down first.
    pub(super) async fn credentials(&self) -> Result<Credentials> {
        let mut state = self.state.lock().await;
        let mut stored = self.vault.read(self.of).await?;
        if let Some(granted) = state.unsaved_since(stored.generation) {
            self.save(&mut state, &stored, granted).await?;
            stored = self.vault.read(self.of).await?;
        }
        let is_new = |kept: &Kept| kept.generation != stored.generation;
        if state.kept.as_ref().is_some_and(is_new) {
            state.renewed_at = None;
        }
        let credentials = stored.granted.credentials.clone();
        state.kept = Some(stored);
        Ok(credentials)
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
    async fn renew(&self, mut state: OwnedMutexGuard<State>, stale: Key) -> Result<Key> {
        let gate = self.clone();
        let work = async move { gate.renew_now(&mut state, &stale).await };
        self.tasks.to_its_end(work).await
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
        let held = match self.lease().await {
            Err(Error::Store(store::Error::Busy(None))) => {
                // Whoever asks next does not wait as long again.
                let busy = connectors::Error::new(ErrorKind::Unavailable, "refresh", "busy");
                let until = self.world.clock.now().checked_add(BUSY).unwrap_or(Timestamp::MAX);
                let generation = stored.generation;
                state.failed = Some(Failed { error: busy.clone(), generation, times: 0, until });
                return Err(busy.into());
            }
            other => other?,
        };
        let renewed = self.renew_held(state, stale).await;
        if state.unsaved_since(stored.generation).is_some() {
            self.save_later();
        }
        self.store.release(&held).await?;
        renewed
    }

    /// Goes on trying to write down what could not be, until it is, or nobody is there to have it: the
    /// account may not be asked for anything in this process for long.
    fn save_later(&self) {
        let gate = self.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::time::sleep(SAVE_LATER).await;
                match gate.credentials().await {
                    Err(Error::Store(store::Error::NotFound(_) | store::Error::Conflict))
                    | Ok(_) => {
                        return;
                    }
                    Err(_) => {}
                }
            }
        });
    }

    async fn renew_held(&self, state: &mut State, stale: &Key) -> Result<Key> {
        let stored = self.vault.read(self.of).await?;
        if self.is_fresh(&stored.granted.key, stale) {
            return Ok(adopt(state, stored));
        }
        if let Some(granted) = state.unsaved_since(stored.generation) {
            return self.save(state, &stored, granted).await;
        }
        let (kept, slug) = (&stored.granted.credentials, self.app.about().slug);
        let clients = self.vault.clients(self.of.0, slug, &self.world.registrations).await?;
        match self.app.refresh(&self.world, &self.line, kept, &clients).await {
            Ok(granted) => self.save(state, &stored, granted).await,
            Err(error) => {
                self.rest(state, &error, stored.generation);
                if error.kind == ErrorKind::Unauthorised {
                    let ((workspace, account), now) = (self.of, self.world.clock.now());
                    let (store, generation) = (&self.store, stored.generation);
                    // Unless somebody reconnected it meanwhile.
                    store
                        .credentials_refused(workspace, account, generation, &error.code, now)
                        .await?;
                }
                Err(error.into())
            }
        }
    }

    /// Writes new credentials down before anybody uses them.
    async fn save(&self, state: &mut State, stored: &Kept, granted: Granted) -> Result<Key> {
        let generation = stored.generation;
        state.unsaved = Some(Unsaved { granted: granted.clone(), generation });
        let mut wait = SAVE_AGAIN;
        for _ in 1..SAVES_MAX {
            match self.vault.replace(self.of, stored, granted.clone()).await {
                Ok(kept) => return Ok(self.renewed(state, kept)),
                // There are others, or there is nobody to have them.
                Err(Error::Store(store::Error::Conflict | store::Error::NotFound(_))) => break,
                Err(_) => tokio::time::sleep(wait).await,
            }
            wait *= 2;
        }
        let kept = self.vault.replace(self.of, stored, granted).await?;
        Ok(self.renewed(state, kept))
    }

    fn renewed(&self, state: &mut State, kept: Kept) -> Key {
        state.renewed_at = Some(self.world.clock.now());
        adopt(state, kept)
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
        self.ledger.note_soon();
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
