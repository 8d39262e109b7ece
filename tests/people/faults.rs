//! What the checker finds where two apps should be the same and are not.

use concord::lab::check::{Difference, Problem};
use concord::lab::people::Kind;
use serde_json::{Value as Json, json};

use crate::town::{Town, address, assert_found, is_on_both_sides, left_address, values};

const COUNT: u32 = 300;
const SEED: u64 = 21;

#[test]
fn the_start_is_full_of_differences() {
    let town = Town::untouched(COUNT, SEED);
    let found = town.differences();
    let (left, right) = town.people.expected_created();
    let count = |problem: Problem| {
        u64::try_from(found.iter().filter(|one| one.problem == problem).count()).unwrap()
    };
    assert_eq!((count(Problem::MissingLeft), count(Problem::MissingRight)), (left, right));
    assert!(count(Problem::Differs) > 50);
    assert_eq!(count(Problem::NotOptedOut), 15);
    assert_eq!(count(Problem::Twice), 0);
}

#[test]
fn two_apps_that_are_the_same_have_no_differences() {
    for (count, seed) in [(100, 1), (300, 2), (1_000, 3), (10, 4), (0, 5)] {
        assert_eq!(Town::perfect(count, seed).differences(), [], "{count} of seed {seed}");
    }
}

/// What is found after somebody's record in the right app was spoiled.
#[track_caller]
fn spoil_right(field: &str, spoil: impl Fn(&mut Json)) -> Difference {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    spoil(town.right(&anna));
    let difference = assert_found(&town, &anna, field, Problem::Differs);
    assert_ne!(difference.left, difference.right);
    difference
}

/// What is found after somebody's record in the left app was spoiled.
#[track_caller]
fn spoil_left(field: &str, spoil: impl Fn(&mut Json, &Town)) -> Difference {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    let mut contact = town.left(&anna).clone();
    spoil(&mut contact, &town);
    *town.left(&anna) = contact;
    let difference = assert_found(&town, &anna, field, Problem::Differs);
    assert_ne!(difference.left, difference.right);
    difference
}

#[test]
fn another_first_name_is_found() {
    let found = spoil_right("first_name", |record| record["First_Name"] = json!("Nobody"));
    assert_eq!(found.right, "Nobody");
    spoil_left("first_name", |contact, _| contact["first_name"] = json!("nobody"));
}

#[test]
fn another_last_name_is_found() {
    spoil_right("last_name", |record| record["Last_Name"] = json!("Nobody"));
    spoil_left("last_name", |contact, _| contact["last_name"] = json!(""));
}

#[test]
fn another_address_is_found_as_a_difference_of_one_person() {
    let found = spoil_right("email", |record| record["Email"] = json!("nobody@x.example"));
    assert_eq!(found.right, "nobody@x.example");
    spoil_left("email", |contact, _| {
        values(contact, "field_code", &json!("EMAIL"))[0]["value"] = json!("nobody@x.example");
    });
}

#[test]
fn another_phone_number_is_found() {
    spoil_right("phone", |record| record["Phone"] = json!("+49 30 999"));
    spoil_right("mobile", |record| record["Mobile"] = json!("+49 151 999"));
    for (label, field) in [("WORK", "phone"), ("MOB", "mobile")] {
        spoil_left(field, |contact, _| {
            let phones = values(contact, "field_code", &json!("PHONE"));
            phones.retain(|phone| phone["enum_code"] != label);
            phones.push(json!({ "value": "+49 999", "enum_code": label }));
        });
    }
}

#[test]
fn another_title_is_found() {
    spoil_right("title", |record| record["Title"] = json!("Nobody"));
    spoil_left("title", |contact, _| {
        *values(contact, "field_code", &json!("POSITION")) = vec![json!({ "value": "Nobody" })];
    });
}

#[test]
fn another_city_is_found() {
    spoil_right("city", |record| record["Mailing_City"] = json!("Nowhere"));
    spoil_left("city", |contact, town| {
        let id = json!(town.moved.city_field);
        *values(contact, "field_id", &id) = vec![json!({ "value": "Nowhere" })];
    });
}

#[test]
fn another_birthday_is_found() {
    spoil_right("birthday", |record| record["Date_of_Birth"] = json!("1901-02-03"));
    let found = spoil_left("birthday", |contact, town| {
        let id = json!(town.moved.birthday_field);
        *values(contact, "field_id", &id) = vec![json!({ "value": 86_400 - 7_200 })];
    });
    assert_eq!(found.left, "1970-01-02");
}

#[test]
fn one_tag_more_is_found() {
    spoil_right("tags", |record| {
        record["Tag"].as_array_mut().unwrap().push(json!({ "name": "ghost" }));
    });
    spoil_left("tags", |contact, _| {
        contact["_embedded"]["tags"].as_array_mut().unwrap().push(json!({ "name": "ghost" }));
    });
}

#[test]
fn another_owner_is_found() {
    spoil_right("owner", |record| {
        record["Owner"] = json!({ "id": "5725767000000411001", "email": "eva@example.com" });
    });
    spoil_left("owner", |contact, _| contact["responsible_user_id"] = json!(7));
}

