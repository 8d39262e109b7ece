//! Virtual settling: lets every entry of both syncs have its way on the copies, in order, until
//! nothing changes.
//!
//! Judging each direction alone would lose edits wherever two entries share a value (names in one
//! field against two, priority lists, option tables). Here each decision sees what the earlier ones
//! did, so planning again after the writes finds nothing left to do.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::finding::FindingCode;
use super::item::{Cause, Entered, Row, Standing};
use super::mapping::{Entry, Function, Made};
use super::merge::{Judgement, Turn, Wish, judge};
use super::pair::Base;
use crate::record::{FieldType, Side, Value};

/// How many times the conflicts may have their turn.
const MAX_PASSES: usize = 8;

/// The mapping goes round in circles on this record.
#[derive(Debug)]
pub(super) struct Unsettled;

pub(super) fn settle(draft: &mut Draft<'_>) -> Result<(), Unsettled> {
    let settings = draft.settings;
    let mut entries: Vec<Seat<'_>> =
        settings.entries().map(|(source, entry)| Seat { source, entry, judged: None }).collect();
    for _ in 0..MAX_PASSES {
        settle_free(draft, &mut entries)?;
        let mut moved = false;
        for seat in &mut entries {
            moved |= act(draft, seat, Some(Turn::Contested));
        }
        if !moved {
            close(draft, &mut entries);
            return Ok(());
        }
    }
    Err(Unsettled)
}

/// An entry at the table, with what it last said and the state of things when it said so.
struct Seat<'a> {
    source: Side,
    entry: &'a Entry,
    judged: Option<(u64, Judgement)>,
}

impl Seat<'_> {
    fn judge(&mut self, draft: &Draft<'_>) -> Judgement {
        match &self.judged {
            Some((moves, judgement)) if *moves == draft.moves => judgement.clone(),
            _ => {
                let judgement = judge(draft, self.source, self.entry);
                self.judged = Some((draft.moves, judgement.clone()));
                judgement
            }
        }
    }
}

/// Agreements first, so that an agreement in either direction settles both mirrors; then what nobody
/// contests. Until neither moves.
fn settle_free(draft: &mut Draft<'_>, entries: &mut [Seat<'_>]) -> Result<(), Unsettled> {
    // Each round carries at least one entry for good, unless they go round in circles.
    for _ in 0..=entries.len() * 2 {
        let mut moved = false;
        for turn in [None, Some(Turn::Free)] {
            for seat in entries.iter_mut() {
                moved |= act(draft, seat, turn);
            }
        }
        if !moved {
            return Ok(());
        }
    }
    Err(Unsettled)
}

/// Lets an entry have its way if it is its turn (`None` is the turn of agreements). True if anything
/// changed.
fn act(draft: &mut Draft<'_>, seat: &mut Seat<'_>, turn: Option<Turn>) -> bool {
    let Judgement { row, standing, wish } = seat.judge(draft);
    let (source, entry) = (seat.source, seat.entry);
    let target_side = source.other();
    let moved = match wish {
        Wish::Advance if turn.is_none() => {
            disown(draft, source, entry);
            return advance(draft, source, entry);
        }
        Wish::Write { value, turn: its, is_cut, is_stand_in } if turn == Some(its) => {
            let cause = cause(entry, row, is_stand_in);
            let decision = draft.decision(source, entry, cause, None);
            if is_cut {
                draft.find(FindingCode::ValueCut, Some(target_side), Some(&entry.target));
            }
            let normal = draft.normal(target_side, &entry.target, &value);
            let ours = &mut draft.link.marks.of_mut(target_side).values;
            if is_stand_in || matches!(entry.function, Function::Constant { .. }) {
                ours.insert(entry.target.clone(), normal);
            } else {
                ours.remove(&entry.target);
            }
            draft.set(target_side, &entry.target, value, decision);
            advance(draft, source, entry);
            true
        }
        Wish::Change { add, remove } if turn == Some(Turn::Free) => {
            let pattern = draft.decision(source, entry, cause(entry, row, false), None);
            draft.change_set(target_side, &entry.target, &add, &remove, |element| {
                let mut decision = pattern.clone();
                decision.element = Some(element.clone());
                decision
            });
            mark_tags(draft, target_side, entry, &add);
            advance(draft, source, entry);
            true
        }
        _ => false,
    };
    if moved {
        draft.entries.insert(entry.id.clone(), Entered { row, standing });
    }
    moved
}

