//! The trait of requests that are done once however often they are sent.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::*;

/// The part of a store that keeps requests with a key and their answers. Each store is one.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Claims a request, so that nobody else does it: of many at once one gets [`Claimed::Yours`].
    /// One that was begun at `abandoned` or before and has no answer may be claimed again, and so may
    /// one that is remembered no more.
    async fn claim_request(&self, claim: &Claim, abandoned: Timestamp) -> Result<Claimed>;

    /// Keeps the answer of a request that was claimed. [`Error::Conflict`](super::Error::Conflict) if
    /// somebody else has claimed it since, or it is answered.
    async fn answer_request(&self, claim: &Claim, answer: &[u8]) -> Result<()>;

    /// Gives a claim up: nothing was done. Nothing happens if somebody else has claimed it since, or
    /// it is answered.
    async fn give_up_request(&self, claim: &Claim) -> Result<()>;

    /// Deletes requests of all workspaces that are not remembered any more, oldest first and at most
    /// so many. Gives how many they were.
    async fn forget_requests(&self, now: Timestamp, limit: u64) -> Result<u64>;
}
