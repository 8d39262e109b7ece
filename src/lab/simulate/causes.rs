//! Why everything was written: each of our writes in the apps' histories is paired with the op of the
//! journal that caused it, and each op causes one.

use std::collections::{BTreeMap, BTreeSet};

use crate::connectors::memory::{Author, Event};
use crate::planner::OpKind;
use crate::record::{FieldId, PerSide, RemoteId, Side, Value, fold};
use crate::runner::Timings;
use crate::store::{OpRow, OpState};

/// S11: each record that we made was in the journal before, by a create of its own. One whose answer
/// was lost names no record: it excuses any one record with its values.
pub(super) fn check_creates(side: Side, history: &[Event], journal: &[OpRow]) -> Vec<String> {
    let mut open: Vec<&OpRow> =
        sent_to(side, journal).filter(|row| row.op.kind == OpKind::Create).collect();
    let mut wrong = Vec::new();
    for event in ours(history).filter(|event| event.is_create) {
        let is_named = journal.iter().any(|row| {
            row.op.side == side
                && row.op.kind == OpKind::Create
                && row.target.as_ref() == Some(&event.id)
        });
        let target = is_named.then_some(&event.id);
        let cause = open.iter().position(|row| {
            row.target.as_ref() == target
                && is_before(row, event)
                && event.fields.iter().all(|(field, value)| decides(row, field, value))
        });
        match cause {
            Some(at) => _ = open.swap_remove(at),
            None => wrong.push(format!("S11: {} was made on {side:?} without cause", event.id)),
        }
    }
    wrong
}

/// S3: each field that we wrote was decided by an op of that record that was sent before, and that
/// caused no other write. Ops that travelled together are one write; so it goes by field.
pub(super) fn check_changes(side: Side, history: &[Event], journal: &[OpRow]) -> Vec<String> {
    let mut spent = BTreeSet::new();
    let mut wrong = Vec::new();
    for event in ours(history).filter(|event| !event.is_create) {
        for (field, value) in &event.fields {
            let cause = sent_to(side, journal).find(|row| {
                row.op.id.as_ref() == Some(&event.id)
                    && is_before(row, event)
                    && decides(row, field, value)
                    && !spent.contains(&(row.id, field))
            });
            match cause {
                Some(row) => _ = spent.insert((row.id, field)),
                None => wrong.push(format!(
                    "S3: {field} of {} was written on {side:?} without cause",
                    event.id
                )),
            }
        }
    }
    wrong
}

/// S4: what we wrote ourselves is no reason to write. What people did to somebody bounds what we
/// write about it: a change travels once, to the one other app; records that met are brought to one
/// value; a removal is told by a tag; and what got no answer may be written again.
pub(super) fn check_echoes(
    history: &PerSide<Vec<Event>>,
    removed: &PerSide<BTreeSet<String>>,
    journal: &[OpRow],
) -> Vec<String> {
    let people = PerSide::from_fn(|side| emails(history.of(side)));
    let mut writes: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let mut bound: BTreeMap<(String, &str), u32> = BTreeMap::new();
    for (side, events) in history.iter() {
        for event in events {
            let Some(email) = people.of(side).get(event.id.as_str()) else { continue };
            let counts = match (event.by, event.is_create) {
                (Author::Engine, true) => continue,
                (Author::Engine, false) => &mut writes,
                (Author::Person, _) => &mut bound,
            };
            // Only where the other side has a record of its own is there anything to agree on.
            let subjects: BTreeSet<&str> = if !event.is_create {
                event.fields.keys().map(subject).collect()
            } else if is_made_by_people(email, history.of(side.other())) {
                // One side gets what the other has; parts of a name and tags may go both ways.
                if side == Side::Left { SUBJECTS.into() } else { ["name", "tags"].into() }
            } else {
                continue;
            };
            for subject in subjects {
                *counts.entry((email.clone(), subject)).or_default() += 1;
            }
        }
        for email in removed.of(side) {
            *bound.entry((email.clone(), "tags")).or_default() += 1;
        }
        let unanswered = sent_to(side, journal).filter(|row| row.state != OpState::Applied);
        for row in unanswered {
            let email = match &row.op.id {
                Some(id) => people.of(side).get(id.as_str()).cloned(),
                None => row.op.fields.get(&"email".into()).map(|email| fold(&email.text())),
            };
            let subjects: BTreeSet<&str> =
                row.op.decisions.iter().map(|decision| subject(&decision.field)).collect();
            for subject in subjects {
                *bound.entry((email.clone().unwrap_or_default(), subject)).or_default() += 1;
            }
        }
    }
    let told = |((email, subject), wrote): ((String, &str), u32)| {
        let allowed = bound.get(&(email.clone(), subject)).copied().unwrap_or_default();
        (wrote > allowed)
            .then(|| format!("S4: {subject} of {email} was written {wrote} times, for {allowed}"))
    };
    writes.into_iter().filter_map(told).collect()
}

