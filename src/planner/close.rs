//! From the working copy to the item: the writes are the difference between what was observed and
//! what the copies have become.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Scope};
use super::item::{Cause, Decision, Item, Op, OpKind, Outcome, TagChange};
use super::pair::Sent;
use crate::record::{FieldId, FieldType, PerSide, Record, Side, Value};

/// Makes the item. `keeps_link` tells whether a link is to be there afterwards.
pub(super) fn close(mut draft: Draft<'_>, outcome: Outcome, keeps_link: bool) -> Item {
    let mut ops = Vec::new();
    for side in Side::BOTH {
        match (draft.pair.live(side), draft.copies.of(side)) {
            (Some(observed), Some(copy)) => {
                changes(&draft, side, observed, copy, &mut ops);
                ops.extend(conversion(&draft, side, observed));
            }
            (None, Some(copy)) => ops.push(create(&draft, side, copy)),
            _ => {}
        }
    }
    ops.sort_by_key(|op| (op.kind != OpKind::Consent, op.side));
    remember_sent(&mut draft, &ops);
    for side in Side::BOTH {
        if draft.copies.of(side).is_some() && !draft.settings.sides.of(side).objects.is_empty() {
            *draft.link.was_in_scope.of_mut(side) = draft.scope_now(side) == Scope::In;
        }
    }
    draft.link.version = draft.settings.version;
    let records = PerSide::from_fn(|side| {
        draft.pair.seen.of(side).as_ref().map(|seen| seen.record.id.clone())
    });
    Item {
        records,
        outcome: outcome_of(outcome, &ops),
        ops,
        is_new_link: keeps_link && draft.pair.link.is_none(),
        link: keeps_link.then_some(draft.link),
        entries: draft.entries,
        findings: draft.findings,
    }
}

/// Writes make an update of what would otherwise be in sync, newly linked or out of scope.
fn outcome_of(outcome: Outcome, ops: &[Op]) -> Outcome {
    match outcome {
        Outcome::InSync | Outcome::Linked | Outcome::Excluded if !ops.is_empty() => {
            Outcome::Updated
        }
        other => other,
    }
}

fn changes(draft: &Draft<'_>, side: Side, observed: &Record, copy: &Record, ops: &mut Vec<Op>) {
    let mut parts: BTreeMap<OpKind, Op> = BTreeMap::new();
    for (field, value) in &copy.fields {
        let before = observed.get(field).unwrap_or(&Value::Cleared);
        if draft.normal(side, field, before) == draft.normal(side, field, value) {
            continue;
        }
        let decisions: Vec<&Decision> = decisions(draft, side, field).collect();
        let kind = kind(draft, side, field, &decisions);
        let op = parts.entry(kind).or_insert_with(|| Op {
            side,
            kind,
            object: observed.object.clone(),
            id: Some(observed.id.clone()),
            revision: observed.revision.clone(),
            fields: BTreeMap::new(),
            tags: TagChange::default(),
            becomes: None,
            after: None,
            decisions: Vec::new(),
        });
        if is_tags(draft, side, field) {
            op.tags = tag_change(draft, side, field, before, value);
        } else {
            op.fields.insert(field.clone(), value.clone());
        }
        op.decisions.extend(decisions.into_iter().cloned());
    }
    ops.extend(parts.into_values());
}

fn conversion(draft: &Draft<'_>, side: Side, observed: &Record) -> Option<Op> {
    let becomes = draft.conversions.of(side).clone()?;
    Some(Op {
        side,
        kind: OpKind::Convert,
        object: observed.object.clone(),
        id: Some(observed.id.clone()),
        revision: observed.revision.clone(),
        fields: BTreeMap::new(),
        tags: TagChange::default(),
        becomes: Some(becomes),
        after: None,
        decisions: Vec::new(),
    })
}

fn decisions<'d>(
    draft: &'d Draft<'_>,
    side: Side,
    field: &'d FieldId,
) -> impl Iterator<Item = &'d Decision> {
    draft
        .decisions
        .iter()
        .filter(move |((at, of, _), _)| *at == side && of == field)
        .filter(move |((_, _, element), decision)| match element {
            None => true,
            Some(element) => is_element_changed(draft, side, field, element, decision),
        })
        .map(|(_, decision)| decision)
}