#[test]
fn an_opt_out_on_one_side_only_is_found() {
    spoil_right("email_opt_out", |record| record["Email_Opt_Out"] = json!(true));
    spoil_left("email_opt_out", |contact, town| {
        let id = json!(town.moved.opt_out_field);
        *values(contact, "field_id", &id) = vec![json!({ "value": true })];
    });
}

#[test]
fn an_opt_out_that_was_loosened_on_either_side_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let eva = address(&town.find(Kind::OptedOut, |_| true));
    town.right(&eva)["Email_Opt_Out"] = json!(false);
    assert_found(&town, &eva, "email_opt_out", Problem::NotOptedOut);

    let mut town = Town::perfect(COUNT, SEED);
    let id = json!(town.moved.opt_out_field);
    values(town.left(&eva), "field_id", &id).clear();
    assert_found(&town, &eva, "email_opt_out", Problem::NotOptedOut);
}

#[test]
fn an_opt_out_that_was_loosened_on_both_sides_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let eva = address(&town.find(Kind::OptedOut, |_| true));
    let id = json!(town.moved.opt_out_field);
    values(town.left(&eva), "field_id", &id).clear();
    town.right(&eva)["Email_Opt_Out"] = json!(false);
    let found = assert_found(&town, &eva, "email_opt_out", Problem::NotOptedOut);
    assert_eq!((found.left.as_str(), found.right.as_str()), ("false", "false"));
}

#[test]
fn a_record_that_is_gone_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    town.remove_right(&anna);
    let found = assert_found(&town, &anna, "record", Problem::MissingRight);
    assert_ne!(found.left, "", "the one that is left is named");

    let mut town = Town::perfect(COUNT, SEED);
    town.remove_left(&anna);
    assert_found(&town, &anna, "record", Problem::MissingLeft);
    town.remove_right(&anna);
    assert_found(&town, &anna, "record", Problem::MissingLeft);
    assert_found(&town, &anna, "record", Problem::MissingRight);
}

#[test]
fn a_record_that_was_made_twice_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    let again = town.right(&anna).clone();
    town.add_right(again);
    let found = assert_found(&town, &anna, "record", Problem::Twice);
    assert_eq!(found.right.split(", ").count(), 2);

    let mut town = Town::perfect(COUNT, SEED);
    let again = town.left(&anna).clone();
    town.add_left(again);
    assert_found(&town, &anna, "record", Problem::Twice);
}

#[test]
fn a_tag_that_was_dropped_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let has_tag = |tags: &Json| tags.as_array().is_some_and(|tags| !tags.is_empty());
    let anna = town.find(Kind::Plain, |person| {
        is_on_both_sides(person) && has_tag(&person.left[0]["_embedded"]["tags"])
    });
    let lost = anna.left[0]["_embedded"]["tags"][0]["name"].as_str().unwrap().to_owned();
    let anna = address(&anna);
    let drop_from =
        |tags: &mut Json| tags.as_array_mut().unwrap().retain(|tag| tag["name"] != lost.as_str());
    drop_from(&mut town.right(&anna)["Tag"]);
    let found = assert_found(&town, &anna, "tags", Problem::Lost);
    assert_eq!((found.left.as_str(), found.right.as_str()), ("", lost.as_str()));

    drop_from(&mut town.left(&anna)["_embedded"]["tags"]);
    let found = assert_found(&town, &anna, "tags", Problem::Lost);
    assert_eq!(found.left, lost, "though both agree");
}

/// Whoever has a value with this label in the left app, which the right app has no room for.
fn with_extra(town: &Town, label: &str) -> String {
    let label = format!("\"enum_code\":\"{label}\"");
    address(&town.find(Kind::Plain, |person| {
        person.left.first().is_some_and(|contact| contact.to_string().contains(&label))
    }))
}

#[test]
fn a_second_phone_that_was_dropped_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = with_extra(&town, "OTHER");
    values(town.left(&anna), "field_code", &json!("PHONE"))
        .retain(|phone| phone["enum_code"] != "OTHER");
    let found = assert_found(&town, &anna, "phones", Problem::Lost);
    assert!(found.left.starts_with('+'));
}

#[test]
fn a_private_address_that_was_dropped_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = with_extra(&town, "PRIV");
    values(town.left(&anna), "field_code", &json!("EMAIL")).truncate(1);
    let found = assert_found(&town, &anna, "emails", Problem::Lost);
    assert!(found.left.starts_with("home."));
}

#[test]
fn a_newcomer_who_is_in_one_app_only_is_found() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    let mut contact = town.left(&anna).clone();
    values(&mut contact, "field_code", &json!("EMAIL"))[0]["value"] = json!("new@x.example");
    town.add_left(contact);
    assert_found(&town, "new@x.example", "record", Problem::MissingRight);
    town.make_the_same();
    assert_eq!(town.differences(), []);
    assert!(town.kommo.iter().any(|contact| left_address(contact) == "new@x.example"));
}

#[test]
fn differences_are_told_in_small_letters() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    town.remove_right(&anna);
    let found = serde_json::to_value(town.differences()).unwrap();
    assert_eq!(found[0]["problem"], "missing_right");
    assert_eq!(found[0]["person"], anna.as_str());
    assert_eq!(found[0]["field"], "record");
}
