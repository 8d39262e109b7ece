//! What the checker demands of the special people.

use concord::lab::check::Problem;
use concord::lab::people::Kind;
use serde_json::{Value as Json, json};

use crate::town::{Town, address, assert_found, values};

const COUNT: u32 = 300;
const SEED: u64 = 34;

fn title_of(contact: &mut Json) -> &mut Json {
    &mut values(contact, "field_code", &json!("POSITION"))[0]["value"]
}

/// Somebody without an address, by id: the index in the left app, and what a report calls them.
fn nameless(town: &Town) -> (usize, String) {
    let person = town.find(Kind::NoEmail, |person| !person.left.is_empty());
    let id = town.moved.left_ids[&person.number][0];
    let at = town.kommo.iter().position(|contact| contact["id"] == id).unwrap();
    (at, format!("kommo {id}"))
}

#[test]
fn somebody_without_an_address_must_not_change() {
    let mut town = Town::perfect(COUNT, SEED);
    let (at, name) = nameless(&town);
    let before = town.kommo[at]["first_name"].clone();
    town.kommo[at]["first_name"] = json!("Nobody");
    let found = assert_found(&town, &name, "first_name", Problem::Lost);
    assert_eq!(json!(found.left), before);
    town.kommo.remove(at);
    assert_found(&town, &name, "record", Problem::MissingLeft);
}

#[test]
fn somebody_without_an_address_must_not_come_to_the_other_side() {
    let mut town = Town::perfect(COUNT, SEED);
    let (at, name) = nameless(&town);
    let flat = town.read_left(&town.kommo[at]);
    let owner = town.moved.right_users.keys().next().unwrap();
    town.add_right(json!({
        "Last_Name": flat.texts["Last_Name"],
        "Phone": flat.texts["Phone"],
        "Owner": { "id": owner },
    }));
    let found = assert_found(&town, &name, "record", Problem::Twice);
    assert_ne!(found.right, "");
}

#[test]
fn of_those_who_share_an_address_exactly_one_comes_to_the_other_side() {
    let town = Town::perfect(COUNT, SEED);
    let on_left = address(&town.find(Kind::SharesAddress, |person| !person.left.is_empty()));
    let on_right = address(&town.find(Kind::SharesAddress, |person| !person.right.is_empty()));

    let mut none = Town::perfect(COUNT, SEED);
    none.remove_right(&on_left);
    assert_found(&none, &on_left, "record", Problem::MissingRight);

    let mut none = Town::perfect(COUNT, SEED);
    none.remove_left(&on_right);
    assert_found(&none, &on_right, "record", Problem::MissingLeft);

    let mut both = Town::perfect(COUNT, SEED);
    let again = both.right(&on_left).clone();
    both.add_right(again);
    assert_found(&both, &on_left, "record", Problem::Twice);
}

#[test]
fn who_was_carried_of_those_who_share_an_address_has_all_values() {
    let mut town = Town::perfect(COUNT, SEED);
    let shared = address(&town.find(Kind::SharesAddress, |person| !person.left.is_empty()));
    town.right(&shared)["Mailing_City"] = json!("Nowhere");
    assert_found(&town, &shared, "city", Problem::Differs);
}

#[test]
fn those_who_share_an_address_are_not_merged() {
    let mut town = Town::perfect(COUNT, SEED);
    let shared = address(&town.find(Kind::SharesAddress, |person| !person.left.is_empty()));
    town.left(&shared)["first_name"] = json!("Nobody");
    assert_found(&town, &shared, "first_name", Problem::Lost);
}

#[test]
fn candidates_must_not_change() {
    let mut town = Town::perfect(COUNT, SEED);
    let ada = address(&town.find(Kind::TwoCandidates, |_| true));
    town.right(&ada)["Tag"].as_array_mut().unwrap().push(json!({ "name": "ghost" }));
    let found = town.differences();
    assert!(found.iter().all(|one| one.person == ada && one.field == "tags"), "{found:#?}");
    assert_eq!(found.len(), 1);
}

#[test]
fn candidates_must_not_become_more() {
    let mut town = Town::perfect(COUNT, SEED);
    let ada = address(&town.find(Kind::TwoCandidates, |person| person.right.len() == 2));
    let again = town.left(&ada).clone();
    town.add_left(again);
    assert_found(&town, &ada, "record", Problem::Twice);
}

