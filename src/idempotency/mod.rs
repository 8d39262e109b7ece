//! Requests that may be sent again without being done again: whoever sends one gives it a key of
//! their own, and gets the answer of the first time.

mod error;
mod key;

use std::sync::Arc;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;

use crate::ports::Clock;
use crate::secrets::{Place, Sealer};
use crate::store::{Claim, Claimed, Store, WorkspaceId};

pub use error::Error;
pub use key::{BadKey, Key};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// After how long a request without an answer counts as cut off. None may take that long.
const ABANDONED: Duration = Duration::from_secs(60);

/// The requests of all workspaces that were given a key.
pub struct Idempotency {
    store: Arc<dyn Store>,
    sealer: Sealer,
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
    pub fn new(store: Arc<dyn Store>, sealer: Sealer, clock: Arc<dyn Clock>) -> Self {
        Self { store, sealer, clock }
    }

    /// Begins a request of somebody, known by its hash, unless it was begun before.
    ///
    /// # Errors
    /// [`Error::Reused`] if the key is of another request, [`Error::GoesOn`] if the same is being
    /// done.
    pub async fn begin(
        &self,
        workspace: WorkspaceId,
        actor: &str,
        key: &Key,
        request_hash: [u8; 32],
    ) -> Result<Begun, Error> {
        let now = self.clock.now();
        let claim = Claim {
            workspace,
            actor: actor.to_owned(),
            key: key.as_str().to_owned(),
            request_hash,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{ManualClock, SystemEntropy};
    use crate::secrets::MasterKey;
    use crate::store::MemoryStore;
    use jiff::Timestamp;

    const HASH: [u8; 32] = [1; 32];

    struct Bench {
        requests: Idempotency,
        store: Arc<dyn Store>,
        clock: Arc<ManualClock>,
    }

    fn bench() -> Bench {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        let key = MasterKey::generate(&SystemEntropy).unwrap();
        let sealer = Sealer::new(key, Vec::new(), Arc::new(SystemEntropy));
        let requests = Idempotency::new(store.clone(), sealer, clock.clone());
        Bench { requests, store, clock }
    }

    fn workspace() -> WorkspaceId {
        "ws_00000000000000000000000000000001".parse().unwrap()
    }

    impl Bench {
        async fn begin(&self) -> Result<Begun, Error> {
            let key = "k".parse().unwrap();
            self.requests.begin(workspace(), "ana", &key, HASH).await
        }

        async fn first(&self) -> Claim {
            match self.begin().await.unwrap() {
                Begun::First(claim) => claim,
                Begun::Before(_) => panic!("it was done before"),
            }
        }
    }

    #[tokio::test]
    async fn an_answer_is_sealed_and_kept_for_a_day() {
        let bench = bench();
        let claim = bench.first().await;
        bench.requests.answer(&claim, b"a person").await.unwrap();
        let kept = bench.store.claim_request(&claim, Timestamp::MIN).await.unwrap();
        let Claimed::Answered(sealed) = kept else { panic!("{kept:?}") };
        assert!(!sealed.windows(8).any(|part| part == b"a person"));
        bench.clock.advance(KEPT - Duration::from_secs(1));
        match bench.begin().await.unwrap() {
            Begun::Before(answer) => assert_eq!(*answer, b"a person"),
            Begun::First(_) => panic!("it is forgotten"),
        }
        bench.clock.advance(Duration::from_secs(1));
        bench.first().await;
    }

    #[tokio::test]
    async fn a_request_that_was_cut_off_may_be_begun_again_after_a_minute() {
        let bench = bench();
        bench.first().await;
        bench.clock.advance(ABANDONED - Duration::from_secs(1));
        assert!(matches!(bench.begin().await, Err(Error::GoesOn)));
        bench.clock.advance(Duration::from_secs(1));
        let claim = bench.first().await;
        bench.requests.give_up(&claim).await.unwrap();
        bench.first().await;
    }
}