/// An element that was added and removed again within one plan is not written.
fn is_element_changed(
    draft: &Draft<'_>,
    side: Side,
    field: &FieldId,
    element: &crate::record::Normal,
    _decision: &Decision,
) -> bool {
    let before = draft.pair.live(side).and_then(|record| record.get(field));
    let had = before.is_some_and(|value| {
        !element.elements().is_disjoint(&draft.normal(side, field, value).elements())
    });
    let has = draft.read(side, field).is_some_and(|value| {
        !element.elements().is_disjoint(&draft.normal(side, field, value).elements())
    });
    had != has
}

fn kind(draft: &Draft<'_>, side: Side, field: &FieldId, decisions: &[&Decision]) -> OpKind {
    let by = |test: fn(&Cause) -> bool| decisions.iter().any(|decision| test(&decision.cause));
    if by(|cause| matches!(cause, Cause::Consent { .. })) {
        OpKind::Consent
    } else if by(|cause| *cause == Cause::Deletion) {
        OpKind::Mark
    } else if is_tags(draft, side, field) {
        OpKind::Tags
    } else {
        OpKind::Fields
    }
}

fn is_tags(draft: &Draft<'_>, side: Side, field: &FieldId) -> bool {
    draft.field(side, field).is_some_and(|field| field.many && field.kind == FieldType::Tag)
}

fn tag_change(
    draft: &Draft<'_>,
    side: Side,
    field: &FieldId,
    before: &Value,
    after: &Value,
) -> TagChange {
    let (had, has) = (draft.pairs(side, field, before), draft.pairs(side, field, after));
    let missing = |from: &[(Value, Value)], of: &[(Value, Value)]| -> Vec<String> {
        of.iter()
            .filter(|(normal, _)| !from.iter().any(|(known, _)| known == normal))
            .map(|(_, raw)| raw.text())
            .collect()
    };
    TagChange { add: missing(&had, &has), remove: missing(&has, &had) }
}

fn create(draft: &Draft<'_>, side: Side, copy: &Record) -> Op {
    let mut op = Op {
        side,
        kind: OpKind::Create,
        object: copy.object.clone(),
        id: None,
        revision: None,
        fields: BTreeMap::new(),
        tags: TagChange::default(),
        becomes: None,
        after: None,
        decisions: Vec::new(),
    };
    for (field, value) in copy.fields.iter().filter(|(_, value)| !value.is_empty()) {
        if is_tags(draft, side, field) {
            op.tags = tag_change(draft, side, field, &Value::Cleared, value);
        } else {
            op.fields.insert(field.clone(), value.clone());
        }
        op.decisions.extend(decisions(draft, side, field).cloned());
    }
    op
}

/// What is sent is to be read back before it counts as agreed.
fn remember_sent(draft: &mut Draft<'_>, ops: &[Op]) {
    for op in ops {
        let tags = draft.settings.sides.of(op.side).tags.clone().filter(|_| !op.tags.is_empty());
        for field in op.fields.keys().cloned().chain(tags) {
            let Some(value) = draft.read(op.side, &field).cloned() else { continue };
            let value = draft.normal(op.side, &field, &value);
            let is_whole = op.fields.contains_key(&field);
            let ours = if is_whole { value.elements() } else { added(draft, op, &field) };
            let sent = Sent { value, ours, expected: None, revision: None };
            draft.link.unconfirmed.of_mut(op.side).insert(field, sent);
        }
    }
}

/// The tags that a write adds, with those of an earlier one that are not confirmed yet.
fn added(draft: &Draft<'_>, op: &Op, field: &FieldId) -> BTreeSet<Value> {
    let normal = |tags: &[String]| {
        let tags = tags.iter().cloned().map(Value::Text).collect();
        draft.normal(op.side, field, &Value::List(tags)).elements()
    };
    let mut ours = normal(&op.tags.add);
    if let Some(earlier) = draft.link.unconfirmed.of(op.side).get(field) {
        ours.extend(earlier.ours.iter().cloned());
    }
    &ours - &normal(&op.tags.remove)
}
