//! Requests that are done once however often they are sent.

use std::fmt;

use jiff::Timestamp;

use super::WorkspaceId;

/// A request that is to be done, as whoever sent it names it.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// Their workspace.
    pub workspace: WorkspaceId,
    /// Who sent it.
    pub actor: String,
    /// Their key for it.
    pub key: String,
    /// A hash of the whole request (blake3).
    pub request_hash: [u8; 32],
    /// When it was begun.
    pub claimed_at: Timestamp,
    /// Until when it is remembered.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("workspace", &self.workspace)
            .field("claimed_at", &self.claimed_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What is known of a request that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing: it is yours to be done.
    Yours,
    /// It is being done.
    GoesOn,
    /// It was done, with this answer, sealed.
    Answered(Vec<u8>),
    /// Another request has this key.
    OtherRequest,
}

/// A request as it is kept.
#[derive(Clone)]
pub(crate) struct KeptRequest {
    pub(crate) claim: Claim,
    pub(crate) answer: Option<Vec<u8>>,
}

impl KeptRequest {
    /// What it means to somebody who claims the same key. One that was begun at `abandoned` or before
    /// and has no answer counts as given up.
    pub(crate) fn met_by(&self, claim: &Claim, abandoned: Timestamp) -> Claimed {
        if self.claim.expires_at <= claim.claimed_at {
            return Claimed::Yours;
        }
        if self.claim.request_hash != claim.request_hash {
            return Claimed::OtherRequest;
        }
        match &self.answer {
            Some(answer) => Claimed::Answered(answer.clone()),
            None if self.claim.claimed_at <= abandoned => Claimed::Yours,
            None => Claimed::GoesOn,
        }
    }
}
