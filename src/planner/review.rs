//! The review: what is missing before a connection may start, and what a person must say first.

use std::collections::BTreeSet;

use super::fault::{At, Fault, FaultCode, Review, Warning, WarningCode};
use super::mapping::{Compatibility, Entry, Function, compatibility};
use super::settings::{
    Acknowledgement, Acknowledgements, ConsentPolicy, DeletionPolicy, Settings, Sync, WritePolicy,
};
use crate::record::{Field, FieldId, FieldType, ObjectName, PerSide, Schema, Semantic, Side};

/// Reviews a configuration. Pure: the same settings give the same review.
#[must_use]
pub fn review(settings: &Settings, given: &Acknowledgements) -> Review {
    let mut findings = Findings::default();
    findings.check_objects(settings);
    let mut needed: BTreeSet<Acknowledgement> = [Acknowledgement::NoOtherSync].into();
    for objects in meetings(settings) {
        let settings = settings.between(objects.map(Some));
        let mut case = Case { settings: &settings, objects, findings: &mut findings };
        case.check_connection();
        for source in Side::BOTH {
            if let Some(sync) = settings.sync(source) {
                case.check_sync(source, sync);
            }
        }
        if case.check_consent() {
            needed.insert(Acknowledgement::OptOutsStay);
        }
    }
    let unacknowledged: BTreeSet<Acknowledgement> = needed.difference(given).copied().collect();
    let complete = findings.faults.is_empty() && unacknowledged.is_empty();
    Review {
        token: complete.then(|| token(settings, given)),
        faults: findings.faults,
        warnings: findings.warnings,
        unacknowledged,
    }
}

/// Names this configuration under these acknowledgements.
fn token(settings: &Settings, given: &Acknowledgements) -> String {
    // Plain data with string keys only: serialising it cannot fail.
    let document = serde_json::to_vec(&(settings, given)).unwrap_or_default();
    blake3::hash(&document).to_hex().to_string()
}

/// The objects of which the two records of a pair can be.
fn meetings(settings: &Settings) -> Vec<PerSide<&ObjectName>> {
    let lefts = settings.sides.left.objects.iter();
    lefts
        .flat_map(|left| {
            settings.sides.right.objects.iter().map(move |right| PerSide { left, right })
        })
        .collect()
}

#[derive(Default)]
struct Findings {
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Findings {
    /// An entry for an object that its side does not have would never be looked at.
    fn check_objects(&mut self, settings: &Settings) {
        for (source, entry) in settings.entries() {
            for (side, object) in entry.objects.iter() {
                let own = settings.sides.of(side);
                let Some(object) = object.as_ref().filter(|one| !own.objects.contains(one)) else {
                    continue;
                };
                let message = format!(
                    "{} is mapped for {object} of {}, which this side does not have: choose another.",
                    entry.target, own.app
                );
                let at = At { sync: Some(source), field: Some(entry.target.clone()) };
                self.faults.push(Fault { code: FaultCode::UnknownObject, at, message });
            }
        }
    }
}

/// A pair of objects, with the settings as they are for their records.
struct Case<'a> {
    settings: &'a Settings,
    objects: PerSide<&'a ObjectName>,
    findings: &'a mut Findings,
}

impl<'a> Case<'a> {
    /// What holds of several pairs of objects is told once.
    fn fault(&mut self, code: FaultCode, at: At, message: impl Into<String>) {
        let fault = Fault { code, at, message: message.into() };
        if !self.findings.faults.contains(&fault) {
            self.findings.faults.push(fault);
        }
    }

    fn warn(&mut self, code: WarningCode, at: At, message: impl Into<String>) {
        let warning = Warning { code, at, message: message.into() };
        if !self.findings.warnings.contains(&warning) {
            self.findings.warnings.push(warning);
        }
    }

