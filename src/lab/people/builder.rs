//! Makes somebody of a kind: what is special about them, and the records that they begin with.

use serde_json::Value as Json;

use super::face::{self, Face};
use super::maker::Maker;
use super::shapes::{kommo, zoho};
use super::shares::Home;
use super::words::{DUTIES, GERMAN_MOBILES, NO_NUMBER};
use super::{Kind, Person};

/// Longer than the right app has room for, which is 100.
const LONG_TITLE: usize = 140;

pub(super) fn person(maker: &mut Maker, number: u32, kind: Kind, home: Home) -> Person {
    let mut full = maker.face(number);
    let (left, right) = match kind {
        Kind::Plain => settle(maker, &full, number, home),
        Kind::NonLatin => {
            let (first_name, last_name) = maker.foreign_name();
            let (_, host) = full.email.split_once('@').unwrap_or_default();
            full.email = face::address(first_name, last_name, number, host);
            full.first_name = first_name.to_owned();
            full.last_name = last_name.to_owned();
            settle(maker, &full, number, home)
        }
        Kind::NoEmail => {
            full.email.clear();
            full.private_email.clear();
            let mut thin = maker.thinned(&full);
            thin.phone = full.phone;
            on_one_side(home, &[thin])
        }
        Kind::SharesAddress => {
            let second = namesake_of_address(maker, &full, number);
            on_one_side(home, &[full, second])
        }
        Kind::TwoCandidates => candidates(maker, &full, number),
        Kind::Refused => {
            let mut thin = maker.thinned(&full);
            thin.phone = NO_NUMBER.to_owned();
            // An apostrophe that a spreadsheet left behind: the right app wants a letter there.
            thin.email = format!("'{}", thin.email);
            on_one_side(home, &[thin])
        }
        Kind::Cut => {
            let mut thin = maker.thinned(&full);
            let first = maker.dice.below(DUTIES.len());
            let duties = DUTIES.iter().cycle().skip(first).copied();
            let words = ["Head of "].into_iter().chain(duties.flat_map(|duty| [duty, ", "]));
            thin.title = words.flat_map(str::chars).take(LONG_TITLE).collect();
            on_one_side(home, &[thin])
        }
        Kind::OptedOut => {
            let (mut left, mut right) = maker.parted(&full, number);
            let knows = if maker.dice.happens(50) { &mut left } else { &mut right };
            knows.is_opted_out = true;
            (vec![kommo(&left)], vec![zoho(&right)])
        }
        Kind::NationalPhone => national_phone(maker, &full, number, home),
        Kind::NoLastName => {
            let mut thin = maker.thinned(&full);
            thin.last_name.clear();
            on_one_side(home, &[thin])
        }
    };
    Person { number, kind, left, right }
}

/// The records of the left app and of the right.
type Records = (Vec<Json>, Vec<Json>);

fn settle(maker: &mut Maker, full: &Face, number: u32, home: Home) -> Records {
    if home == Home::Both {
        let (left, right) = maker.parted(full, number);
        return (vec![kommo(&left)], vec![zoho(&right)]);
    }
    on_one_side(home, &[maker.thinned(full)])
}

fn on_one_side(home: Home, faces: &[Face]) -> Records {
    match home {
        Home::Left | Home::Both => (faces.iter().map(kommo).collect(), Vec::new()),
        Home::Right => (Vec::new(), faces.iter().map(zoho).collect()),
    }
}

/// Somebody else at the same address, as in a family or an office.
fn namesake_of_address(maker: &mut Maker, known: &Face, number: u32) -> Face {
    let mut second = maker.face(number);
    second.email.clone_from(&known.email);
    if second.first_name == known.first_name {
        second.first_name.push_str(" Maria");
    }
    second
}

fn candidates(maker: &mut Maker, full: &Face, number: u32) -> Records {
    let (one, same) = maker.parted(full, number);
    let other = namesake_of_address(maker, full, number);
    if maker.dice.happens(50) {
        (vec![kommo(&one)], vec![zoho(&same), zoho(&other)])
    } else {
        (vec![kommo(&one), kommo(&other)], vec![zoho(&same)])
    }
}

fn national_phone(maker: &mut Maker, full: &Face, number: u32, home: Home) -> Records {
    let mobile = maker.line(GERMAN_MOBILES);
    let national = face::national(&mobile);
    if home != Home::Both {
        let mut thin = maker.thinned(full);
        thin.mobile = national;
        return on_one_side(home, &[thin]);
    }
    let (mut left, mut right) = maker.parted(full, number);
    (left.mobile, right.mobile) =
        if maker.dice.happens(50) { (national, mobile) } else { (mobile, national) };
    (vec![kommo(&left)], vec![zoho(&right)])
}
