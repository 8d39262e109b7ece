//! Judges from outside: by the apps' own records and histories, without a word from the engine but
//! its journal.

use std::collections::{BTreeMap, BTreeSet};

use super::causes;
use super::world::World;
use crate::connectors::memory::{Author, Event};
use crate::record::name::{Parts, join};
use crate::record::{
    Consent, Field, FieldId, FieldType, PerSide, Record, RemoteId, Side, Value, fold, normalise,
};
use crate::store::{Error, OpRow};

/// More than any seed has.
const LIMIT: u64 = 100_000;

/// A fingerprint of both histories, and how many records we made.
pub(super) fn trace(world: &World) -> (String, u32) {
    let mut hasher = blake3::Hasher::new();
    let mut created = 0;
    for (_, vendor) in world.vendors.iter() {
        for event in vendor.history() {
            hasher.update(format!("{event:?}").as_bytes());
            created += u32::from(event.is_create && event.by == Author::Engine);
        }
    }
    (hasher.finalize().to_hex().to_string(), created)
}

/// Everything that is wrong, once all is quiet.
pub(super) async fn judge(world: &World) -> Vec<String> {
    match Case::open(world).await {
        Ok(case) => {
            let mut wrong = case.judge_history();
            case.check_everybody(&mut wrong);
            wrong
        }
        Err(error) => unreadable(&error),
    }
}

/// What is wrong already while much is still to be done.
pub(super) async fn judge_unfinished(world: &World) -> Vec<String> {
    match Case::open(world).await {
        Ok(case) => case.judge_history(),
        Err(error) => unreadable(&error),
    }
}

pub(super) fn unreadable(error: &Error) -> Vec<String> {
    vec![format!("the store can't be read: {error}")]
}

struct Case {
    records: PerSide<BTreeMap<String, Vec<Record>>>,
    history: PerSide<Vec<Event>>,
    journal: Vec<OpRow>,
    /// Addresses of people whose record was once removed on a side.
    removed: PerSide<BTreeSet<String>>,
    linked: PerSide<BTreeSet<String>>,
    /// What was written too late to be known for ours.
    late: PerSide<BTreeSet<(RemoteId, FieldId)>>,
}

impl Case {
    async fn open(world: &World) -> Result<Self, Error> {
        let history = PerSide::from_fn(|side| world.vendors.of(side).history());
        let records = PerSide::from_fn(|side| {
            let mut people: BTreeMap<String, Vec<Record>> = BTreeMap::new();
            for record in world.vendors.of(side).records() {
                people.entry(email(&record)).or_default().push(record);
            }
            people
        });
        let removed = PerSide::from_fn(|side| {
            let live: BTreeSet<String> =
                world.vendors.of(side).records().iter().map(|r| r.id.to_string()).collect();
            history
                .of(side)
                .iter()
                .filter(|event| event.is_create && !live.contains(event.id.as_str()))
                .map(causes::email)
                .collect()
        });
        let mut linked = PerSide { left: BTreeSet::new(), right: BTreeSet::new() };
        for row in world.store.links(world.workspace, world.connection, None, LIMIT).await? {
            for (side, end) in row.ends.iter() {
                if !linked.of_mut(side).insert(end.id.to_string()) {
                    return Err(Error::Bug(format!("S10: {} has two links", end.id)));
                }
            }
        }
        let journal = world.store.ops(world.workspace, world.connection, None, LIMIT).await?;
        let late = PerSide::from_fn(|side| causes::late_writes(side, history.of(side), &journal));
        Ok(Self { records, history, journal, removed, linked, late })
    }

    /// The laws that hold at every step.
    fn judge_history(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.check_nobody_twice(&mut wrong);
        self.check_no_resurrection(&mut wrong);
        for (side, history) in self.history.iter() {
            wrong.extend(causes::check_creates(side, history, &self.journal));
            wrong.extend(causes::check_changes(side, history, &self.journal));
        }
        wrong.extend(causes::check_echoes(&self.history, &self.removed, &self.journal));
        wrong
    }

    /// S2: at most one record per person and side made by us lives.
    fn check_nobody_twice(&self, wrong: &mut Vec<String>) {
        for side in Side::BOTH {
            let ours: BTreeSet<&str> = self
                .history
                .of(side)
                .iter()
                .filter(|event| event.is_create && event.by == Author::Engine)
                .map(|event| event.id.as_str())
                .collect();
            for (email, records) in self.records.of(side) {
                let made = records.iter().filter(|record| ours.contains(record.id.as_str()));
                if made.count() > 1 {
                    wrong.push(format!("S2: {email} was made twice on the {side:?} side"));
                }
            }
        }
    }

    /// S5: whoever we knew on a side, and was removed there, is not made there again by us.
    fn check_no_resurrection(&self, wrong: &mut Vec<String>) {
        for side in Side::BOTH {
            let mut known: BTreeSet<String> = BTreeSet::new();
            for event in self.history.of(side).iter().filter(|event| event.is_create) {
                let email = causes::email(event);
                if event.by == Author::Engine && known.contains(&email) {
                    wrong.push(format!(
                        "S5: {email} was there on the {side:?} side, and made again"
                    ));
                }
                if self.linked.of(side).contains(event.id.as_str()) {
                    known.insert(email);
                }
            }
        }
    }

