//! One pair, or one record that has no partner: which of the things that can happen to it happens.

use super::draft::{Draft, Scope};
use super::item::{Failure, Item, Outcome, Skip, Standing, Wait};
use super::matching::Match;
use super::pair::{LinkState, Pair, Presence};
use super::settings::Settings;
use super::{close, consent, create, deletion, route, settle};
use crate::record::{PerSide, Side};

/// Plans one pair, or one record that has no partner.
///
/// Every write is in the item's ops, each with its decision; the item's link is how things stand once
/// all of them have succeeded. Planning the result again gives no writes.
#[must_use]
pub fn plan_pair(settings: &Settings, pair: &Pair) -> Item {
    let objects = PerSide::from_fn(|side| match pair.seen.of(side) {
        Some(seen) => Some(&seen.record.object),
        None => settings.object_for(side, pair.live(side.other())?),
    });
    plan(&settings.between(objects), pair)
}

fn plan(settings: &Settings, pair: &Pair) -> Item {
    let mut draft = Draft::open(settings, pair);
    if pair.link.as_ref().is_some_and(|link| link.state == LinkState::Merged) {
        // What remains of them is held by the same permission.
        if Side::BOTH.iter().all(|side| pair.live(*side).is_some()) {
            consent::tighten(&mut draft);
        }
        return close::close(draft, Outcome::Skipped(Skip::Merged), true);
    }
    if let Some(skip) = Side::BOTH.iter().find_map(|side| out_of_reach(pair, *side)) {
        // An opt-out that can't arrive is told.
        consent::tighten(&mut draft);
        return close::close(draft, Outcome::Skipped(skip), pair.link.is_some());
    }
    if matches!(pair.matched, Match::Companion { .. }) {
        // It is held by the permission of whoever it is, and holds them by its own.
        if Side::BOTH.iter().all(|side| pair.live(*side).is_some()) {
            consent::tighten(&mut draft);
        }
        return close::close(draft, Outcome::Skipped(Skip::Companion), false);
    }
    match (&pair.link, pair.live(Side::Left), pair.live(Side::Right)) {
        (Some(link), ..) if link.state == LinkState::Severed => {
            close::close(draft, Outcome::Skipped(Skip::Severed), true)
        }
        (Some(_), Some(_), Some(_)) => keep_the_same(draft),
        (Some(_), ..) => lose(draft),
        (None, Some(_), Some(_)) => meet(draft),
        (None, Some(_), None) => create::spread(draft, Side::Left),
        (None, None, Some(_)) => create::spread(draft, Side::Right),
        (None, None, None) => close::close(draft, Outcome::Skipped(Skip::Gone), false),
    }
}

/// Both are there, and linked.
fn keep_the_same(mut draft: Draft<'_>) -> Item {
    if running(&draft) {
        deletion::take_back(&mut draft);
    }
    merge(draft, Outcome::InSync)
}

/// Both are there, and matching says that they are the same person.
fn meet(mut draft: Draft<'_>) -> Item {
    if !running(&draft) {
        // Nothing is written; but an opt-out that stays is told.
        consent::tighten(&mut draft);
        return close::close(draft, Outcome::Skipped(Skip::Paused), false);
    }
    deletion::take_back(&mut draft);
    merge(draft, Outcome::Linked)
}

fn merge(mut draft: Draft<'_>, calm: Outcome) -> Item {
    consent::tighten(&mut draft);
    let (copies, link, decisions) =
        (draft.copies.clone(), draft.link.clone(), draft.decisions.clone());
    let outcome = if settle::settle(&mut draft).is_err() {
        // Nothing is written but what tightens permission.
        (draft.copies, draft.link, draft.decisions) = (copies, link, decisions);
        Outcome::Failed(Failure::Unsettled)
    } else {
        route::route(&mut draft);
        stand(&draft, calm)
    };
    close::close(draft, outcome, true)
}

/// What a merged pair comes to, its writes aside.
fn stand(draft: &Draft<'_>, calm: Outcome) -> Outcome {
    if draft.entries.values().any(|entered| entered.standing == Standing::Conflict) {
        return Outcome::Conflict;
    }
    if !running(draft) {
        return Outcome::Skipped(Skip::Paused);
    }
    let scopes = PerSide::from_fn(|side| {
        draft.settings.running(side).map_or(Scope::Out, |_| draft.scope(side))
    });
    match (scopes.left, scopes.right) {
        (Scope::In, _) | (_, Scope::In) => calm,
        (Scope::Unknown, _) | (_, Scope::Unknown) => Outcome::Waiting(Wait::Unread),
        (Scope::Out, Scope::Out) => Outcome::Excluded,
    }
}

/// An end of the link is gone.
fn lose(mut draft: Draft<'_>) -> Item {
    let outcome = deletion::spread(&mut draft);
    close::close(draft, outcome, true)
}

fn running(draft: &Draft<'_>) -> bool {
    Side::BOTH.iter().any(|side| draft.settings.running(*side).is_some())
}

/// Why a record can be neither read nor written, though it was not removed.
fn out_of_reach(pair: &Pair, side: Side) -> Option<Skip> {
    match pair.seen.of(side).as_ref()?.presence {
        Presence::Forbidden => Some(Skip::Forbidden),
        Presence::Left => Some(Skip::Left),
        Presence::Live | Presence::Gone => None,
    }
}