#[test]
fn who_is_refused_must_not_be_in_the_right_app() {
    let mut town = Town::perfect(COUNT, SEED);
    let ida = address(&town.find(Kind::Refused, |_| true));
    let owner = town.moved.right_users.keys().next().unwrap();
    town.add_right(json!({ "Last_Name": "X", "Email": ida, "Owner": { "id": owner } }));
    assert_found(&town, &ida, "record", Problem::Twice);
}

#[test]
fn who_is_refused_keeps_the_value_that_was_refused() {
    let mut town = Town::perfect(COUNT, SEED);
    let ida = address(&town.find(Kind::Refused, |_| true));
    values(town.left(&ida), "field_code", &json!("PHONE"))[0]["value"] = json!("22");
    let found = assert_found(&town, &ida, "phone", Problem::Lost);
    assert_eq!(found.left, "call after six, ext. twenty-two");
}

#[test]
fn who_is_refused_keeps_other_numbers_and_gets_no_new_ones() {
    let mut town = Town::perfect(COUNT, SEED);
    let ida = address(&town.find(Kind::Refused, |_| true));
    let more = json!({ "value": "+49 30 5", "enum_code": "HOME" });
    values(town.left(&ida), "field_code", &json!("PHONE")).push(more.clone());
    let found = assert_found(&town, &ida, "phones", Problem::Differs);
    assert_eq!(found.left, "+49 30 5");

    let mut people = town.people.clone();
    let person = people.people.iter_mut().find(|person| person.kind == Kind::Refused).unwrap();
    values(&mut person.left[0], "field_code", &json!("PHONE")).push(more);
    let mut town = Town::of(people);
    town.make_the_same();
    assert_eq!(town.differences(), []);
    values(town.left(&ida), "field_code", &json!("PHONE")).pop();
    let found = assert_found(&town, &ida, "phones", Problem::Lost);
    assert_eq!(found.left, "+49 30 5");
}

#[test]
fn a_title_that_was_cut_has_its_first_hundred_characters() {
    let mut town = Town::perfect(COUNT, SEED);
    let kim = address(&town.find(Kind::Cut, |_| true));
    let kept: String = town.right(&kim)["Title"].as_str().unwrap().chars().take(90).collect();
    town.right(&kim)["Title"] = json!(kept);
    assert_found(&town, &kim, "title", Problem::Differs);
}

#[test]
fn a_title_that_was_cut_stays_whole_where_it_came_from() {
    let mut town = Town::perfect(COUNT, SEED);
    let kim = address(&town.find(Kind::Cut, |_| true));
    let cut = town.right(&kim)["Title"].clone();
    let whole = std::mem::replace(title_of(town.left(&kim)), cut);
    let found = assert_found(&town, &kim, "title", Problem::Lost);
    assert_eq!(json!(found.left), whole);
}

#[test]
fn nobody_elses_title_may_be_cut() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    let long = "x".repeat(140);
    *values(town.left(&anna), "field_code", &json!("POSITION")) = vec![json!({ "value": long })];
    town.right(&anna)["Title"] = json!("x".repeat(100));
    assert_found(&town, &anna, "title", Problem::Differs);
}

#[test]
fn a_stand_in_for_a_last_name_stays_in_the_right_app() {
    let mut town = Town::perfect(COUNT, SEED);
    let leo = address(&town.find(Kind::NoLastName, |_| true));
    assert_eq!(town.right(&leo)["Last_Name"], "(unknown)");
    town.left(&leo)["last_name"] = json!("(unknown)");
    assert_found(&town, &leo, "last_name", Problem::Differs);
    town.left(&leo)["last_name"] = json!("");
    town.right(&leo)["Last_Name"] = json!("?");
    assert_found(&town, &leo, "last_name", Problem::Differs);
}

#[test]
fn a_stand_in_is_for_those_who_have_no_last_name() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    town.right(&anna)["Last_Name"] = json!("(unknown)");
    assert_found(&town, &anna, "last_name", Problem::Differs);
}

#[test]
fn names_in_other_scripts_are_compared_too() {
    let mut town = Town::perfect(COUNT, SEED);
    let name = address(&town.find(Kind::NonLatin, |_| true));
    town.right(&name)["Last_Name"] = json!("????");
    assert_found(&town, &name, "last_name", Problem::Differs);
}