/// What was our stand-in, and is by now what the source says itself, is ours no more.
fn disown(draft: &mut Draft<'_>, source: Side, entry: &Entry) {
    let is_constant = matches!(entry.function, Function::Constant { .. });
    let says_it = entry
        .inputs
        .iter()
        .any(|input| draft.read(source, input).is_some_and(|value| !value.is_empty()));
    if says_it && !is_constant {
        draft.link.marks.of_mut(source.other()).values.remove(&entry.target);
    }
}

fn cause(entry: &Entry, row: Option<Row>, is_stand_in: bool) -> Cause {
    let entry = entry.id.clone();
    match row {
        Some(row) if !is_stand_in => Cause::Entry { entry, row },
        _ => Cause::StandIn { entry },
    }
}

/// Tags that a constant put there are ours, and do not travel back.
fn mark_tags(draft: &mut Draft<'_>, side: Side, entry: &Entry, added: &[Value]) {
    let is_tags = draft.field(side, &entry.target).is_some_and(|f| f.kind == FieldType::Tag);
    if !is_tags || !matches!(entry.function, Function::Constant { .. }) {
        return;
    }
    for tag in added {
        for element in draft.normal(side, &entry.target, tag).elements() {
            draft.link.marks.of_mut(side).tags.insert(element.text());
        }
    }
}

/// Takes how an entry stands as its base, and its mirror entries' with it. True if a base changed.
fn advance(draft: &mut Draft<'_>, source: Side, entry: &Entry) -> bool {
    let Some(now) = draft.base_now(source, entry) else { return false };
    let before = draft.link.bases.insert(entry.id.clone(), now.clone());
    let mut moved = before.as_ref() != Some(&now);
    let settings = draft.settings;
    if is_set(draft, source, entry) {
        refresh_siblings(draft, source, entry);
    }
    for mirror in settings.mirrors(source, entry) {
        if owes_stand_in(draft, source, mirror) {
            continue;
        }
        let new = if is_set(draft, source, entry) {
            before.as_ref().and_then(|before| set_mirror(draft, source, entry, mirror, before))
        } else if mirror.inputs.len() == 1 {
            draft.base_now(source.other(), mirror)
        } else {
            part_mirror(draft, source, entry, mirror)
        };
        if let Some(new) = new {
            let old = draft.link.bases.insert(mirror.id.clone(), new.clone());
            moved |= old.as_ref() != Some(&new);
        }
    }
    draft.moves += u64::from(moved);
    moved
}

/// Several entries may add to one set: what one of them wrote is no edit to the others.
fn refresh_siblings(draft: &mut Draft<'_>, source: Side, entry: &Entry) {
    let Some(now) = draft.read(source.other(), &entry.target).cloned() else { return };
    let siblings = draft.settings.sync(source).into_iter().flat_map(|sync| &sync.entries);
    for sibling in siblings.filter(|sibling| sibling.target == entry.target) {
        if let Some(base) = draft.link.bases.get_mut(&sibling.id) {
            base.target = now.clone();
        }
    }
}

/// Two blanks agree; but a mirror that has a stand-in for a blank has still to write it.
fn owes_stand_in(draft: &Draft<'_>, source: Side, mirror: &Entry) -> bool {
    !mirror.fallback.is_empty()
        && !draft.link.bases.contains_key(&mirror.id)
        && draft.read(source, &mirror.target).is_some_and(Value::is_empty)
}

fn is_set(draft: &Draft<'_>, source: Side, entry: &Entry) -> bool {
    draft.field(source.other(), &entry.target).is_some_and(|field| field.many)
}

/// Only a part of what the mirror reads was carried: its other inputs stay as they were, and so its
/// target is what it would have made of them. But where all of its target was carried, what was typed
/// there stays an edit until the mirror was judged, too.
fn part_mirror(draft: &Draft<'_>, source: Side, entry: &Entry, mirror: &Entry) -> Option<Base> {
    let other = source.other();
    let now = draft.read(other, &entry.target)?.clone();
    let mut base = draft.link.bases.get(&mirror.id)?.clone();
    let mut differs = false;
    for (field, slot) in mirror.inputs.iter().zip(&mut base.inputs) {
        if *field == entry.target
            && draft.normal(other, field, slot) != draft.normal(other, field, &now)
        {
            *slot = now.clone();
            differs = true;
        }
    }
    if !differs {
        return None;
    }
    if !carries_all_of(entry, mirror)
        && let Some(Made::Value { value, .. }) = draft.make(other, mirror, &base.inputs)
    {
        base.target = value;
    }
    Some(base)
}

