//! Judges whether two apps came to the same people, from what the apps themselves show. It reads and
//! compares in a way of its own: nothing that it judges has a part in it.

mod comparison;
mod judge;
mod kommo;
mod normal;
mod row;
mod shelf;
mod start;
mod zoho;

use serde::Serialize;
use serde_json::Value as Json;

use super::people::{Moved, People};
use judge::Judge;
use shelf::{Shelves, Side};

/// Something that is not as it has to be after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The person's e-mail address, or the app and the record's id where there is none.
    pub person: String,
    /// The field, or `record` for records as a whole.
    pub field: String,
    /// What the left app shows, or what it has lost.
    pub left: String,
    /// What the right app shows, or what it has lost.
    pub right: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The two apps do not agree, or a value came to where nothing was to be written.
    Differs,
    /// The left app has no record.
    MissingLeft,
    /// The right app has no record.
    MissingRight,
    /// There are more records than there may be.
    Twice,
    /// They opted out, and an app does not say so.
    NotOptedOut,
    /// Something that was there at the start and had to survive is gone.
    Lost,
}

/// What is not as it has to be: `kommo` and `zoho` are the contacts as the apps show them now.
///
/// `people` says who may be missing or differ, and what had to survive; values are compared between
/// the apps as they are now, so that people may be edited between the runs. Nobody may edit those who
/// have to stay as they were: [`NoEmail`], [`SharesAddress`], [`TwoCandidates`] and [`Refused`].
///
/// [`NoEmail`]: super::people::Kind::NoEmail
/// [`SharesAddress`]: super::people::Kind::SharesAddress
/// [`TwoCandidates`]: super::people::Kind::TwoCandidates
/// [`Refused`]: super::people::Kind::Refused
#[must_use]
pub fn differences(
    people: &People,
    moved: &Moved,
    kommo: &[Json],
    zoho: &[Json],
) -> Vec<Difference> {
    let left: Vec<_> = kommo.iter().map(|contact| kommo::row(contact, moved)).collect();
    let right: Vec<_> = zoho.iter().map(|record| zoho::row(record, moved)).collect();
    let shelves = Shelves::new(&left, &right);
    let mut judge = Judge::new(&shelves);
    for person in &people.people {
        judge.judge(&start::Start::of(person, moved));
    }
    judge.judge_newcomers();
    judge.found
}

impl Difference {
    fn new(person: &str, field: &str, left: &str, right: &str, problem: Problem) -> Self {
        Self {
            person: person.to_owned(),
            field: field.to_owned(),
            left: left.to_owned(),
            right: right.to_owned(),
            problem,
        }
    }

    /// Something that concerns one app only.
    fn on(side: Side, person: &str, field: &str, value: &str, problem: Problem) -> Self {
        match side {
            Side::Left => Self::new(person, field, value, "", problem),
            Side::Right => Self::new(person, field, "", value, problem),
        }
    }
}
