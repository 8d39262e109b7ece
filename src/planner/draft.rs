//! The working copy of one plan: both records as they would be, and the link as it would be.
//!
//! The planner decides on copies, so that a decision sees what the earlier ones did. The writes are,
//! in the end, the difference between what was observed and what the copies have become.

use std::collections::{BTreeMap, BTreeSet};

use super::deletion;
use super::filter::Verdict;
use super::finding::{Finding, FindingCode};
use super::item::{Cause, Decision, Entered};
use super::mapping::{Context, Entry, Function, Made, NamePart, make, stand_in};
use super::pair::{Base, Link, Pair};
use super::settings::{EntryId, Settings};
use crate::record::name::{self, Parts};
use crate::record::{
    Conversion, Field, FieldId, FieldType, Normal, PerSide, Record, Schema, Side, Value, normalise,
};

/// Where a value is written: a field, or one element of a set.
type Place = (Side, FieldId, Option<Normal>);

pub(super) struct Draft<'a> {
    pub(super) settings: &'a Settings,
    pub(super) pair: &'a Pair,
    /// The live records as they would be.
    pub(super) copies: PerSide<Option<Record>>,
    /// Whether each side's record was in scope when it was observed.
    observed_scope: PerSide<Scope>,
    /// The side on which a record is to be made.
    pub(super) made_on: Option<Side>,
    /// The link as it would be.
    pub(super) link: Link,
    pub(super) entries: BTreeMap<EntryId, Entered>,
    pub(super) findings: BTreeSet<Finding>,
    pub(super) decisions: BTreeMap<Place, Decision>,
    /// What the record of a side is to become.
    pub(super) conversions: PerSide<Option<Conversion>>,
    /// How often a copy or a base was changed: what was judged before the last time is stale.
    pub(super) moves: u64,
}

impl<'a> Draft<'a> {
    pub(super) fn open(settings: &'a Settings, pair: &'a Pair) -> Self {
        let mut draft = Self {
            settings,
            pair,
            copies: PerSide::from_fn(|side| pair.live(side).cloned()),
            observed_scope: PerSide { left: Scope::Out, right: Scope::Out },
            made_on: None,
            link: pair.link.clone().unwrap_or_default(),
            entries: BTreeMap::new(),
            findings: BTreeSet::new(),
            decisions: BTreeMap::new(),
            conversions: PerSide::default(),
            moves: 0,
        };
        draft.drop_stale_bases();
        draft.drop_stale_marks();
        draft.recognise_own();
        draft.confirm();
        draft.observed_scope = PerSide::from_fn(|side| draft.scope_now(side));
        draft
    }

    /// Bases of entries that were removed, or removed and added again, are none.
    fn drop_stale_bases(&mut self) {
        let settled = self.link.version;
        let known: BTreeMap<&EntryId, u32> =
            self.settings.entries().map(|(_, entry)| (&entry.id, entry.since)).collect();
        self.link.bases.retain(|id, _| known.get(id).is_some_and(|since| *since <= settled));
    }

    /// A value of our own that a person replaced is ours no more, even if it comes back.
    fn drop_stale_marks(&mut self) {
        for side in Side::BOTH {
            let Some(record) = self.pair.live(side) else { continue };
            let mut values = std::mem::take(&mut self.link.marks.of_mut(side).values);
            values.retain(|field, ours| {
                record.get(field).is_none_or(|now| self.normal(side, field, now) == *ours)
            });
            self.link.marks.of_mut(side).values = values;
        }
    }

    /// What stands where it can only have come from us is ours, though nobody remembers: a connection was made
    /// anew, or a backup was put back. That is a stand-in where the source has nothing, and the tags of a
    /// constant.
    fn recognise_own(&mut self) {
        for (source, entry) in self.settings.entries() {
            let (side, target) = (source.other(), &entry.target);
            if self.link.bases.contains_key(&entry.id) || self.copies.of(source).is_none() {
                continue;
            }
            if let Function::Constant { value, .. } = &entry.function {
                let is_tags = self.field(side, target).is_some_and(|f| f.kind == FieldType::Tag);
                let ours = self.normal(side, target, value).elements().into_iter();
                let there = self.elements(side, target);
                let mut ours: Vec<Value> = ours.collect();
                ours.retain(|one| is_tags && there.iter().any(|(normal, _)| normal == one));
                let marks = self.link.marks.of_mut(side);
                marks.tags.extend(ours.iter().map(Value::text));
                continue;
            }
            let is_blank = |input| self.read(source, input).is_some_and(Value::is_empty);
            let Some(there) = self.read(side, target).filter(|there| !there.is_empty()) else {
                continue;
            };
            let there = self.normal(side, target, there);
            let stands_in = self.stand_in(source, entry).map(|one| self.normal(side, target, &one));
            if entry.inputs.iter().all(is_blank) && stands_in.as_ref() == Some(&there) {
                self.link.marks.of_mut(side).values.insert(target.clone(), there);
            }
        }
    }

