//! Where a walk through the changes of an app is.

use serde::{Deserialize, Serialize};

/// Where a walk through the changes is: the changes since a time, sorted by (time, id), after a place.
#[derive(Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) since: i64,
    pub(super) after: Option<(i64, String)>,
    /// When this walk began; none before its first page.
    pub(super) walk_began: Option<i64>,
    /// Since when removals are told; none before the first walk, which tells of none before it.
    pub(super) removed_from: Option<i64>,
}

/// Where a walk through everything begins in the place of another: with what that one knew of
/// removals.
pub(super) fn restart(cursor: &str) -> Option<String> {
    let lost: Cursor = serde_json::from_str(cursor).ok()?;
    let removed_from = Some(lost.removed_from?);
    serde_json::to_string(&Cursor { removed_from, ..Cursor::begin() }).ok()
}

/// How far each read reaches back before the last, in seconds, beside the lag: times are coarse.
pub(super) const OVERLAP_SECONDS: i64 = 2;

impl Cursor {
    /// Everything, from the first page.
    pub(super) fn begin() -> Self {
        Self { since: i64::MIN, after: None, walk_began: None, removed_from: None }
    }
}
