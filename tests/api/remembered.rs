//! How long requests with a key are remembered, and how their answers are kept.

use std::sync::Arc;
use std::time::Duration;

use concord::idempotency::{Begun, Error, Idempotency};
use concord::ports::{ManualClock, SystemEntropy};
use concord::secrets::{MasterKey, Sealer};
use concord::store::{Claim, Claimed, MemoryStore, Store};
use jiff::Timestamp;

use crate::{HOME, workspace};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
const REQUEST: &[u8] = b"a request with a password";

struct Bench {
    requests: Idempotency,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let key = MasterKey::generate(&SystemEntropy).unwrap();
    let sealer = Sealer::new(key.clone(), Vec::new(), Arc::new(SystemEntropy));
    let requests = Idempotency::new(store.clone(), sealer, &key, clock.clone());
    Bench { requests, store, clock }
}

impl Bench {
    async fn begin(&self) -> Result<Begun, Error> {
        let key = "k".parse().unwrap();
        self.requests.begin(workspace(HOME), "ana", &key, REQUEST).await
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
    bench.clock.advance(DAY - Duration::from_secs(1));
    match bench.begin().await.unwrap() {
        Begun::Before(answer) => assert_eq!(*answer, b"a person"),
        Begun::First(_) => panic!("it is forgotten"),
    }
    bench.clock.advance(Duration::from_secs(1));
    bench.first().await;
}

#[tokio::test]
async fn a_request_that_was_cut_off_may_be_begun_again_after_ten_minutes() {
    let bench = bench();
    bench.first().await;
    bench.clock.advance(10 * MINUTE - Duration::from_secs(1));
    assert!(matches!(bench.begin().await, Err(Error::GoesOn)));
    bench.clock.advance(Duration::from_secs(1));
    let claim = bench.first().await;
    bench.requests.give_up(&claim).await.unwrap();
    bench.first().await;
}

#[tokio::test]
async fn the_hash_of_a_request_can_be_made_with_the_key_of_the_server_only() {
    let (own, other) = (bench(), bench());
    let first = own.first().await;
    own.requests.give_up(&first).await.unwrap();
    let again = own.first().await;
    assert_eq!(first.request_hash, again.request_hash);
    assert_ne!(first.request_hash, other.first().await.request_hash);
    assert_ne!(first.request_hash, *blake3::hash(REQUEST).as_bytes());
}
