//! What becomes of a draft once it is published.

use super::settings::{Settings, SyncState};
use crate::record::Side;

impl Settings {
    /// This draft as the version that follows the live configuration. What is new in it, or begins
    /// anew, begins with that version.
    #[must_use]
    pub fn following(mut self, live: &Self) -> Self {
        self.version = live.version + 1;
        for side in Side::BOTH {
            let Some(sync) = self.syncs.of_mut(side) else { continue };
            let before = live.sync(side).map_or(&[][..], |sync| &sync.entries);
            // What was taken back, or added anew, will run for the first time.
            let goes_on = live
                .sync(side)
                .filter(|was| sync.state != SyncState::Draft || was.state == SyncState::Draft);
            sync.since = goes_on.map_or(self.version, |was| was.since);
            for entry in &mut sync.entries {
                // An entry that is new, or reads other fields, meets for the first time: nothing is
                // remembered of it.
                let known = before.iter().find(|old| {
                    (&old.id, &old.target, &old.inputs) == (&entry.id, &entry.target, &entry.inputs)
                });
                entry.since = known.map_or(self.version, |old| old.since);
            }
        }
        self
    }
}
