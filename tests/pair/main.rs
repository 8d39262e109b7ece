//! Kommo and Zoho CRM kept the same: the whole house below the API, against both emulators, judged from
//! their raw state.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod calls;
#[path = "../support/crowd.rs"]
mod crowd;
mod day;
mod house;
mod meddler;

use concord::planner::OpKind;
use concord::record::Side;
use house::House;
use serde_json::{Value as Json, json};

#[tokio::test]
async fn two_crms_become_the_same() {
    for seed in 1..=3 {
        let house = House::new(300, seed).await;
        let first = house.run().await;

        let differences = house.differences();
        assert!(differences.is_empty(), "seed {seed}: {differences:#?}");
        let created = |side: Side| first.writes.of(side).get(&OpKind::Create).copied().unwrap_or(0);
        assert_eq!((created(Side::Left), created(Side::Right)), house.people.expected_created());
        house.forget_requests();
        house.run().await;
        assert_eq!(house.write_requests(), Vec::<String>::new(), "a second run writes nothing");
    }
}

fn phone(number: &str, label: &str) -> Json {
    json!({"value": number, "enum_code": label})
}

fn phones(numbers: &[Json]) -> Json {
    json!({"custom_fields_values": [{"field_code": "PHONE", "values": numbers}]})
}

#[tokio::test]
async fn a_number_that_a_person_adds_just_before_our_write_is_kept_on_both_sides() {
    let house = House::new(5, 1).await;
    let email = "ana.meddled@example.com";
    let work = phone("+49301234567", "WORK");
    let mut ana = phones(std::slice::from_ref(&work));
    ana["first_name"] = json!("Ana");
    ana["last_name"] = json!("Meddled");
    ana["custom_fields_values"]
        .as_array_mut()
        .unwrap()
        .push(json!({"field_code": "EMAIL", "values": [{"value": email, "enum_code": "WORK"}]}));
    let left = house.kommo.person_adds(ana);
    assert_ne!(left, 0);
    house.run().await;
    let on_the_right = || {
        let all = house.zoho.contacts();
        all.into_iter().find(|contact| contact["Email"] == json!(email)).unwrap()
    };
    let right = on_the_right()["id"].as_str().unwrap().to_owned();
    assert!(house.zoho.person_edits(&right, json!({"Mobile": "+491701234567"})));

    house.forget_requests();
    let kommo = house.kommo.clone();
    let other = phone("+49897654321", "OTHER");
    house.meddler.before_the_next_write(move || {
        assert!(kommo.person_edits(left, phones(&[work, other])));
    });
    house.run().await;
    assert_eq!(house.write_requests(), Vec::<String>::new(), "it is not as it was planned upon");
    house.forget_requests();
    house.run().await;
    let path = format!("/api/v4/contacts/{left}");
    let looks = house.kommo.requests().into_iter().filter(|r| r.path == path).count();
    assert!(looks >= 2, "looked at before it is planned, and before it is written: {looks}");

    let contacts = house.kommo.contacts();
    let contact = contacts.iter().find(|contact| contact["id"] == json!(left)).unwrap();
    let held = contact["custom_fields_values"].to_string();
    for number in ["+49301234567", "+491701234567", "+49897654321"] {
        assert!(held.contains(number), "{number} is lost: {held}");
    }
    let record = on_the_right();
    assert_eq!(record["Phone"], json!("+49301234567"));
    assert_eq!(record["Mobile"], json!("+491701234567"));
    assert_eq!(record["Other_Phone"], json!("+49897654321"));
}