/// The fields that we wrote later than a lease lasts after it was decided: by a worker that stood still
/// between its last look at its lease and its call. Who looked meanwhile found nothing written, and
/// can't tell it from what a person typed.
pub(super) fn late_writes(
    side: Side,
    history: &[Event],
    journal: &[OpRow],
) -> BTreeSet<(RemoteId, FieldId)> {
    let lease = Timings::default().lease;
    let is_late = |event: &Event, field: &FieldId| {
        let causes = sent_to(side, journal).filter(|row| {
            row.op.id.as_ref() == Some(&event.id)
                && is_before(row, event)
                && row.op.decisions.iter().any(|decision| decision.field == *field)
        });
        let last = causes.filter_map(|row| row.sent_at).max();
        last.is_some_and(|sent| event.at.duration_since(sent).unsigned_abs() > lease)
    };
    ours(history)
        .filter(|event| !event.is_create)
        .flat_map(|event| event.fields.keys().map(move |field| (event, field)))
        .filter(|(event, field)| is_late(event, field))
        .map(|(event, field)| (event.id.clone(), field.clone()))
        .collect()
}

/// What the two apps hold under different fields.
const SUBJECTS: [&str; 5] = ["name", "phone", "city", "tags", "permission"];

fn subject(field: &FieldId) -> &'static str {
    match field.as_str() {
        "phone" => "phone",
        "city" => "city",
        "tags" => "tags",
        "opt_out" | "consent" => "permission",
        _ => "name",
    }
}

/// Whose the records are. Nobody's address is ever changed.
fn emails(history: &[Event]) -> BTreeMap<&str, String> {
    let made = history.iter().filter(|event| event.is_create);
    made.map(|event| (event.id.as_str(), email(event))).collect()
}

/// The address of a record that was just made.
pub(super) fn email(made: &Event) -> String {
    fold(&made.fields.get(&"email".into()).map(Value::text).unwrap_or_default())
}

fn is_made_by_people(address: &str, history: &[Event]) -> bool {
    let mut made = history.iter().filter(|event| event.is_create && event.by == Author::Person);
    made.any(|event| email(event) == address)
}

fn ours(history: &[Event]) -> impl Iterator<Item = &Event> {
    history.iter().filter(|event| event.by == Author::Engine)
}

fn sent_to(side: Side, journal: &[OpRow]) -> impl Iterator<Item = &OpRow> {
    journal.iter().filter(move |row| row.op.side == side && row.sent_at.is_some())
}

fn is_before(row: &OpRow, event: &Event) -> bool {
    row.sent_at.is_some_and(|sent| sent <= event.at)
}

