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
    if was_edited(draft, partner) {
        draft.find(FindingCode::EditBeatsDelete, Some(partner), None);
        return Outcome::Skipped(Skip::PartnerGone);
    }
    if says_partner_is_gone(draft, partner) || draft.read(partner, tags).is_none() {
        return Outcome::Skipped(Skip::PartnerGone);
    }
    let (tag, key) = tag_of(draft, source);
    let tag = Value::Text(tag);
    let decision = decision(draft, partner, tags, Cause::Deletion, tag.clone());
    draft.change_set(partner, tags, &[tag], &BTreeSet::new(), |_| decision.clone());
    let marks = draft.link.marks.of_mut(partner);
    marks.tags.insert(key.clone());
    marks.deleted_tag = Some(key);
    Outcome::Deleted
}

/// Both ends live, and one was gone: the link is active again, and our own tag is taken back.
pub(super) fn take_back(draft: &mut Draft<'_>) {
    if draft.link.state == LinkState::Active {
        return;
    }
    draft.link.state = LinkState::Active;
    take_tags_back(draft);
}

/// Two meet who were parted before anybody remembered: the tag that says so is our own, and is taken
/// back.
pub(super) fn take_back_unknown(draft: &mut Draft<'_>) {
    for side in Side::BOTH {
        if says_partner_is_gone(draft, side) {
            let (_, key) = tag_of(draft, side.other());
            draft.link.marks.of_mut(side).deleted_tag = Some(key);
        }
    }
    take_tags_back(draft);
}

/// Whether a record carries the tag that says that its partner was deleted. Where nothing is remembered
/// of it, because a connection was made anew or a backup was put back, the tag remembers.
pub(super) fn says_partner_is_gone(draft: &Draft<'_>, side: Side) -> bool {
    let Some(tags) = draft.settings.sides.of(side).tags.as_ref() else { return false };
    let (_, key) = tag_of(draft, side.other());
    draft.elements(side, tags).iter().any(|(normal, _)| normal.text() == key)
}

/// The tag that says that a record of `source` was deleted, and its normal form.
fn tag_of(draft: &Draft<'_>, source: Side) -> (String, String) {
    let tag = format!("Deleted in {}", draft.settings.sides.of(source).app);
    let key = fold(&tag);
    (tag, key)
}

fn take_tags_back(draft: &mut Draft<'_>) {
    for side in Side::BOTH {
        let Some(key) = draft.link.marks.of_mut(side).deleted_tag.take() else { continue };
        draft.link.marks.of_mut(side).tags.remove(&key);
        let Some(tags) = draft.settings.sides.of(side).tags.as_ref() else { continue };
        let ours: Vec<(Value, Value)> = draft
            .elements(side, tags)
            .into_iter()
            .filter(|(normal, _)| normal.text() == key)
            .collect();
        for (normal, raw) in ours {
            let decision = decision(draft, side, tags, Cause::Reappearance, raw);
            draft.change_set(side, tags, &[], &[normal].into(), |_| decision.clone());
        }
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
