//! The lines of a mapping: whether each can be read, made and written, and what they do to each other.

use std::collections::BTreeMap;

use super::super::fault::{At, FaultCode, WarningCode};
use super::super::mapping::{
    Compatibility, Entry, Function, StandIn, Transform, compatibility, convert,
};
use super::super::settings::Sync;
use super::Case;
use crate::record::{Field, FieldType, Schema, Semantic, Side, Value};

/// Whether text is to be read as something that not every text is.
fn is_read_as(from: FieldType, to: FieldType) -> bool {
    use FieldType::{Boolean, Date, DateTime, Number, Text};
    from == Text && matches!(to, Number | Boolean | Date | DateTime)
}

impl Case<'_> {
    pub(super) fn check_entry(
        &mut self,
        source: Side,
        entry: &Entry,
        reads: &Schema,
        writes: &Schema,
    ) {
        let at = At { sync: Some(source), field: Some(entry.target.clone()) };
        let wanted = match entry.function {
            Function::Constant { .. } => 0..=0,
            Function::Copy | Function::SplitName(_) => 1..=1,
            Function::JoinName => 2..=2,
            Function::FirstNonEmpty | Function::Join { .. } => 1..=usize::MAX,
        };
        if !wanted.contains(&entry.inputs.len()) {
            let message = format!(
                "{} is made from {} fields: give {}.",
                entry.target,
                entry.inputs.len(),
                match (wanted.start(), wanted.end()) {
                    (0, 0) => "none, for a constant reads nothing",
                    (1, 1) => "one",
                    (2, 2) => "two, the first name and the last",
                    _ => "one at least",
                }
            );
            self.fault(FaultCode::WrongInputs, at.clone(), message);
        }
        for input in entry.inputs.iter().filter(|input| reads.get(input).is_none()) {
            self.unknown(source, source, input);
        }
        let Some(target) = writes.get(&entry.target) else {
            return self.unknown(source, source.other(), &entry.target);
        };
        if !target.writable {
            let message = format!(
                "{} does not let us write {}: map another field.",
                self.app(source.other()),
                target.label
            );
            self.fault(FaultCode::ReadOnlyTarget, at.clone(), message);
        }
        let consents = &self.settings.consent;
        if consents.iter().any(|channel| *channel.fields.of(source.other()) == entry.target) {
            let message = format!(
                "{} holds permission, which travels by the consent policy: remove this entry.",
                target.label
            );
            self.fault(FaultCode::ConsentMapped, at.clone(), message);
        }
        for input in entry.inputs.iter().filter_map(|input| reads.get(input)) {
            self.check_types(source, entry, input, target);
        }
        self.check_fixed(source, entry, target);
        self.check_fallback(source, entry, reads, target);
        self.check_crossing(source, entry, at);
    }

    /// Whether the target takes what the entry itself names: a constant, stand-ins, what options become.
    fn check_fixed(&mut self, source: Side, entry: &Entry, target: &Field) {
        let stand_ins = entry.fallback.iter().filter_map(|stand_in| match stand_in {
            StandIn::Value(value) => Some(value.clone()),
            StandIn::Field(_) | StandIn::LocalPart(_) => None,
        });
        let constant = match &entry.function {
            Function::Constant { value, .. } => Some(value.clone()),
            _ => None,
        };
        let tables = entry.transforms.iter().filter_map(|transform| match transform {
            Transform::Options(table) => Some(table),
            Transform::Phone(_) => None,
        });
        let options = tables.flat_map(BTreeMap::values).map(|option| Value::Text(option.clone()));
        let side = self.settings.sides.of(source.other());
        let is_taken = |value: Value| convert(&value, None, target, side).is_ok();
        if !constant.into_iter().chain(stand_ins).chain(options).all(is_taken) {
            let at = At { sync: Some(source), field: Some(target.id.clone()) };
            let message = format!(
                "{} does not take a value that is named for it: give one of its type, or an option or a user \
                 that is there.",
                target.label
            );
            self.fault(FaultCode::IncompatibleTypes, at, message);
        }
    }

    fn check_fallback(&mut self, source: Side, entry: &Entry, reads: &Schema, target: &Field) {
        for stand_in in &entry.fallback {
            let (id, is_whole) = match stand_in {
                StandIn::Value(_) => continue,
                StandIn::Field(id) => (id, true),
                StandIn::LocalPart(id) => (id, false),
            };
            match reads.get(id) {
                None => self.unknown(source, source, id),
                Some(field) if is_whole => self.check_types(source, entry, field, target),
                Some(_) => {}
            }
        }
    }

    fn check_types(&mut self, source: Side, entry: &Entry, from: &Field, to: &Field) {
        let at = At { sync: Some(source), field: Some(entry.target.clone()) };
        let is_table = |transform: &Transform| matches!(transform, Transform::Options(_));
        let made = match entry.function {
            // What is joined is text, whatever it was.
            Function::Join { .. } | Function::JoinName | Function::SplitName(_) => {
                Field::new(from.id.clone(), FieldType::Text)
            }
            // What a table names is looked at by itself.
            _ if entry.transforms.iter().any(is_table) => Field { kind: to.kind, ..from.clone() },
            _ => from.clone(),
        };
        match compatibility(&made, to) {
            Compatibility::BothWays if is_read_as(made.kind, to.kind) => {
                let message = format!(
                    "{} is text: where it can't be read as {} demands, nothing is written (WRONG_SHAPE).",
                    from.label, to.label
                );
                self.warn(WarningCode::MayNotFit, at, message);
            }
            Compatibility::BothWays => {}
            Compatibility::OneWay => {
                let message = format!("{} can be carried to {}, not back.", from.label, to.label);
                self.warn(WarningCode::OneWay, at, message);
            }
            Compatibility::Refused(why) => {
                let message = format!("{} can't be mapped to {}: {why}.", from.label, to.label);
                self.fault(FaultCode::IncompatibleTypes, at, message);
            }
        }
    }

    fn check_crossing(&mut self, source: Side, entry: &Entry, at: At) {
        let Some(back) = self.settings.sync(source.other()) else { return };
        let answers: Vec<&Entry> =
            back.entries.iter().filter(|other| other.inputs.contains(&entry.target)).collect();
        let goes_home = answers.iter().any(|other| entry.inputs.contains(&other.target));
        if !answers.is_empty() && !goes_home && !entry.inputs.is_empty() {
            let message = format!(
                "{0} is written from one field and read into another, so that values wander: have one of the \
                 entries that read {0} write what it is written from, or take one away.",
                entry.target
            );
            self.warn(WarningCode::CrossedMapping, at, message);
        }
    }

    pub(super) fn check_targets(&mut self, source: Side, sync: &Sync, writes: &Schema) {
        for (n, entry) in sync.entries.iter().enumerate() {
            let stored = |entry: &Entry| {
                let field = writes.get(&entry.target)?;
                Some((field.part_of.clone().unwrap_or_else(|| field.id.clone()), field.many))
            };
            let clash = sync.entries.iter().skip(n + 1).any(|other| {
                let adds = |e: &Entry| matches!(e.function, Function::Constant { .. });
                let both_sets = stored(entry).is_some_and(|(_, many)| many);
                let same_part = entry.target == other.target;
                // The first value of a list may be that of any label.
                let overlaps = |field: &Field| {
                    let first = [Semantic::EmailPrimary, Semantic::PhonePrimary];
                    field.part_of.is_none() || field.semantic.is_some_and(|s| first.contains(&s))
                };
                let whole = writes.get(&entry.target).is_some_and(overlaps)
                    || writes.get(&other.target).is_some_and(overlaps);
                stored(entry).map(|s| s.0) == stored(other).map(|s| s.0)
                    && (same_part || whole)
                    && !(both_sets && same_part && (adds(entry) || adds(other)))
            });
            if clash {
                let at = At { sync: Some(source), field: Some(entry.target.clone()) };
                let message = format!("{} is written by two entries: remove one.", entry.target);
                self.fault(FaultCode::TargetWrittenTwice, at, message);
            }
        }
        let is_made = self.is_made(source.other());
        for field in writes.iter().filter(|field| is_made && field.required && field.writable) {
            if !sync.entries.iter().any(|entry| entry.target == field.id) {
                let at = At { sync: Some(source), field: Some(field.id.clone()) };
                let message = format!(
                    "{} demands {}: map a field to it, or give it a stand-in.",
                    self.place(source.other()),
                    field.label
                );
                self.fault(FaultCode::RequiredTargetUnmapped, at, message);
            }
        }
    }
}
