//! Compares two records of one person with each other, and a record with what it was.

use std::collections::BTreeMap;

use super::row::{FIELDS, LAST_NAME, OPT_OUT, RECORD, Row, Said, TAGS, TITLE};
use super::shelf::Side;
use super::start::Start;
use super::{Difference, Problem, normal};
use crate::lab::people::Kind;

/// How many characters of a title the right app keeps.
const TITLE_MAX: usize = 100;

/// What the right app is given where it demands a last name and there is none.
const STAND_IN: &str = "(unknown)";

/// The fields in which the apps do not agree, by the rules of a kind.
pub(super) fn compare(person: &str, kind: Kind, left: &Row, right: &Row) -> Vec<Difference> {
    let differs = |field: &&'static str| match (kind, *field) {
        // What counts is also what was known at the start.
        (_, OPT_OUT) => false,
        (Kind::Cut, TITLE) => normal::text(&cut(left.raw(TITLE))) != right.means(TITLE),
        (Kind::NoLastName, LAST_NAME) => {
            !has_stand_in(left.means(LAST_NAME), right.means(LAST_NAME))
        }
        (_, field) => left.means(field) != right.means(field),
    };
    let differing = FIELDS.into_iter().filter(differs);
    differing
        .map(|field| {
            Difference::new(person, field, left.raw(field), right.raw(field), Problem::Differs)
        })
        .collect()
}

/// The start of a title, as far as the right app has room.
fn cut(title: &str) -> String {
    title.chars().take(TITLE_MAX).collect()
}

/// Whether a stand-in is where it belongs and nowhere else. A name that was given later is a name.
fn has_stand_in(left: &str, right: &str) -> bool {
    if left.is_empty() { right == STAND_IN } else { left == right && left != STAND_IN }
}

/// Who opted out once is opted out in both apps.
pub(super) fn compare_opt_outs(
    person: &str,
    was_opted_out: bool,
    left: &Row,
    right: &Row,
) -> Option<Difference> {
    let problem = match (left.is_opted_out(), right.is_opted_out()) {
        (true, true) => return None,
        _ if was_opted_out => Problem::NotOptedOut,
        (false, false) => return None,
        _ => Problem::Differs,
    };
    Some(Difference::new(person, OPT_OUT, left.raw(OPT_OUT), right.raw(OPT_OUT), problem))
}

/// What had to survive and is gone.
pub(super) fn find_losses(person: &str, start: &Start, left: &Row, right: &Row) -> Vec<Difference> {
    let mut found = Vec::new();
    let tags: BTreeMap<&String, &String> = start.all().flat_map(|row| &row.tags).collect();
    for (tag, name) in tags {
        for (side, row) in [(Side::Left, left), (Side::Right, right)] {
            if !row.tags.contains_key(tag) {
                found.push(Difference::on(side, person, TAGS, name, Problem::Lost));
            }
        }
    }
    for before in start.rows(Side::Left) {
        for (kind, said) in &before.extras {
            if !left.holds.contains(&(*kind, said.means.clone())) {
                found.push(Difference::on(Side::Left, person, kind, &said.raw, Problem::Lost));
            }
        }
        let title = before.raw(TITLE);
        let part = cut(title);
        // What was cut for one app must not come back to the other.
        if part != title && left.means(TITLE) == normal::text(&part) {
            found.push(Difference::on(Side::Left, person, TITLE, title, Problem::Lost));
        }
    }
    found
}

/// What is different on a record to which nothing was to be done.
pub(super) fn compare_with_start(side: Side, before: &Row, now: Option<&Row>) -> Vec<Difference> {
    let person = before.person();
    let Some(now) = now else {
        return vec![Difference::new(&person, RECORD, "", "", side.missing())];
    };
    let mut found = Vec::new();
    let mut tell = |field: &str, lost: &str, came: &str| {
        let (value, problem) =
            if lost.is_empty() { (came, Problem::Differs) } else { (lost, Problem::Lost) };
        found.push(Difference::on(side, &person, field, value, problem));
    };
    for field in FIELDS.into_iter().filter(|field| before.raw(field) != now.raw(field)) {
        tell(field, before.raw(field), now.raw(field));
    }
    for (kind, said) in &before.extras {
        if !has_extra(now, kind, said) {
            tell(kind, &said.raw, "");
        }
    }
    for (kind, said) in &now.extras {
        if !has_extra(before, kind, said) {
            tell(kind, "", &said.raw);
        }
    }
    found
}

fn has_extra(row: &Row, kind: &str, said: &Said) -> bool {
    row.extras.iter().any(|(own, known)| *own == kind && known.raw == said.raw)
}
