//! The review: what is missing before a connection may start, and what a person must say first.

mod entries;

use std::collections::BTreeSet;

use super::fault::{At, Fault, FaultCode, Review, Warning, WarningCode};
use super::filter::Condition;
use super::mapping::Entry;
use super::settings::{
    Acknowledgement, Acknowledgements, ConsentPolicy, DeletionPolicy, Settings, Sync, WritePolicy,
};
use crate::record::{Field, FieldId, FieldType, ObjectName, PerSide, Schema, Side};

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
            let is_key = |field: &Field| keys.iter().any(|key| field.kind == key.field_type());
            let has_key = self.schema(side).is_some_and(|schema| schema.iter().any(is_key));
            if has_key {
                self.check_keys_written(side);
            } else {
                let message = format!(
                    "{} has no field with any of the match keys: choose others, or read its fields again (accountCheck).",
                    self.place(side)
                );
                self.fault(FaultCode::NoMatchField, At::default(), message);
            }
        }
    }

    /// Whether who is made on a side can be recognised there again.
    fn check_keys_written(&mut self, side: Side) {
        let (Some(sync), Some(schema)) = (self.settings.sync(side.other()), self.schema(side))
        else {
            return;
        };
        let is_key = |field: &Field| {
            self.settings.match_keys.iter().any(|key| field.kind == key.field_type())
        };
        let writes_key = |entry: &Entry| schema.get(&entry.target).is_some_and(is_key);
        if self.is_made(side) && !sync.entries.iter().any(writes_key) {
            let message = format!(
                "Nothing writes a match key of {}: who is made there can't be recognised by it.",
                self.place(side)
            );
            let at = At { sync: Some(side.other()), field: None };
            self.warn(WarningCode::KeysUnwritten, at, message);
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
                match reads.get(&condition.field) {
                    None => self.unknown(source, source, &condition.field),
                    Some(field) => self.check_condition(source, condition, field),
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

    fn check_condition(&mut self, source: Side, condition: &Condition, field: &Field) {
        if let Err(instead) = condition.check(field, self.settings.sides.of(source)) {
            let at = At { sync: Some(source), field: Some(field.id.clone()) };
            let message = format!("{} can't be compared with that: {instead}.", field.label);
            self.fault(FaultCode::FilterValue, at, message);
        }
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
            "{} has no field {field}: choose another, or read its fields again (accountCheck).",
            self.place(side)
        );
        let at = At { sync: Some(sync), field: Some(field.clone()) };
        self.fault(FaultCode::UnknownField, at, message);
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
