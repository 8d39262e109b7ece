//! A record that has become another: what is linked to a lead is linked to the contact that it was
//! converted to.

use super::pair::{Base, Link, LinkState};
use super::settings::Settings;
use crate::record::{FieldId, Record, Side, Value, normalise};

impl Link {
    /// This link once the record of a side is another. What the app did not take along is not taken for
    /// emptied, and what another record held before is no edit: such entries meet for the first time.
    /// What was changed in a record that came to be by this (`is_made`) is an edit like any other, but for
    /// the forms that the app is known to give to what we wrote last.
    #[must_use]
    pub fn moved(
        &self,
        settings: &Settings,
        side: Side,
        from: &Record,
        to: &Record,
        is_made: bool,
    ) -> Self {
        let mut link = self.clone();
        let own = settings.sides.of(side);
        let is_younger = to.created_at.zip(from.modified_at).is_some_and(|(to, from)| to >= from);
        let stays = |field: &FieldId, was: &Value| {
            let Some(known) = own.schema(&to.object).and_then(|schema| schema.get(field)) else {
                return false;
            };
            let Some(now) = to.get(field) else { return false };
            let normal = |value: &Value| normalise(value, known, own.region.as_ref());
            let (was, now) = (normal(was), normal(now));
            if known.many {
                return was.elements().is_subset(&now.elements());
            }
            was == now || is_made && is_younger && !now.is_cleared()
        };
        for (source, entry) in settings.entries() {
            let is_kept = |base: &Base| {
                if source == side {
                    entry.inputs.iter().zip(&base.inputs).all(|(input, was)| stays(input, was))
                } else {
                    stays(&entry.target, &base.target)
                }
            };
            if link.bases.get(&entry.id).is_some_and(|base| !is_kept(base)) {
                link.bases.remove(&entry.id);
            }
        }
        *link.written.of_mut(side) = None;
        link.aliases.of_mut(side).push(from.name());
        link
    }

    /// This link once one of its records was merged into one that has a link of its own.
    #[must_use]
    pub fn merged(&self) -> Self {
        Self { state: LinkState::Merged, ..self.clone() }
    }
}
