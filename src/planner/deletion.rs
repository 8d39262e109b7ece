//! Deletions: what becomes of the partner of a record that is gone, and of one that is back.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::finding::FindingCode;
use super::item::{Cause, Decision, Outcome, Skip, Wait};
use super::pair::LinkState;
use super::settings::{DeletionPolicy, SyncState};
use crate::record::{FieldId, PerSide, Side, Value, fold};

/// Plans a link of which at least one end is gone.
pub(super) fn spread(draft: &mut Draft<'_>) -> Outcome {
    let known = draft.link.state;
    // Not to be there is not to be gone: that takes proof.
    let unproved = |side: &Side| {
        draft.copies.of(*side).is_none() && !draft.pair.is_gone(*side) && !known.is_gone(*side)
    };
    if Side::BOTH.iter().any(unproved) {
        return Outcome::Waiting(Wait::Unread);
    }
    let gone = PerSide::from_fn(|side| draft.copies.of(side).is_none());
    for side in Side::BOTH {
        let is_news = *gone.of(side) && !known.is_gone(side);
        if is_news && !gone.of(side.other()) {
            return tell(draft, side);
        }
    }
    draft.link.state = LinkState::with_gone(gone);
    Outcome::Skipped(if gone.left && gone.right { Skip::Gone } else { Skip::PartnerGone })
}

/// The record of `source` is gone, and that is news to its partner.
fn tell(draft: &mut Draft<'_>, source: Side) -> Outcome {
    let partner = source.other();
    let gone = PerSide::from_fn(|side| side == source);
    let Some(sync) = draft.settings.sync(source) else {
        draft.link.state = LinkState::with_gone(gone);
        return Outcome::Skipped(Skip::PartnerGone);
    };
    if sync.state != SyncState::Running {
        // Told when the sync runs again.
        return Outcome::Skipped(Skip::Paused);
    }
    draft.link.state = LinkState::with_gone(gone);
    let tags = draft.settings.sides.of(partner).tags.as_ref();
    let (DeletionPolicy::Tag, Some(tags), true) =
        (sync.deletion, tags, *draft.link.was_in_scope.of(source))
    else {
        return Outcome::Skipped(Skip::PartnerGone);
    };
    let (tag, key) = tag_of(draft, source);
    if says_partner_is_gone(draft, partner) {
        // It was told before, though nobody remembers: that is no edit of a person.
        remember(draft, partner, key);
        return Outcome::Skipped(Skip::PartnerGone);
    }
    if was_edited(draft, partner) {
        draft.find(FindingCode::EditBeatsDelete, Some(partner), None);
        return Outcome::Skipped(Skip::PartnerGone);
    }
    if draft.read(partner, tags).is_none() {
        return Outcome::Skipped(Skip::PartnerGone);
    }
    let tag = Value::Text(tag);
    let decision = decision(draft, partner, tags, Cause::Deletion, tag.clone());
    draft.change_set(partner, tags, &[tag], &BTreeSet::new(), |_| decision.clone());
    remember(draft, partner, key);
    Outcome::Deleted
}

/// The tag of this side that says that its partner was deleted is ours: it does not travel.
fn remember(draft: &mut Draft<'_>, side: Side, key: String) {
    let marks = draft.link.marks.of_mut(side);
    marks.tags.insert(key.clone());
    marks.deleted_tag = Some(key);
}

/// Both ends live: the link is active, and the tag that says that one of them was deleted is taken back.
/// Where a connection was made anew or a backup was put back it is known by its name alone.
pub(super) fn take_back(draft: &mut Draft<'_>) {
    draft.link.state = LinkState::Active;
    for side in Side::BOTH {
        take_tag_back(draft, side);
    }
}

/// Whether a record carries the tag that says that its partner was deleted. Where nothing is remembered
/// of it, because a connection was made anew or a backup was put back, the tag remembers.
pub(super) fn says_partner_is_gone(draft: &Draft<'_>, side: Side) -> bool {
    let Some(tags) = draft.settings.sides.of(side).tags.as_ref() else { return false };
    let (_, key) = tag_of(draft, side.other());
    draft.elements(side, tags).iter().any(|(normal, _)| normal.text() == key)
}

/// The tag that says that a record of `source` was deleted, and its normal form.
pub(super) fn tag_of(draft: &Draft<'_>, source: Side) -> (String, String) {
    let tag = format!("Deleted in {}", draft.settings.sides.of(source).app);
    let key = fold(&tag);
    (tag, key)
}

fn take_tag_back(draft: &mut Draft<'_>, side: Side) {
    let (_, key) = tag_of(draft, side.other());
    let remembered = draft.link.marks.of_mut(side).deleted_tag.take();
    if let Some(key) = &remembered {
        draft.link.marks.of_mut(side).tags.remove(key);
    }
    let Some(tags) = draft.settings.sides.of(side).tags.as_ref() else { return };
    let mut ours = draft.elements(side, tags);
    ours.retain(|(normal, _)| {
        let text = normal.text();
        text == key || remembered.as_ref() == Some(&text)
    });
    let Some((first, _)) = ours.first() else { return };
    if draft.settings.running(side.other()).is_none() {
        // Nothing is written there, until the sync runs that may.
        let key = first.text();
        return remember(draft, side, key);
    }
    for (normal, raw) in ours {
        let decision = decision(draft, side, tags, Cause::Reappearance, raw);
        draft.change_set(side, tags, &[], &[normal].into(), |_| decision.clone());
    }
}

fn decision(draft: &Draft<'_>, side: Side, tags: &FieldId, cause: Cause, tag: Value) -> Decision {
    Decision {
        field: tags.clone(),
        element: Some(tag),
        cause,
        inputs: Vec::new(),
        before: draft.read(side, tags).cloned(),
        base: None,
    }
}

/// Whether a person changed a mapped field of this side since the entries last agreed.
fn was_edited(draft: &Draft<'_>, side: Side) -> bool {
    let differs = |field: &FieldId, base: &Value| {
        draft
            .read(side, field)
            .is_some_and(|now| draft.normal(side, field, now) != draft.normal(side, field, base))
    };
    draft.settings.entries().any(|(source, entry)| {
        let Some(base) = draft.link.bases.get(&entry.id) else { return false };
        if source == side {
            entry.inputs.iter().zip(&base.inputs).any(|(field, value)| differs(field, value))
        } else {
            differs(&entry.target, &base.target)
        }
    })
}
