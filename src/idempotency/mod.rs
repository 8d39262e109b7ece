//! Requests that may be sent again without being done again: whoever sends one gives it a key of
//! their own, and gets the answer of the first time.

mod cancellation;
mod error;
mod key;

use std::sync::Arc;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;

use crate::ports::Clock;
use crate::secrets::{MasterKey, Place, Sealer};
use crate::store::{Claim, Claimed, Store, WorkspaceId};

pub use cancellation::Cancellation;
pub use error::Error;
pub use key::{BadKey, Key};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// After how long a request without an answer counts as cut off: far longer than any takes.
const ABANDONED: Duration = Duration::from_secs(10 * 60);

/// The requests of all workspaces that were given a key.
pub struct Idempotency {
    store: Arc<dyn Store>,
    sealer: Sealer,
    /// Requests hold credentials: without this key nobody can try which a hash was made of.
    hashing: Zeroizing<[u8; 32]>,
    clock: Arc<dyn Clock>,
}

/// What is known of a request.
pub enum Begun {
    /// Nothing: it is to be done, and then answered or given up.
    First(Claim),
    /// It was done, with this answer.
    Before(Zeroizing<Vec<u8>>),
}

impl Idempotency {
    /// The requests in a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        sealer: Sealer,
        key: &MasterKey,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let hashing = key.derive("concord 2026 hashes of requests");
        Self { store, sealer, hashing, clock }
    }

    /// Begins a request of somebody unless it was begun before. What it asks is known by a hash.
    ///
    /// # Errors
    /// [`Error::Reused`] if the key is of another request, [`Error::GoesOn`] if the same is being
    /// done.
    pub async fn begin(
        &self,
        workspace: WorkspaceId,
        actor: &str,
        key: &Key,
        request: &[u8],
    ) -> Result<Begun, Error> {
        let now = self.clock.now();
        let claim = Claim {
            workspace,
            actor: actor.to_owned(),
            key: key.as_str().to_owned(),
            request_hash: *blake3::keyed_hash(&self.hashing, request).as_bytes(),
            claimed_at: now,
            expires_at: now + KEPT,
        };
        match self.store.claim_request(&claim, now - ABANDONED).await? {
            Claimed::Yours => Ok(Begun::First(claim)),
            Claimed::GoesOn => Err(Error::GoesOn),
            Claimed::OtherRequest => Err(Error::Reused),
            Claimed::Answered(sealed) => {
                let (workspace, row) = place(&claim);
                Ok(Begun::Before(self.sealer.open(at(&workspace, &row), &sealed)?))
            }
        }
    }

    /// Keeps the answer of a request that was done, sealed: it may hold people's data.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Sealing`].
    pub async fn answer(&self, claim: &Claim, answer: &[u8]) -> Result<(), Error> {
        let (workspace, row) = place(claim);
        let sealed = self.sealer.seal(at(&workspace, &row), answer)?;
        Ok(self.store.answer_request(claim, &sealed).await?)
    }

    /// Gives up a request of which nothing was done: it may be sent again.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn give_up(&self, claim: &Claim) -> Result<(), Error> {
        Ok(self.store.give_up_request(claim).await?)
    }
}

/// The workspace and the row of an answer. A name may hold any character: its length tells where it
/// ends.
fn place(claim: &Claim) -> (String, String) {
    let row = format!("{}:{}:{}", claim.actor.len(), claim.actor, claim.key);
    (claim.workspace.to_string(), row)
}

/// Where an answer is kept.
fn at<'a>(workspace: &'a str, row: &'a str) -> Place<'a> {
    Place { workspace, column: "idempotency.answer", row }
}