/// Whether an entry carries back all that its mirror writes.
fn carries_all_of(entry: &Entry, mirror: &Entry) -> bool {
    !matches!(entry.function, Function::SplitName(_)) && entry.inputs == [mirror.target.clone()]
}

/// Whether all that the target of a list holds was carried back, or is taken for agreed. None if nothing
/// carries all of it back, and for entries that are no list.
fn is_carried_back(draft: &Draft<'_>, source: Side, list: &Entry) -> Option<bool> {
    let other = source.other();
    let mut mirrors = draft.settings.mirrors(source, list);
    let mirror = mirrors.find(|mirror| list.inputs.len() > 1 && carries_all_of(mirror, list))?;
    let input = |base: &Base| Some(draft.normal(other, &list.target, base.inputs.first()?));
    let base = draft.link.bases.get(&mirror.id).and_then(input);
    let now = draft.base_now(other, mirror).as_ref().and_then(input);
    Some(base.is_some() && base == now)
}

/// What the mirror of a set read before, with what was carried since: elements that it has still to
/// carry itself stay out.
fn set_mirror(
    draft: &Draft<'_>,
    source: Side,
    entry: &Entry,
    mirror: &Entry,
    before: &Base,
) -> Option<Base> {
    let other = source.other();
    let field = &entry.target;
    let mut base = draft.link.bases.get(&mirror.id)?.clone();
    let sent = |inputs: &[Value]| match draft.make(source, entry, inputs)? {
        Made::Value { value, .. } => {
            let pairs = draft.pairs(other, field, &value);
            Some(pairs.into_iter().map(|(normal, _)| normal).collect::<BTreeSet<_>>())
        }
        Made::Unresolved(_) => None,
    };
    let (was_sent, is_sent) = (sent(&before.inputs)?, sent(&draft.inputs(source, entry)?)?);
    let slot = base.inputs.first_mut()?;
    let mut carried = draft.pairs(other, field, slot);
    carried.retain(|(normal, _)| !was_sent.contains(normal) || is_sent.contains(normal));
    for (normal, raw) in draft.elements(other, field) {
        if is_sent.contains(&normal) && !carried.iter().any(|(known, _)| *known == normal) {
            carried.push((normal, raw));
        }
    }
    *slot = Value::List(carried.into_iter().map(|(_, raw)| raw).collect());
    base.target = draft.read(source, &mirror.target)?.clone();
    Some(base)
}

/// Accepts what is left as it stands, and notes how every entry stands.
fn close(draft: &mut Draft<'_>, entries: &mut [Seat<'_>]) {
    for seat in entries {
        let Judgement { row, standing, wish } = seat.judge(draft);
        let (source, entry) = (seat.source, seat.entry);
        if wish == Wish::Accept
            && let Some(now) = draft.base_now(source, entry)
        {
            // Nobody else's judgement hangs on this base: nothing moves.
            draft.link.bases.insert(entry.id.clone(), now);
        }
        let is_set = is_set(draft, source, entry);
        let carried_back = is_carried_back(draft, source, entry);
        if row == Some(Row::Unchanged)
            && let Some(now) = draft.base_now(source, entry)
            && let Some(base) = draft.link.bases.get_mut(&entry.id)
        {
            // What was typed there is settled: the mirror had its turn and left it so, or all of it was
            // carried back. Any other drift stays one.
            let is_settled = standing == Standing::Accepted || is_set || carried_back == Some(true);
            if is_settled {
                base.target = now.target;
            }
            // Other inputs that come to the same: from now on it is measured against these.
            if is_settled || carried_back.is_none() {
                base.inputs = now.inputs;
            }
        }
        if standing == Standing::Inactive
            && carried_back == Some(true)
            && let Some(now) = draft.base_now(source, entry)
            && let Some(base) = draft.link.bases.get_mut(&entry.id)
        {
            // Whatever is typed there later is an edit.
            base.target = now.target;
        }
        if let Standing::Unresolved(why) = standing {
            draft.find(why.into(), Some(source.other()), Some(&entry.target));
        }
        if row == Some(Row::HeldClear) && is_required(draft, source, entry) {
            draft.find(FindingCode::RequiredField, Some(source.other()), Some(&entry.target));
        }
        draft.entries.entry(entry.id.clone()).or_insert(Entered { row, standing });
    }
}

fn is_required(draft: &Draft<'_>, source: Side, entry: &Entry) -> bool {
    draft.field(source.other(), &entry.target).is_some_and(|field| field.required)
}
