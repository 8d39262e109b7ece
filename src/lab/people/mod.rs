//! Made-up people for two apps, Kommo on the left and Zoho CRM on the right, as untidy as people are:
//! in fixed shares, and all of it from one seed. What is untidy about somebody is known, so that a
//! demonstration can say beforehand what it has to come to.

mod arrival;
mod builder;
mod dice;
mod face;
mod maker;
mod shapes;
mod shares;
mod words;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub use arrival::{Moved, move_in};
use dice::Dice;
use maker::Maker;

/// The name of the left app's custom field for a city.
pub const CITY: &str = "City";
/// The name of the left app's custom field for a date of birth.
pub const BIRTHDAY: &str = "Birthday";
/// The name of the left app's custom field that says that somebody wants no e-mails.
pub const OPT_OUT: &str = "Email opt-out";

/// What is special about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// There is no e-mail address to know them by.
    NoEmail,
    /// Two records of one side have the same address, and the other side has none.
    SharesAddress,
    /// One record of one side could be either of two of the other.
    TwoCandidates,
    /// The right app refuses a value.
    Refused,
    /// The right app has too little room for a value.
    Cut,
    /// They opted out, and only one side knows.
    OptedOut,
    /// A phone number is written as one dials it at home.
    NationalPhone,
    /// The name is in another script.
    NonLatin,
    /// There is no last name, which the right app demands.
    NoLastName,
}

/// Somebody, with the records to begin with.
///
/// The records have the shape of each app's own objects. As the apps' ids are not known before, users
/// are given by their e-mail address and the left app's custom fields by their name.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Which one it is, from 1.
    pub number: u32,
    /// What is special.
    pub kind: Kind,
    /// The contacts of the left app, the oldest first.
    pub left: Vec<Json>,
    /// The contacts of the right app, the oldest first.
    pub right: Vec<Json>,
}

/// All people of a demonstration.
#[derive(Clone, Debug, PartialEq)]
pub struct People {
    /// Each of them.
    pub people: Vec<Person>,
    /// What they were made from; it also decides in which order they move in.
    pub seed: u64,
}

/// Makes so many people. The same seed makes the same people.
#[must_use]
pub fn people(count: u32, seed: u64) -> People {
    let mut dice = Dice::new(seed);
    let dealt = shares::deal(count, &mut dice);
    let mut maker = Maker::new(dice);
    let people = (1..)
        .zip(dealt)
        .map(|(number, (kind, home))| builder::person(&mut maker, number, kind, home))
        .collect();
    People { people, seed }
}

impl People {
    /// How many people there are of each special kind, by what a report calls it.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<&'static str, u32> {
        let named = shares::SHARES.iter().filter_map(|(kind, _)| reason(*kind));
        let mut reasons: BTreeMap<&'static str, u32> = named.map(|name| (name, 0)).collect();
        for name in self.people.iter().filter_map(|person| reason(person.kind)) {
            *reasons.entry(name).or_default() += 1;
        }
        reasons
    }

    /// How many records the first run in both directions has to make: in the left app, and in the
    /// right.
    #[must_use]
    pub fn expected_created(&self) -> (u64, u64) {
        let mut created = (0, 0);
        for person in self.people.iter().filter(|person| is_carried(person.kind)) {
            created.0 += u64::from(person.left.is_empty());
            created.1 += u64::from(person.right.is_empty());
        }
        created
    }
}

fn reason(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Plain => None,
        Kind::NoEmail => Some("no_match_key"),
        Kind::SharesAddress => Some("duplicate"),
        Kind::TwoCandidates => Some("ambiguous"),
        Kind::Refused => Some("refused"),
        Kind::Cut => Some("cut"),
        Kind::OptedOut => Some("opted_out"),
        Kind::NationalPhone => Some("national_phone"),
        Kind::NonLatin => Some("non_latin"),
        Kind::NoLastName => Some("no_last_name"),
    }
}

/// Whether somebody who is on one side only comes to the other.
fn is_carried(kind: Kind) -> bool {
    !matches!(kind, Kind::NoEmail | Kind::TwoCandidates | Kind::Refused)
}
