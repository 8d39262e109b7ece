//! Match keys as they are stored: hashed, so that the index holds no addresses.

use super::rows::WorkspaceId;
use crate::planner::Key;

/// A keyed hash of a match key, 16 bytes. The same person has different hashes in two workspaces.
pub type KeyHash = [u8; 16];

/// The hash of a key (BLAKE3, keyed with the workspace).
#[must_use]
pub(super) fn hash(workspace: WorkspaceId, key: &Key) -> KeyHash {
    let secret = blake3::derive_key("concord 2026-11 seen keys", workspace.0.as_bytes());
    let mut hasher = blake3::Hasher::new_keyed(&secret);
    hasher.update(format!("{:?}:", key.kind).as_bytes());
    hasher.update(key.value.as_bytes());
    let mut short = KeyHash::default();
    hasher.finalize_xof().fill(&mut short);
    short
}