    /// V1 and S1: who is on both sides is the same there, with a value that a person typed.
    fn check_everybody(&self, wrong: &mut Vec<String>) {
        let people: BTreeSet<&String> =
            self.records.left.keys().chain(self.records.right.keys()).collect();
        for email in people.into_iter().filter(|email| !email.is_empty()) {
            let of = |side: Side| self.records.of(side).get(email).map_or(&[][..], Vec::as_slice);
            match (of(Side::Left), of(Side::Right)) {
                ([left], [right]) => self.check_pair(email, left, right, wrong),
                ([_], []) | ([], [_]) => self.check_lonely(email, wrong),
                _ => wrong.push(format!("S2: {email} stands several times on a side")),
            }
        }
    }

    fn check_lonely(&self, email: &str, wrong: &mut Vec<String>) {
        for side in Side::BOTH {
            let is_here = self.records.of(side).contains_key(email);
            let was_there = self.removed.of(side.other()).contains(email);
            if is_here && !was_there {
                wrong.push(format!("V1: {email} of the {side:?} side has no partner"));
            }
        }
    }

    fn check_pair(&self, email: &str, left: &Record, right: &Record, wrong: &mut Vec<String>) {
        for (side, record) in [(Side::Left, left), (Side::Right, right)] {
            if !self.linked.of(side).contains(record.id.as_str()) {
                wrong.push(format!("V1: {email} is on both sides and not linked"));
            }
        }
        let differs = |field: &str, kind: FieldType| {
            let field = Field { many: kind == FieldType::Tag, ..Field::new(field, kind) };
            let region = "ES".parse().ok();
            let value = |record: &Record| {
                let value = record.get(&field.id).cloned().unwrap_or(Value::Cleared);
                normalise(&folded(&field, &value), &field, region.as_ref())
            };
            value(left) != value(right)
        };
        for (field, kind) in [("phone", FieldType::Phone), ("city", FieldType::Text)] {
            if differs(field, kind) {
                let values = (left.get(&field.into()), right.get(&field.into()));
                wrong.push(format!("V1: {field} of {email} differs: {values:?}"));
            }
            self.check_typed(email, field, left, right, wrong);
        }
        if differs("tags", FieldType::Tag) {
            let values = (left.get(&"tags".into()), right.get(&"tags".into()));
            wrong.push(format!("V1: the tags of {email} differ: {values:?}"));
        }
        let text = |record: &Record, field: &str| record.get(&field.into()).map(Value::text);
        let parts = Parts {
            first: text(left, "first").unwrap_or_default(),
            last: text(left, "last").unwrap_or_default(),
        };
        if join(&parts) != text(right, "full").unwrap_or_default() {
            wrong.push(format!("V1: the name of {email} differs: {parts:?} {right:?}"));
        }
        let out = (
            left.get(&"opt_out".into()) == Some(&Value::Boolean(true)),
            matches!(right.get(&"consent".into()), Some(Value::Consent(c)) if *c >= Consent::OptedOut),
        );
        if out.0 != out.1 {
            wrong.push(format!("S8: {email} is opted out on one side only: {out:?}"));
        }
        // Whoever said no last, on either side, is left alone.
        let left_no = self.last_typed(Side::Left, left, "opt_out") == Some(Value::Boolean(true));
        let right_no = matches!(
            self.last_typed(Side::Right, right, "consent"),
            Some(Value::Consent(consent)) if consent >= Consent::OptedOut
        );
        if (left_no || right_no) && !out.0 {
            wrong.push(format!("S8: {email} said no, and it was forgotten"));
        }
    }

    /// What a person typed last into a field of a record.
    fn last_typed(&self, side: Side, record: &Record, field: &str) -> Option<Value> {
        self.history
            .of(side)
            .iter()
            .filter(|event| event.by == Author::Person && event.id == record.id)
            .filter_map(|event| {
                let written = event.fields.get(&field.into()).cloned();
                // A record that a person makes without it starts with nothing.
                written.or_else(|| event.is_create.then_some(Value::Cleared))
            })
            .next_back()
    }

    /// S1: the value that stands is the last that a person typed on one of the sides. What was written
    /// late is taken for typed, by us as by anybody.
    fn check_typed(
        &self,
        email: &str,
        field: &str,
        left: &Record,
        right: &Record,
        wrong: &mut Vec<String>,
    ) {
        let was_late = |side: Side, record: &Record| {
            self.late.of(side).contains(&(record.id.clone(), field.into()))
        };
        if was_late(Side::Left, left) || was_late(Side::Right, right) {
            return;
        }
        let typed = |side: Side, record: &Record| self.last_typed(side, record, field);
        let kind = if field == "phone" { FieldType::Phone } else { FieldType::Text };
        let field = Field::new(field, kind);
        let normal =
            |value: &Value| normalise(&folded(&field, value), &field, "ES".parse().ok().as_ref());
        let stands = normal(left.get(&field.id).unwrap_or(&Value::Cleared));
        let typed = [typed(Side::Left, left), typed(Side::Right, right)];
        if !typed.iter().flatten().any(|value| normal(value) == stands) {
            wrong.push(format!(
                "S1: {} of {email} is {stands:?}, typed last were {typed:?}",
                field.id
            ));
        }
    }
}

/// An app may shout: the case of text does not count here.
fn folded(field: &Field, value: &Value) -> Value {
    match value {
        Value::Text(text) if field.kind == FieldType::Text => Value::Text(fold(text)),
        other => other.clone(),
    }
}

fn email(record: &Record) -> String {
    record.get(&"email".into()).map(|value| fold(&value.text())).unwrap_or_default()
}
