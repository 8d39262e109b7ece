//! Who the people are.

use std::collections::BTreeSet;

use concord::lab::people::{Kind, People, Person, people};
use serde_json::{Value as Json, json};

use crate::town::{Town, address, is_on_both_sides, left_address, right_address};

fn count(people: &People, kind: Kind) -> usize {
    people.people.iter().filter(|person| person.kind == kind).count()
}

#[test]
fn the_shares_are_exact() {
    for (many, hundreds) in [(100, 1), (300, 3), (5_000, 50)] {
        let people = people(many, 7);
        assert_eq!(people.people.len(), 100 * hundreds);
        for (kind, share) in [
            (Kind::Plain, 67),
            (Kind::NoEmail, 4),
            (Kind::SharesAddress, 2),
            (Kind::TwoCandidates, 2),
            (Kind::Refused, 1),
            (Kind::Cut, 1),
            (Kind::OptedOut, 5),
            (Kind::NationalPhone, 10),
            (Kind::NonLatin, 5),
            (Kind::NoLastName, 3),
        ] {
            assert_eq!(count(&people, kind), share * hundreds, "{kind:?} of {many}");
        }
    }
}

#[test]
fn shares_of_an_odd_number_are_rounded_down() {
    let people = people(149, 7);
    assert_eq!(people.people.len(), 149);
    assert_eq!(count(&people, Kind::NoEmail), 5);
    assert_eq!(count(&people, Kind::Refused), 1);
    assert_eq!(count(&people, Kind::NationalPhone), 14);
}

