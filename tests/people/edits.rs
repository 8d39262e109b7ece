//! What the checker lets pass: people live on, and a value has more than one spelling.

use concord::lab::people::Kind;
use serde_json::{Value as Json, json};

use crate::town::{Town, address, is_on_both_sides, values};

const COUNT: u32 = 200;
const SEED: u64 = 55;

#[test]
fn spellings_are_no_differences() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = address(&town.find(Kind::Plain, |person| {
        let left = person.left.first().map(Json::to_string).unwrap_or_default();
        is_on_both_sides(person)
            && !left.contains("\"OTHER\"")
            && left.contains("\"tags\":[]")
            && person.right[0]["Tag"] == json!([])
    }));
    let birthday = json!(town.moved.birthday_field);
    let left = town.left(&anna);
    left["first_name"] = json!("  Jose\u{301}   Luis ");
    *values(left, "field_code", &json!("PHONE")) = vec![
        json!({ "value": "030 123-456", "enum_code": "WORK" }),
        json!({ "value": "0049 151 77", "enum_code": "MOB" }),
    ];
    *values(left, "field_id", &birthday) = vec![json!({ "value": 86_400 - 7_200 })];
    left["_embedded"]["tags"] = json!([{ "name": "VIP" }, { "name": "press" }]);
    let right = town.right(&anna);
    right["First_Name"] = json!("José Luis");
    right["Email"] = json!(anna.to_uppercase());
    right["Phone"] = json!("+49 (30) 123456");
    right["Mobile"] = json!("+4915177");
    right["Date_of_Birth"] = json!("1970-01-02");
    right["Tag"] = json!([{ "name": "press" }, { "name": "vip" }]);
    assert_eq!(town.differences(), []);
}

#[test]
fn what_people_change_later_is_judged_as_it_is() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    town.right(&anna)["Mailing_City"] = json!("Nowhere");
    assert_eq!(town.differences().len(), 1);
    let city = json!(town.moved.city_field);
    *values(town.left(&anna), "field_id", &city) = vec![json!({ "value": "Nowhere" })];
    assert_eq!(town.differences(), []);
}

#[test]
fn somebody_may_get_another_address() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    town.right(&anna)["Email"] = json!("anna@new.example");
    values(town.left(&anna), "field_code", &json!("EMAIL"))[0]["value"] = json!("anna@new.example");
    assert_eq!(town.differences(), []);
}

#[test]
fn somebody_who_was_in_one_app_may_get_another_address() {
    let mut town = Town::perfect(COUNT, SEED);
    let ben = address(&town.find(Kind::Plain, |person| person.right.is_empty()));
    town.right(&ben)["Email"] = json!("ben@new.example");
    values(town.left(&ben), "field_code", &json!("EMAIL"))[0]["value"] = json!("ben@new.example");
    assert_eq!(town.differences(), []);
}

#[test]
fn somebody_may_opt_out_later_in_both_apps() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = town.anna();
    let field = json!(town.moved.opt_out_field);
    *values(town.left(&anna), "field_id", &field) = vec![json!({ "value": true })];
    town.right(&anna)["Email_Opt_Out"] = json!(true);
    assert_eq!(town.differences(), []);
}

#[test]
fn somebody_without_a_last_name_may_get_one() {
    let mut town = Town::perfect(COUNT, SEED);
    let leo = address(&town.find(Kind::NoLastName, |_| true));
    town.left(&leo)["last_name"] = json!("Ritter");
    town.right(&leo)["Last_Name"] = json!("Ritter");
    assert_eq!(town.differences(), []);
}

#[test]
fn a_second_phone_may_have_another_label() {
    let mut town = Town::perfect(COUNT, SEED);
    let anna = address(&town.find(Kind::Plain, |person| {
        person.left.first().is_some_and(|contact| contact.to_string().contains("\"OTHER\""))
    }));
    for phone in values(town.left(&anna), "field_code", &json!("PHONE")) {
        if phone["enum_code"] == "OTHER" {
            phone["enum_code"] = json!("HOME");
        }
    }
    assert_eq!(town.differences(), []);
}
