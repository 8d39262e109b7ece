//! What is to be done, and why: from a pair of records and what is remembered of them to an [`Item`].
//!
//! Pure: nothing here may wait, look at a clock, draw a random number, read the environment or talk
//! to anybody. The planner never asks; what it does not know is not in its input.

mod brake;
mod close;
mod confirm;
mod consent;
mod create;
mod deletion;
mod draft;
mod filter;
mod finding;
mod item;
mod mapping;
mod matching;
mod merge;
mod pair;
mod publish;
mod recovery;
mod report;
mod review;
mod settings;
mod settle;
mod suggest;

pub use brake::{
    Brake, BrakeClass, Counted, History, Limit, Thresholds, counted, has_lost_too_much,
};
pub use filter::{Condition, Filter, Test, Verdict};
pub use finding::{Finding, FindingCode};
pub use item::{
    Cause, Decision, Entered, Failure, Item, Op, OpKind, Outcome, Row, Skip, Standing, TagChange,
    Wait,
};
pub use mapping::{
    Compatibility, ConstantWhen, Entry, Function, NamePart, StandIn, Transform, Unresolved,
    compatibility,
};
pub use matching::{Candidate, Held, Key, Match, match_records, record_keys};
pub use pair::{Base, Link, LinkState, Marks, Pair, Presence, Seen, Sent};
pub use report::Report;
pub use review::{At, Fault, FaultCode, Review, Warning, WarningCode, review};
pub use settings::{
    Acknowledgement, Acknowledgements, Approval, Channel, ConsentChannel, ConsentPolicy, Cron,
    DeletionPolicy, EntryId, FirstRun, MatchKey, Rule, Settings, SideSettings, Sync, SyncState,
    WritePolicy,
};
pub use suggest::{suggest_consent, suggest_entries};

use crate::record::{PerSide, Side};
use draft::{Draft, Scope};

/// Plans one pair, or one record that has no partner.
///
/// Every write is in the item's ops, each with its decision; the item's link is how things stand once
/// all of them have succeeded. Planning the result again gives no writes.
#[must_use]
pub fn plan_pair(settings: &Settings, pair: &Pair) -> Item {
    let mut draft = Draft::open(settings, pair);
    if let Some(skip) = Side::BOTH.iter().find_map(|side| out_of_reach(pair, *side)) {
        // An opt-out that can't arrive is told.
        consent::tighten(&mut draft);
        return close::close(draft, Outcome::Skipped(skip), pair.link.is_some());
    }
    match (&pair.link, pair.live(Side::Left), pair.live(Side::Right)) {
        (Some(link), ..) if link.state == LinkState::Severed => {
            close::close(draft, Outcome::Skipped(Skip::Severed), true)
        }
        (Some(link), ..) if link.state == LinkState::Merged => {
            close::close(draft, Outcome::Skipped(Skip::Merged), true)
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