    fn app(&self, side: Side) -> &'a str {
        &self.settings.sides.of(side).app
    }

    /// The app, with the object where there are several.
    fn place(&self, side: Side) -> String {
        let own = self.settings.sides.of(side);
        if own.objects.len() > 1 {
            format!("{} ({})", own.app, self.objects.of(side))
        } else {
            own.app.clone()
        }
    }

    fn schema(&self, side: Side) -> Option<&'a Schema> {
        self.settings.sides.of(side).schema(self.objects.of(side))
    }

    /// Whether records of this pair's object can come to be made on a side.
    fn is_made(&self, side: Side) -> bool {
        let rules = self.settings.sync(side.other()).map_or(&[][..], |sync| &sync.rules);
        let first = self.settings.sides.of(side).objects.first();
        let object = *self.objects.of(side);
        rules.iter().any(|rule| rule.object.as_ref().or(first) == Some(object))
    }

    fn check_connection(&mut self) {
        let both = [Side::Left, Side::Right].map(|side| self.settings.sync(side));
        if both.iter().all(Option::is_none) {
            let message = "Nothing would be sent: add a sync in at least one direction.";
            self.fault(FaultCode::NoSync, At::default(), message);
        }
        let overwrites =
            |sync: &Option<&Sync>| sync.is_some_and(|s| s.write_policy == WritePolicy::Overwrite);
        if both.iter().all(overwrites) && self.settings.preferred.is_none() {
            self.fault(
                FaultCode::PreferredSideRequired,
                At::default(),
                "Both syncs overwrite: choose the side whose value stands where both have one.",
            );
        }
        for side in Side::BOTH {
            let keys = &self.settings.match_keys;
            let has_key = self.schema(side).is_some_and(|schema| {
                schema.iter().any(|field| {
                    keys.iter().any(|key| match key {
                        super::MatchKey::Email => field.kind == FieldType::Email,
                        super::MatchKey::Phone => field.kind == FieldType::Phone,
                    })
                })
            });
            if !has_key {
                let message = format!(
                    "{} has no field with any of the match keys: choose others, or read its fields again.",
                    self.place(side)
                );
                self.fault(FaultCode::NoMatchField, At::default(), message);
            }
        }
    }

    fn check_sync(&mut self, source: Side, sync: &'a Sync) {
        let at = |field: Option<&FieldId>| At { sync: Some(source), field: field.cloned() };
        let (Some(reads), Some(writes)) = (self.schema(source), self.schema(source.other())) else {
            return;
        };
        if sync.rules.is_empty() {
            let message = "Without a rule nothing is in scope: add one, an empty one lets all in.";
            self.fault(FaultCode::NoRule, at(None), message);
        }
        for rule in &sync.rules {
            if let Some(object) = &rule.object
                && !self.settings.sides.of(source.other()).objects.contains(object)
            {
                let message = format!(
                    "A rule makes {object} in {}, which this side does not have: choose another.",
                    self.app(source.other())
                );
                self.fault(FaultCode::UnknownObject, at(None), message);
            }
            if let Some(object) = &rule.object {
                self.check_way_back(source, object);
            }
            if rule.filter.has_empty_choice() {
                let message = "A group of alternatives is empty and lets nothing in: remove it.";
                self.fault(FaultCode::EmptyFilterGroup, at(None), message);
            }
            for condition in rule.filter.conditions() {
                if reads.get(&condition.field).is_none() {
                    self.unknown(source, source, &condition.field);
                }
            }
        }
        let tags = self.settings.sides.of(source.other()).tags.as_ref();
        if sync.deletion == DeletionPolicy::Tag && tags.and_then(|tags| writes.get(tags)).is_none()
        {
            let message = format!(
                "{} has no tags: deletions can't be told there. Choose IGNORE.",
                self.place(source.other())
            );
            self.fault(FaultCode::NoTags, at(None), message);
        }
        for entry in &sync.entries {
            self.check_entry(source, entry, reads, writes);
        }
        self.check_targets(source, sync, writes);
    }

    /// Whether who becomes what a rule names can become what they were.
    fn check_way_back(&mut self, source: Side, object: &ObjectName) {
        let side = self.settings.sides.of(source.other());
        let is = *self.objects.of(source.other());
        if is == object {
            return;
        }
        let app = self.app(source.other());
        let goes = |from: &ObjectName, to: &ObjectName| side.converts.get(from) == Some(to);
        let message = match (goes(is, object), goes(object, is)) {
            (true, true) => return,
            (true, false) => {
                format!(
                    "{app} makes {object} of {is}, not back: who becomes one by a rule stays one."
                )
            }
            (false, _) => {
                format!("{app} makes no {object} of {is}: who is one of {is} stays that.")
            }
        };
        let at = At { sync: Some(source), field: None };
        self.warn(WarningCode::NoWayBack, at, message);
    }

    fn unknown(&mut self, sync: Side, side: Side, field: &FieldId) {
        let message = format!(
            "{} has no field {field}: choose another, or read its fields again.",
            self.place(side)
        );
        let at = At { sync: Some(sync), field: Some(field.clone()) };
        self.fault(FaultCode::UnknownField, at, message);
    }

    fn check_entry(&mut self, source: Side, entry: &Entry, reads: &Schema, writes: &Schema) {
        let at = At { sync: Some(source), field: Some(entry.target.clone()) };
        let wanted = match entry.function {
            Function::Constant { .. } => 0..=0,
            Function::Copy | Function::SplitName(_) => 1..=1,
            Function::JoinName => 2..=2,
            Function::FirstNonEmpty | Function::Join { .. } => 1..=usize::MAX,
        };
        if !wanted.contains(&entry.inputs.len()) {
            let message = format!("{} is made from a wrong number of fields.", entry.target);
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
        if entry.transforms.is_empty() {
            for input in entry.inputs.iter().filter_map(|input| reads.get(input)) {
                self.check_types(source, entry, input, target);
            }
        }
        self.check_crossing(source, entry, at);
    }

    fn check_types(&mut self, source: Side, entry: &Entry, from: &Field, to: &Field) {
        let at = At { sync: Some(source), field: Some(entry.target.clone()) };
        let made = match entry.function {
            // What is joined is text, whatever it was.
            Function::Join { .. } | Function::JoinName | Function::SplitName(_) => {
                Field::new(from.id.clone(), FieldType::Text)
            }
            _ => from.clone(),
        };
        match compatibility(&made, to) {
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
                "{} is written from one field and read into another: values will wander.",
                entry.target
            );
            self.warn(WarningCode::CrossedMapping, at, message);
        }
    }

    fn check_targets(&mut self, source: Side, sync: &Sync, writes: &Schema) {
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

    /// True where opt-outs of a side stay there.
    fn check_consent(&mut self) -> bool {
        for channel in &self.settings.consent {
            for side in Side::BOTH {
                let id = channel.fields.of(side);
                let Some(schema) = self.schema(side) else { continue };
                let Some(field) = schema.get(id) else {
                    self.unknown(side.other(), side, id);
                    continue;
                };
                let fits = matches!(field.kind, FieldType::Consent | FieldType::Boolean)
                    && (field.writable || self.settings.sync(side.other()).is_none());
                if !fits {
                    let at = At { sync: Some(side.other()), field: Some(id.clone()) };
                    let message = format!(
                        "{} can't keep permission in {}: choose a checkbox that we may write.",
                        self.app(side),
                        field.label
                    );
                    self.fault(FaultCode::ConsentField, at, message);
                }
            }
        }
        let mut stays = false;
        for source in Side::BOTH {
            let travels = self
                .settings
                .sync(source)
                .is_some_and(|sync| sync.consent == ConsentPolicy::Tighten)
                && !self.settings.consent.is_empty();
            if !travels {
                stays = true;
                let message = format!(
                    "Opt-outs in {} will not reach {}.",
                    self.app(source),
                    self.app(source.other())
                );
                self.warn(WarningCode::OptOutsStay, At::default(), message);
            }
        }
        stays
    }
}