    /// Puts an empty record on a side, to be filled as any other that is met for the first time.
    /// False where that side has no object to make records of.
    pub(super) fn make_record(&mut self, side: Side) -> bool {
        let object = self.pair.live(side.other()).and_then(|record| {
            let object = self.settings.object_for(side, record)?;
            Some((object, self.settings.sides.of(side).schema(object)?))
        });
        let Some((object, schema)) = object else { return false };
        let mut record = Record::new(object.clone(), "");
        let targets = self.settings.sync(side.other()).into_iter().flat_map(|sync| &sync.entries);
        let consents = self.settings.consent.iter().map(|channel| channel.fields.of(side));
        for field in targets.map(|entry| &entry.target).chain(consents) {
            if schema.get(field).is_some_and(|field| field.writable) {
                record.fields.insert(field.clone(), Value::Cleared);
            }
        }
        *self.copies.of_mut(side) = Some(record);
        self.made_on = Some(side);
        true
    }

    /// The fields of the record of a side, or of the one that would be made there.
    pub(super) fn schema(&self, side: Side) -> Option<&'a Schema> {
        let settings = self.settings.sides.of(side);
        match self.copies.of(side) {
            Some(record) => settings.schema(&record.object),
            None => settings.described().next().map(|(_, schema)| schema),
        }
    }

    pub(super) fn field(&self, side: Side, id: &FieldId) -> Option<&'a Field> {
        self.schema(side)?.get(id)
    }

    /// The normal form of a value of this field; as it is, where the field is unknown.
    pub(super) fn normal(&self, side: Side, id: &FieldId, value: &Value) -> Normal {
        let region = self.settings.sides.of(side).region.as_ref();
        match self.field(side, id) {
            Some(field) => normalise(value, field, region),
            None => normalise(value, &Field::new(id.clone(), FieldType::Text), region),
        }
    }

    /// A value of the copy, in normal form; none where it was not read.
    pub(super) fn read(&self, side: Side, id: &FieldId) -> Option<&Value> {
        self.copies.of(side).as_ref()?.get(id)
    }

    /// Whether the sync that reads `source` writes about its record: as it was observed, or as it is
    /// by now. What a person did while it was in scope is carried, though another edit moves it out.
    pub(super) fn scope(&self, source: Side) -> Scope {
        match (*self.observed_scope.of(source), self.scope_now(source)) {
            (Scope::In, _) | (_, Scope::In) => Scope::In,
            (_, now) => now,
        }
    }

    /// Whether its record is in scope as it is by now.
    pub(super) fn scope_now(&self, source: Side) -> Scope {
        let (Some(sync), Some(record), Some(schema)) =
            (self.settings.sync(source), self.copies.of(source), self.schema(source))
        else {
            return Scope::Out;
        };
        let region = self.settings.sides.of(source).region.as_ref();
        let mut scope = Scope::Out;
        for rule in &sync.rules {
            match rule.filter.judge(record, schema, region) {
                Verdict::In => return Scope::In,
                Verdict::Unknown(_) => scope = Scope::Unknown,
                Verdict::Out(_) => {}
            }
        }
        scope
    }

    /// The inputs of an entry as they may travel: without what the engine put there itself. None
    /// where one of them was not read.
    pub(super) fn inputs(&self, source: Side, entry: &Entry) -> Option<Vec<Value>> {
        entry.inputs.iter().map(|input| self.read(source, input).cloned()).collect()
    }

    /// What an entry comes to over these inputs; none where its target is unknown.
    pub(super) fn make(&self, source: Side, entry: &Entry, inputs: &[Value]) -> Option<Made> {
        let unmasked: Vec<Value> = entry
            .inputs
            .iter()
            .zip(inputs)
            .map(|(field, value)| self.without_marks(source, field, value))
            .collect();
        let known_names = self.known_names(source, entry);
        Some(make(entry, &unmasked, &self.context(source, entry, &known_names)?))
    }

    /// The entry's stand-in, if it has one that gives anything for this record.
    pub(super) fn stand_in(&self, source: Side, entry: &Entry) -> Option<Value> {
        let context = self.context(source, entry, &[])?;
        stand_in(entry, |field| self.read(source, field).cloned(), &context)
    }

    fn context<'c>(
        &self,
        source: Side,
        entry: &Entry,
        known_names: &'c [Parts],
    ) -> Option<Context<'c>>
    where
        'a: 'c,
    {
        Some(Context {
            source: self.schema(source)?,
            side: self.settings.sides.of(source.other()),
            region: self.settings.sides.of(source).region.as_ref(),
            target: self.field(source.other(), &entry.target)?,
            known_names,
        })
    }

    /// A value without our own tags and stand-ins, and without the tag that would say of the partner that
    /// this record was deleted.
    fn without_marks(&self, side: Side, field: &FieldId, value: &Value) -> Value {
        let marks = self.link.marks.of(side);
        if let Value::List(items) = value {
            let of_itself = deletion::tag_of(self, side).1;
            let stays = |one: &Value| {
                let text = one.text();
                marks.tags.contains(&text) || text == of_itself
            };
            let foreign = |item: &&Value| {
                let element = self.normal(side, field, item);
                !element.elements().iter().any(stays)
            };
            return Value::List(items.iter().filter(foreign).cloned().collect());
        }
        match marks.values.get(field) {
            Some(ours) if *ours == self.normal(side, field, value) => Value::Cleared,
            _ => value.clone(),
        }
    }

    /// Parts of the name that stood together before this plan: when this entry last agreed, and on
    /// the observed target. Not on the copy, so that an entry says the same throughout a plan.
    fn known_names(&self, source: Side, entry: &Entry) -> Vec<Parts> {
        let Function::SplitName(part) = entry.function else { return Vec::new() };
        let agreed = self.pair.link.as_ref().and_then(|link| {
            let base = link.bases.get(&entry.id)?;
            let own = self.without_marks(source.other(), &entry.target, &base.target).text();
            name::around(&base.inputs.first()?.text(), part == NamePart::First, &own)
        });
        let siblings = self.settings.sync(source).map_or(&[][..], |sync| &sync.entries);
        let observed = |wanted: NamePart| {
            let sibling = siblings.iter().find(|sibling| {
                sibling.inputs == entry.inputs && sibling.function == Function::SplitName(wanted)
            })?;
            let value = self.pair.live(source.other())?.get(&sibling.target)?;
            Some(self.without_marks(source.other(), &sibling.target, value).text())
        };
        let observed = match (observed(NamePart::First), observed(NamePart::Last)) {
            (Some(first), Some(last)) => Some(Parts { first, last }),
            _ => None,
        };
        agreed.into_iter().chain(observed).collect()
    }

    /// Writes a whole value into a copy.
    pub(super) fn set(&mut self, side: Side, field: &FieldId, value: Value, decision: Decision) {
        let Some(copy) = self.copies.of_mut(side) else { return };
        copy.fields.insert(field.clone(), value);
        self.moves += 1;
        self.decisions.insert((side, field.clone(), None), decision);
    }

    /// Adds elements to a set of a copy and removes others. `why` makes the decision for each.
    pub(super) fn change_set(
        &mut self,
        side: Side,
        field: &FieldId,
        add: &[Value],
        remove: &BTreeSet<Value>,
        why: impl Fn(&Value) -> Decision,
    ) {
        let elements = self.elements(side, field);
        let mut kept: Vec<Value> = Vec::new();
        for (normal, raw) in elements {
            if remove.contains(&normal) {
                self.decide_element(side, field, &raw, &why);
            } else {
                kept.push(raw);
            }
        }
        for raw in add {
            self.decide_element(side, field, raw, &why);
            kept.push(raw.clone());
        }
        let Some(copy) = self.copies.of_mut(side) else { return };
        let value = if kept.is_empty() { Value::Cleared } else { Value::List(kept) };
        copy.fields.insert(field.clone(), value);
        self.moves += 1;
    }

    fn decide_element(
        &mut self,
        side: Side,
        field: &FieldId,
        raw: &Value,
        why: impl Fn(&Value) -> Decision,
    ) {
        let place = (side, field.clone(), Some(self.normal(side, field, raw)));
        self.decisions.insert(place, why(raw));
    }

    /// The elements of a set of a copy: normal form beside the form it has in the app.
    pub(super) fn elements(&self, side: Side, field: &FieldId) -> Vec<(Value, Value)> {
        self.read(side, field).map_or_else(Vec::new, |value| self.pairs(side, field, value))
    }

    /// The elements of a value of a set field: normal form beside the form it has.
    pub(super) fn pairs(&self, side: Side, field: &FieldId, value: &Value) -> Vec<(Value, Value)> {
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        for raw in value.elements() {
            let normal = self.normal(side, field, raw);
            if let Some(normal) = normal.elements().into_iter().next()
                && !pairs.iter().any(|(known, _)| *known == normal)
            {
                pairs.push((normal, raw.clone()));
            }
        }
        pairs
    }

    /// A decision in the name of an entry. `base` is how it stood.
    pub(super) fn decision(
        &self,
        source: Side,
        entry: &Entry,
        cause: Cause,
        element: Option<Value>,
    ) -> Decision {
        Decision {
            field: entry.target.clone(),
            element,
            cause,
            inputs: self.inputs(source, entry).unwrap_or_default(),
            before: self.read(source.other(), &entry.target).cloned(),
            base: self.link.bases.get(&entry.id).map(|base| base.target.clone()),
        }
    }

    pub(super) fn find(&mut self, code: FindingCode, side: Option<Side>, field: Option<&FieldId>) {
        self.findings.insert(Finding { code, side, field: field.cloned() });
    }

    /// How an entry stands on the copies, to be remembered as its base.
    pub(super) fn base_now(&self, source: Side, entry: &Entry) -> Option<Base> {
        Some(Base {
            inputs: self.inputs(source, entry)?,
            target: self.read(source.other(), &entry.target)?.clone(),
        })
    }
}

/// Whether a sync writes about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    In,
    Out,
    Unknown,
}