/// Whether an op says that this is to be written, and why. Tags, marks among them, are sent as what is
/// added and removed: what comes of it depends on what stood there, so that only the field counts.
fn decides(row: &OpRow, field: &FieldId, value: &Value) -> bool {
    let has_reason = row.op.decisions.iter().any(|decision| decision.field == *field);
    let is_sent = match row.op.fields.get(field) {
        // An app may shout.
        Some(sent) => match (sent, value) {
            (Value::Text(sent), Value::Text(stored)) => fold(sent) == fold(stored),
            (sent, stored) => sent == stored,
        },
        None => field.as_str() == "tags" && !row.op.tags.is_empty(),
    };
    has_reason && is_sent
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::planner::{Cause, Channel, Decision, Op, TagChange};
    use crate::store::{AccountId, ConnectionId, FeedId, OpId, RunId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn fields(given: &[(&str, &str)]) -> BTreeMap<FieldId, Value> {
        given.iter().map(|(field, value)| ((*field).into(), Value::Text((*value).into()))).collect()
    }

    /// An op that was sent and answered at its second.
    fn row(second: u8, id: Option<&str>, given: &[(&str, &str)]) -> OpRow {
        let decision = |(field, _): &(&str, &str)| Decision {
            field: (*field).into(),
            element: None,
            cause: Cause::Consent { channel: Channel::Email },
            inputs: Vec::new(),
            before: None,
            base: None,
        };
        OpRow {
            id: OpId(Uuid::from_u128(u128::from(second))),
            run: RunId(Uuid::nil()),
            connection: ConnectionId(Uuid::nil()),
            account: AccountId(Uuid::nil()),
            feed: FeedId(Uuid::nil()),
            target: id.map(RemoteId::new),
            source: None,
            item: String::new(),
            op: Op {
                side: Side::Right,
                kind: if id.is_some() { OpKind::Fields } else { OpKind::Create },
                object: "contacts".into(),
                id: id.map(RemoteId::new),
                revision: None,
                fields: fields(given),
                tags: TagChange::default(),
                becomes: None,
                after: None,
                decisions: given.iter().map(decision).collect(),
            },
            planned: None,
            state: OpState::Applied,
            sent_at: Some(at(second.into())),
            error: None,
        }
    }

    fn wrote(second: i64, id: &str, given: &[(&str, &str)]) -> Event {
        let by = Author::Engine;
        Event { at: at(second), by, id: id.into(), is_create: false, fields: fields(given) }
    }

    fn made(second: i64, id: &str, email: &str) -> Event {
        Event { is_create: true, ..wrote(second, id, &[("email", email)]) }
    }

    fn typed(event: Event) -> Event {
        Event { by: Author::Person, ..event }
    }

    fn changes(history: &[Event], journal: &[OpRow]) -> Vec<String> {
        check_changes(Side::Right, history, journal)
    }

    fn creates(history: &[Event], journal: &[OpRow]) -> Vec<String> {
        check_creates(Side::Right, history, journal)
    }

    #[test]
    fn a_field_that_no_op_decided_is_reported() {
        let journal = [row(1, Some("r1"), &[("city", "Vigo")])];
        assert!(changes(&[wrote(1, "r1", &[("city", "VIGO")])], &journal).is_empty());
        let both = [wrote(1, "r1", &[("city", "Vigo"), ("phone", "1")])];
        let uncaused = "S3: phone of r1 was written on Right without cause";
        assert_eq!(changes(&both, &journal), [uncaused]);
        let mut silent = journal.clone();
        silent.iter_mut().for_each(|row| row.op.decisions.clear());
        let city = [wrote(1, "r1", &[("city", "Vigo")])];
        assert_eq!(changes(&city, &silent).len(), 1, "no reason is given");
    }

    #[test]
    fn an_op_excuses_its_own_value_of_its_own_record_once_it_was_sent() {
        let journal = [row(5, Some("r1"), &[("city", "Vigo")])];
        let city = |second, id, city| wrote(second, id, &[("city", city)]);
        assert!(changes(&[city(5, "r1", "Vigo")], &journal).is_empty());
        assert_eq!(changes(&[city(4, "r1", "Vigo")], &journal).len(), 1, "before it was sent");
        assert_eq!(changes(&[city(5, "r2", "Vigo")], &journal).len(), 1, "another record");
        assert_eq!(changes(&[city(5, "r1", "Madrid")], &journal).len(), 1, "another value");
        let twice = [city(5, "r1", "Vigo"), city(6, "r1", "Vigo")];
        assert_eq!(changes(&twice, &journal).len(), 1, "sent once, written twice");
        let planned = [OpRow { sent_at: None, ..journal[0].clone() }];
        assert_eq!(changes(&[city(5, "r1", "Vigo")], &planned).len(), 1, "never sent");
        assert!(changes(&[typed(city(4, "r1", "Vigo"))], &[]).is_empty(), "people need no reason");
    }

    #[test]
    fn a_write_is_late_when_a_lease_does_not_last_until_it() {
        let journal = [row(5, Some("r1"), &[("city", "Vigo")])];
        let city = |second| [wrote(second, "r1", &[("city", "Vigo")])];
        let late =
            |history: &[Event], journal: &[OpRow]| late_writes(Side::Right, history, journal);
        assert!(late(&city(65), &journal).is_empty());
        assert_eq!(late(&city(66), &journal), [("r1".into(), "city".into())].into());
        let again = [journal[0].clone(), row(30, Some("r1"), &[("city", "Vigo")])];
        assert!(late(&city(66), &again).is_empty(), "it was sent again since");
        assert!(late(&[typed(city(66)[0].clone())], &journal).is_empty(), "a person's");
    }

    #[test]
    fn tags_that_were_sent_as_a_change_are_excused_by_it() {
        let mut op = row(1, Some("r1"), &[("tags", "")]);
        op.op.fields.clear();
        let tags = [wrote(1, "r1", &[("tags", "vip")])];
        assert_eq!(changes(&tags, std::slice::from_ref(&op)).len(), 1, "it changes no tags");
        op.op.tags.add.push("vip".into());
        assert!(changes(&tags, &[op]).is_empty());
    }

    #[test]
    fn a_record_that_is_not_in_the_journal_is_reported() {
        let named = OpRow { target: Some("r1".into()), ..row(1, None, &[("email", "a@x.es")]) };
        let (first, second) = (made(1, "r1", "a@x.es"), made(1, "r2", "a@x.es"));
        assert!(creates(std::slice::from_ref(&first), std::slice::from_ref(&named)).is_empty());
        let unjournalled = "S11: r2 was made on Right without cause";
        assert_eq!(creates(&[second, first], &[named]), [unjournalled]);
    }

    #[test]
    fn a_create_whose_answer_was_lost_excuses_one_record() {
        let lost = row(1, None, &[("email", "a@x.es")]);
        let both = [made(1, "r1", "a@x.es"), made(2, "r2", "a@x.es")];
        assert!(creates(&both[..1], std::slice::from_ref(&lost)).is_empty());
        assert_eq!(creates(&both, std::slice::from_ref(&lost)).len(), 1);
        assert!(creates(&both, &[lost.clone(), row(2, None, &[("email", "a@x.es")])]).is_empty());
        let other = [made(1, "r1", "b@x.es")];
        assert_eq!(creates(&other, &[lost]).len(), 1, "somebody else");
    }

    #[test]
    fn a_write_that_nobody_typed_is_an_echo() {
        let none = || PerSide { left: BTreeSet::new(), right: BTreeSet::new() };
        let email = "a@x.es";
        let city = |second, id| wrote(second, id, &[("city", "Vigo")]);
        let left = vec![typed(made(0, "l1", email)), typed(city(2, "l1"))];
        let right = vec![made(1, "r1", email), city(3, "r1")];
        let quiet = PerSide { left: left.clone(), right: right.clone() };
        assert!(check_echoes(&quiet, &none(), &[]).is_empty());
        let back = PerSide { left: [left, vec![city(4, "l1")]].concat(), right };
        let echo = "S4: city of a@x.es was written 2 times, for 1";
        assert_eq!(check_echoes(&back, &none(), &[]), [echo]);
        let lost = OpRow { state: OpState::Dropped, ..row(3, Some("r1"), &[("city", "Vigo")]) };
        assert!(check_echoes(&back, &none(), &[lost]).is_empty(), "it got no answer");
    }
}
