//! Requests that are done once however often they are sent.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::state::{RequestKey, State};
use crate::store::rows::KeptRequest;
use crate::store::{Claim, Claimed, Error, Idempotency, Result};

#[async_trait]
impl Idempotency for MemoryStore {
    async fn claim_request(&self, claim: &Claim, abandoned: Timestamp) -> Result<Claimed> {
        self.transact(|state, _| Ok(state.claim_request(claim, abandoned))).await
    }

    async fn answer_request(&self, claim: &Claim, answer: &[u8]) -> Result<()> {
        self.transact(|state, _| {
            let kept = state.requests.get_mut(&key(claim)).filter(|kept| is_open(kept, claim));
            kept.ok_or(Error::Conflict)?.answer = Some(answer.to_vec());
            Ok(())
        })
        .await
    }

    async fn give_up_request(&self, claim: &Claim) -> Result<()> {
        self.transact(|state, _| {
            state.requests.retain(|at, kept| *at != key(claim) || !is_open(kept, claim));
            Ok(())
        })
        .await
    }

    async fn forget_requests(&self, now: Timestamp, limit: u64) -> Result<u64> {
        self.transact(|state, _| Ok(state.forget_requests(now, limit))).await
    }
}

fn key(claim: &Claim) -> RequestKey {
    (claim.workspace, claim.actor.clone(), claim.key.clone())
}

/// Whether it is still this claim, without an answer.
fn is_open(kept: &KeptRequest, claim: &Claim) -> bool {
    kept.claim == *claim && kept.answer.is_none()
}

impl State {
    fn claim_request(&mut self, claim: &Claim, abandoned: Timestamp) -> Claimed {
        let known = self.requests.get(&key(claim));
        let claimed = known.map_or(Claimed::Yours, |kept| kept.met_by(claim, abandoned));
        if claimed == Claimed::Yours {
            let kept = KeptRequest { claim: claim.clone(), answer: None };
            self.requests.insert(key(claim), kept);
        }
        claimed
    }

    fn forget_requests(&mut self, now: Timestamp, limit: u64) -> u64 {
        let mut over: Vec<(Timestamp, RequestKey)> = self
            .requests
            .iter()
            .filter(|(_, kept)| kept.claim.expires_at <= now)
            .map(|(key, kept)| (kept.claim.expires_at, key.clone()))
            .collect();
        over.sort();
        over.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for (_, key) in &over {
            self.requests.remove(key);
        }
        over.len() as u64
    }
}