#[test]
fn the_reasons_count_the_special_people() {
    let reasons = people(300, 7).reasons();
    let expected = [
        ("ambiguous", 6),
        ("cut", 3),
        ("duplicate", 6),
        ("national_phone", 30),
        ("no_last_name", 9),
        ("no_match_key", 12),
        ("non_latin", 15),
        ("opted_out", 15),
        ("refused", 3),
    ];
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn half_of_all_people_are_on_both_sides_and_the_others_evenly_on_either() {
    for many in [100, 300, 5_000] {
        let people = people(many, 11).people;
        let both = people.iter().filter(|person| is_on_both_sides(person)).count();
        let left = people.iter().filter(|person| person.right.is_empty()).count();
        let right = people.iter().filter(|person| person.left.is_empty()).count();
        assert_eq!(both, people.len() / 2);
        assert_eq!((left, right), (people.len() / 4, people.len() / 4));
    }
}

#[test]
fn a_seed_makes_the_same_people_each_time() {
    assert_eq!(people(300, 5), people(300, 5));
    let (one, other) = (Town::untouched(50, 5), Town::untouched(50, 5));
    assert_eq!((one.kommo, one.zoho, one.moved), (other.kommo, other.zoho, other.moved));
}

#[test]
fn another_seed_makes_other_people() {
    assert_ne!(people(300, 5).people, people(300, 6).people);
}

#[test]
fn few_people_are_all_plain_or_national() {
    let people = people(10, 3);
    assert_eq!(count(&people, Kind::NationalPhone), 1);
    assert_eq!(count(&people, Kind::Plain), 9);
    assert_eq!(people.expected_created().0 + people.expected_created().1, 5);
}

#[test]
fn what_the_first_run_makes_can_be_counted_by_hand() {
    let left = json!({});
    let right = json!({});
    let one = |number: u32, kind: Kind, lefts: usize, rights: usize| Person {
        number,
        kind,
        left: vec![left.clone(); lefts],
        right: vec![right.clone(); rights],
    };
    let people = vec![
        one(1, Kind::Plain, 1, 1),
        one(2, Kind::Plain, 1, 0),
        one(3, Kind::Plain, 0, 1),
        one(4, Kind::NoEmail, 1, 0),
        one(5, Kind::NoEmail, 0, 1),
        one(6, Kind::SharesAddress, 2, 0),
        one(7, Kind::SharesAddress, 0, 2),
        one(8, Kind::TwoCandidates, 1, 2),
        one(9, Kind::Refused, 1, 0),
        one(10, Kind::Cut, 1, 0),
        one(11, Kind::OptedOut, 1, 1),
        one(12, Kind::NationalPhone, 1, 0),
        one(13, Kind::NonLatin, 0, 1),
        one(14, Kind::NoLastName, 1, 0),
    ];
    // Left: 3, 7 and 13. Right: 2, 6, 10, 12 and 14.
    assert_eq!(People { people, seed: 0 }.expected_created(), (3, 5));
}

#[test]
fn a_simple_sync_makes_as_many_records_as_are_expected() {
    let mut town = Town::untouched(300, 9);
    let before = (town.kommo.len(), town.zoho.len());
    town.make_the_same();
    let made = (town.kommo.len() - before.0, town.zoho.len() - before.1);
    let (left, right) = town.people.expected_created();
    assert_eq!((made.0 as u64, made.1 as u64), (left, right));
}

#[test]
fn both_apps_take_everybody_in() {
    let town = Town::untouched(300, 2);
    let all = &town.people.people;
    assert_eq!(town.kommo.len(), all.iter().map(|person| person.left.len()).sum::<usize>());
    assert_eq!(town.zoho.len(), all.iter().map(|person| person.right.len()).sum::<usize>());
    assert!(town.moved.left_ids.values().flatten().all(|id| *id != 0));
    let users = |emails: Vec<&String>| emails.into_iter().cloned().collect::<BTreeSet<_>>();
    let demo = ["ana@demo.example", "ben@demo.example", "eva@demo.example"];
    for known in
        [town.moved.left_users.values().collect(), town.moved.right_users.values().collect()]
    {
        assert!(users(known).iter().eq(demo), "the owners are matched by these");
    }
}

#[test]
fn people_do_not_move_in_in_the_order_of_their_numbers() {
    let moved = Town::untouched(100, 2).moved;
    let ids: Vec<u64> = moved.left_ids.values().flatten().copied().collect();
    assert!(!ids.is_sorted());
    for of_one in moved.left_ids.values() {
        assert!(of_one.is_sorted(), "the oldest of one person is the first");
    }
}

#[test]
fn an_address_belongs_to_one_person() {
    let mut seen = BTreeSet::new();
    for person in people(1_000, 4).people {
        let addresses = person.left.iter().map(left_address);
        let own: BTreeSet<String> =
            addresses.chain(person.right.iter().map(right_address)).collect();
        assert_eq!(own.len(), 1, "{person:#?}");
        let address = address(&person);
        if person.kind == Kind::NoEmail {
            assert_eq!(address, "");
        } else {
            let (name, host) = address.split_once('@').unwrap();
            assert!(name.ends_with(&format!(".{}", person.number)), "{address}");
            assert!(name.is_ascii() && host.ends_with(".example"), "{address}");
            assert!(seen.insert(address));
        }
    }
}

#[test]
fn who_is_on_both_sides_differs_in_one_to_four_fields() {
    let town = Town::untouched(500, 8);
    for person in town.people.people.iter().filter(|person| person.kind == Kind::Plain) {
        if !is_on_both_sides(person) {
            continue;
        }
        let address = address(person);
        let contact = town.kommo.iter().find(|contact| left_address(contact) == address).unwrap();
        let record = town.zoho.iter().find(|record| right_address(record) == address).unwrap();
        let (left, right) = (town.read_left(contact), town.read_right(record));
        let keys: BTreeSet<_> = left.texts.keys().chain(right.texts.keys()).collect();
        let texts = keys.into_iter().filter(|key| left.texts.get(*key) != right.texts.get(*key));
        let differing = texts.count() + usize::from(left.tags != right.tags);
        assert!((1..=4).contains(&differing), "{differing}: {person:#?}");
        assert_eq!(left.is_opted_out, right.is_opted_out);
    }
}

#[test]
fn the_right_app_holds_only_what_it_takes() {
    for person in people(1_000, 12).people {
        for record in &person.right {
            assert!(!record["Last_Name"].as_str().unwrap().is_empty());
            for key in ["Phone", "Mobile"] {
                let phone = record[key].as_str().unwrap_or_default();
                assert!(phone.len() <= 30, "{phone}");
                let is_dialled = |sign: char| sign.is_ascii_digit() || "+()-. ".contains(sign);
                assert!(phone.chars().all(is_dialled), "{phone}");
            }
            assert!(record["Title"].as_str().unwrap_or_default().chars().count() <= 100);
        }
    }
}

#[test]
fn names_in_other_scripts_are_of_five_kinds_in_each_hundred() {
    let people = people(100, 14).people;
    let foreign = people.iter().filter(|person| person.kind == Kind::NonLatin);
    let names: BTreeSet<String> = foreign
        .map(|person| match person.left.first() {
            Some(contact) => contact["first_name"].to_string(),
            None => person.right[0]["First_Name"].to_string(),
        })
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn each_kind_is_what_it_is_called() {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    for person in people(1_000, 13).people {
        let (left, right) = (person.left.as_slice(), person.right.as_slice());
        let is_special = match person.kind {
            Kind::Plain => left.len() < 2 && right.len() < 2,
            Kind::NoEmail => left.len() + right.len() == 1 && address(&person).is_empty(),
            Kind::SharesAddress => matches!((left.len(), right.len()), (2, 0) | (0, 2)),
            Kind::TwoCandidates => matches!((left.len(), right.len()), (2, 1) | (1, 2)),
            Kind::Refused => {
                let words =
                    json!([{ "value": "call after six, ext. twenty-two", "enum_code": "WORK" }]);
                let phones = &left[0]["custom_fields_values"][0]["values"];
                right.is_empty() && phones[0] == words[0]
            }
            Kind::Cut => {
                let fields = left[0]["custom_fields_values"].as_array().unwrap();
                let title = fields.iter().find(|field| field["field_code"] == "POSITION").unwrap();
                right.is_empty() && text(&title["values"][0]["value"]).chars().count() == 140
            }
            Kind::OptedOut => {
                let is_left = left[0].to_string().contains("Email opt-out");
                is_left != right[0]["Email_Opt_Out"].as_bool().unwrap()
            }
            Kind::NationalPhone => {
                let is_left = left[0].to_string().contains("\"0151 ");
                match right.first() {
                    None => is_left,
                    Some(record) => is_left != text(&record["Mobile"]).starts_with("0151 "),
                }
            }
            Kind::NonLatin => {
                let name = left.first().map(|contact| text(&contact["last_name"]));
                let name = name.unwrap_or_else(|| text(&right[0]["Last_Name"]));
                !name.chars().any(|letter| letter.is_ascii_alphabetic())
            }
            Kind::NoLastName => {
                right.is_empty()
                    && left[0].get("last_name").is_none()
                    && !text(&left[0]["first_name"]).is_empty()
            }
        };
        assert!(is_special, "{person:#?}");
    }
}
