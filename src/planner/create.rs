//! Records that nothing is linked to: whether they get a partner on the other side, and what is in it.
//!
//! A create is a first meeting with an empty record.

use super::close;
use super::consent;
use super::deletion;
use super::draft::{Draft, Scope};
use super::item::{Failure, Item, Outcome, Skip, Wait};
use super::matching::Match;
use super::settings::{FirstRun, SyncState};
use super::settle;
use crate::record::{Schema, Side, Value};

/// One record that nothing is linked to.
pub(super) fn spread(mut draft: Draft<'_>, source: Side) -> Item {
    let outcome = match why_not(&draft, source) {
        Some(reason) => reason,
        None => make_partner(&mut draft, source),
    };
    let is_made = outcome == Outcome::Created;
    if !is_made {
        *draft.copies.of_mut(source.other()) = None;
    }
    close::close(draft, outcome, is_made)
}

/// Why the record of a side gets no partner, if it gets none.
fn why_not(draft: &Draft<'_>, source: Side) -> Option<Outcome> {
    match &draft.pair.matched {
        Match::Ambiguous { .. } => return Some(Outcome::Ambiguous),
        Match::Duplicate { .. } => return Some(Outcome::Duplicate),
        Match::Severed => return Some(Outcome::Skipped(Skip::Severed)),
        Match::Companion { .. } => return Some(Outcome::Skipped(Skip::Companion)),
        Match::NoKey if draft.settings.avoid_duplicates => {
            return Some(Outcome::Skipped(Skip::NoMatchKey));
        }
        Match::NoKey | Match::Alone | Match::Unique => {}
    }
    let Some(sync) = draft.settings.sync(source) else {
        return Some(Outcome::Skipped(Skip::NoSync));
    };
    if sync.state != SyncState::Running {
        return Some(Outcome::Skipped(Skip::Paused));
    }
    if deletion::says_partner_is_gone(draft, source) {
        return Some(Outcome::Skipped(Skip::PartnerGone));
    }
    if sync.first_run == FirstRun::NewOnly && *draft.pair.baseline.of(source) {
        return Some(Outcome::Skipped(Skip::Baseline));
    }
    match draft.scope(source) {
        Scope::In => None,
        Scope::Out => Some(Outcome::Excluded),
        Scope::Unknown => Some(Outcome::Waiting(Wait::Unread)),
    }
}

fn make_partner(draft: &mut Draft<'_>, source: Side) -> Outcome {
    let target = source.other();
    if !draft.make_record(target) {
        return Outcome::Skipped(Skip::NoSync);
    }
    consent::tighten(draft);
    if settle::settle(draft).is_err() {
        return Outcome::Failed(Failure::Unsettled);
    }
    let schema = draft.schema(target).into_iter().flat_map(Schema::iter);
    let missing = schema
        .filter(|field| field.required && field.writable)
        .find(|field| draft.read(target, &field.id).is_none_or(Value::is_empty));
    match missing {
        Some(field) => Outcome::Failed(Failure::RequiredField(field.id.clone())),
        None => Outcome::Created,
    }
}
