//! A side of contacts and leads: one person is one person, whatever they are there, and stays so when a
//! lead is converted.

use std::time::Duration;

use concord::planner::{Condition, Filter, Limit, LinkState, OpKind, Outcome, Rule, Skip, Test};
use concord::record::{RemoteId, Side, Value};
use concord::store::Trigger;

use crate::house::{House, fields, text};

const ANA: &str = "ana@x.es";

/// Ana is on the left and a lead on the right, and both are linked.
async fn with_ana_as_a_lead() -> (House, RemoteId) {
    let house = House::with_leads(|_| {}).await;
    house.make(Side::Left, ANA, &[("city", "Vigo")]);
    let lead = house.leads.create(fields(ANA, &[]));
    house.run().await.unwrap();
    assert_eq!(of_lead(&house, &lead, "city"), text("Vigo"));
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("leads/{lead}"))]);
    (house, lead)
}

async fn ends(house: &House) -> Vec<(String, String)> {
    house.links().await.into_iter().map(|(names, _)| (names.left, names.right)).collect()
}

fn of_lead(house: &House, id: &RemoteId, field: &str) -> Value {
    let record = house.leads.records().into_iter().find(|record| record.id == *id).unwrap();
    record.fields[&field.into()].clone()
}

#[tokio::test]
async fn who_is_converted_stays_linked_as_what_they_became() {
    let (house, lead) = with_ana_as_a_lead().await;
    let contact = house.leads.convert(&lead, &house.vendors.right).unwrap();
    let report = house.run().await.unwrap().report;
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.standing_of_lead(&lead).await, Some(Outcome::Skipped(Skip::Left)));
    assert_eq!(report.total_writes(), 0, "nothing is different of her");
    assert_eq!(house.links().await[0].1.aliases.right[0].id, lead);

    house.edit(Side::Left, ANA, "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Lugo"));
    house.edit(Side::Right, ANA, "city", text("Noia"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Left, ANA, "city"), text("Noia"));
    assert_eq!((house.emails(Side::Left).len(), house.emails(Side::Right).len()), (1, 1));
    assert!(house.get(Side::Left, ANA, "tags").is_empty(), "nobody was removed");
}

#[tokio::test]
async fn a_notification_is_enough_to_follow_who_is_converted() {
    let (house, lead) = with_ana_as_a_lead().await;
    house.run().await.unwrap();
    let contact = house.leads.convert(&lead, &house.vendors.right).unwrap();
    house.edit(Side::Right, ANA, "city", text("Lugo"));
    house.hint_lead(&lead).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(
        house.get(Side::Left, ANA, "city"),
        text("Lugo"),
        "an edit, though left is preferred"
    );
}

#[tokio::test]
async fn what_is_lost_in_a_conversion_is_not_taken_for_emptied() {
    let (house, lead) = with_ana_as_a_lead().await;
    house.leads.edit(&lead, [("tags".into(), Value::List(vec![text("vip")]))].into());
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Left, ANA, "tags"), Value::List(vec![text("vip")]));
    house.leads.convert(&lead, &house.vendors.right).unwrap();
    for field in ["city", "tags"] {
        house.edit(Side::Right, ANA, field, Value::Cleared);
    }
    house.run().await.unwrap();
    for side in Side::BOTH {
        assert_eq!(house.get(side, ANA, "city"), text("Vigo"));
        assert_eq!(house.get(side, ANA, "tags"), Value::List(vec![text("vip")]));
    }
}

#[tokio::test]
async fn what_was_changed_on_the_other_side_meanwhile_is_carried_to_what_they_became() {
    let (house, lead) = with_ana_as_a_lead().await;
    house.leads.convert(&lead, &house.vendors.right).unwrap();
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Lugo"));
}

#[tokio::test]
async fn who_is_converted_to_somebody_else_who_is_linked_is_merged_with_them() {
    let (house, lead) = with_ana_as_a_lead().await;
    house.make(Side::Left, "eva@x.es", &[("city", "Noia")]);
    house.run().await.unwrap();
    let eva = house.id(Side::Right, "eva@x.es");
    house.leads.convert_into(&lead, &house.vendors.right, &eva);
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    let report = house.run().await.unwrap().report;
    assert_eq!(report.total_writes(), 0);
    let states: Vec<LinkState> = house.links().await.iter().map(|(_, link)| link.state).collect();
    assert_eq!(states, [LinkState::Merged, LinkState::Active]);
    assert_eq!(house.emails(Side::Right), ["eva@x.es"], "she is not made anew");
    house.edit(Side::Left, "eva@x.es", "city", text("Vigo"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "eva@x.es", "city"), text("Vigo"));
}

/// Ana is a lead that is linked, and a contact that is not, of another city.
async fn with_ana_as_both() -> (House, RemoteId, RemoteId) {
    let (house, lead) = with_ana_as_a_lead().await;
    let contact = house.make(Side::Right, ANA, &[("city", "Noia")]);
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Noia"), "the lead is the one");
    (house, lead, contact)
}

#[tokio::test]
async fn what_a_contact_held_before_a_lead_became_it_is_no_edit() {
    let (house, lead, contact) = with_ana_as_both().await;
    house.leads.convert_into(&lead, &house.vendors.right, &contact);
    house.run().await.unwrap();
    for side in Side::BOTH {
        assert_eq!(house.get(side, ANA, "city"), text("Vigo"), "left is preferred");
    }
}

#[tokio::test]
async fn a_run_that_ends_early_leaves_nobody_unplanned_whom_it_has_followed() {
    let (house, lead, contact) = with_ana_as_both().await;
    house.leads.convert_into(&lead, &house.vendors.right, &contact);
    house.run_refused_by(Side::Right).await;
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Noia"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Vigo"));
    assert_eq!(house.pending().await, []);
}

#[tokio::test]
async fn who_became_somebody_who_is_gone_is_gone() {
    let (house, lead) = with_ana_as_a_lead().await;
    let contact = house.leads.convert(&lead, &house.vendors.right).unwrap();
    house.vendors.right.remove(&contact);
    house.run().await.unwrap();
    let told = Value::List(vec![text("Deleted in Right")]);
    assert_eq!(house.get(Side::Left, ANA, "tags"), told);
    house.run().await.unwrap();
    assert_eq!(house.run().await.unwrap().report.total_writes(), 0);
}

#[tokio::test]
async fn of_a_contact_and_a_lead_of_one_person_the_contact_is_kept_the_same() {
    let house = House::with_leads(|_| {}).await;
    house.make(Side::Left, ANA, &[("city", "Vigo")]);
    let lead = house.leads.create(fields(ANA, &[("city", "Noia")]));
    let contact = house.make(Side::Right, ANA, &[]);
    house.run().await.unwrap();
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Vigo"));
    assert_eq!(of_lead(&house, &lead, "city"), text("Noia"), "nothing is written to it");
    assert_eq!(house.standing_of_lead(&lead).await, Some(Outcome::Skipped(Skip::Companion)));
    house.leads.edit(&lead, [("city".into(), text("Lugo"))].into());
    assert_eq!(house.run().await.unwrap().report.total_writes(), 0, "nor read from it");
}

#[tokio::test]
async fn permission_reaches_every_record_of_a_person() {
    let house = House::with_leads(|_| {}).await;
    house.make(Side::Left, ANA, &[]);
    house.make(Side::Left, "eva@x.es", &[]);
    let of_ana = house.leads.create(fields(ANA, &[]));
    let of_eva = house.leads.create(fields("eva@x.es", &[]));
    house.make(Side::Right, ANA, &[]);
    house.make(Side::Right, "eva@x.es", &[]);
    house.run().await.unwrap();

    let yes = Value::Boolean(true);
    house.edit(Side::Left, ANA, "opt_out", yes.clone());
    house.leads.edit(&of_eva, [("opt_out".into(), yes.clone())].into());
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, ANA, "opt_out"), yes);
    assert_eq!(of_lead(&house, &of_ana, "opt_out"), yes, "of her lead too");
    assert_eq!(house.get(Side::Left, "eva@x.es", "opt_out"), yes, "of her lead alone");
    assert_eq!(house.get(Side::Right, "eva@x.es", "opt_out"), yes);
    assert_eq!(house.run().await.unwrap().report.total_writes(), 0);
}

#[tokio::test]
async fn permission_reaches_who_turns_out_to_be_the_same_person() {
    // Who lives in Noia is sent nowhere.
    let house = House::with_leads(|settings| {
        let test = Test::NotEquals(text("Noia"));
        let filter = Filter::Is(Condition { field: "city".into(), test });
        settings.syncs.right.as_mut().unwrap().rules = vec![Rule { filter, object: None }];
    })
    .await;
    house.make(Side::Left, ANA, &[]);
    house.leads.create(fields("eva@x.es", &[("opt_out", "yes"), ("city", "Noia")]));
    house.make(Side::Right, ANA, &[]);
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, ANA, "opt_out"), Value::Cleared);
    house.edit(Side::Right, ANA, "email", Value::Email("eva@x.es".into()));
    for _ in 0..3 {
        house.run().await.unwrap();
    }
    let yes = Value::Boolean(true);
    assert_eq!(house.get(Side::Left, "eva@x.es", "opt_out"), yes);
    assert_eq!(house.get(Side::Right, "eva@x.es", "opt_out"), yes);
}

#[tokio::test]
async fn who_was_merged_with_somebody_takes_their_permission_along() {
    let (house, lead) = with_ana_as_a_lead().await;
    house.make(Side::Left, "eva@x.es", &[]);
    house.run().await.unwrap();
    let eva = house.id(Side::Right, "eva@x.es");
    house.leads.convert_into(&lead, &house.vendors.right, &eva);
    house.run().await.unwrap();
    house.edit(Side::Left, ANA, "opt_out", Value::Boolean(true));
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    for side in Side::BOTH {
        assert_eq!(house.get(side, "eva@x.es", "opt_out"), Value::Boolean(true));
    }
    let states: Vec<LinkState> = house.links().await.iter().map(|(_, link)| link.state).collect();
    assert_eq!(states, [LinkState::Merged, LinkState::Active]);
}

#[tokio::test]
async fn who_is_still_a_lead_is_not_gone() {
    let house = House::with_leads(|_| {}).await;
    house.make(Side::Left, ANA, &[("city", "Vigo")]);
    let lead = house.leads.create(fields(ANA, &[]));
    house.clock.advance(Duration::from_secs(60));
    let younger = house.leads.create(fields(ANA, &[]));
    house.make(Side::Right, ANA, &[]);
    house.run().await.unwrap();
    house.remove(Side::Right, ANA);
    house.run().await.unwrap();
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("leads/{lead}"))]);
    assert!(house.get(Side::Left, ANA, "tags").is_empty());
    assert_eq!(of_lead(&house, &lead, "city"), text("Vigo"));
    house.leads.remove(&younger);
    house.leads.remove(&lead);
    house.run().await.unwrap();
    let told = Value::List(vec![text("Deleted in Right")]);
    assert_eq!(house.get(Side::Left, ANA, "tags"), told, "now she is");
}

#[tokio::test]
async fn a_rule_says_of_which_object_a_partner_is_made() {
    let house = House::with_leads(|settings| {
        let is_in = |city: &str| {
            Filter::Is(Condition { field: "city".into(), test: Test::Equals(text(city)) })
        };
        settings.syncs.left.as_mut().unwrap().rules = vec![
            Rule { filter: is_in("Vigo"), object: Some("leads".into()) },
            Rule { filter: is_in("Noia"), object: None },
        ];
    })
    .await;
    house.make(Side::Left, ANA, &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Noia")]);
    house.make(Side::Left, "ida@x.es", &[("city", "Lugo")]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["eva@x.es"]);
    let leads = house.leads.records();
    assert_eq!(leads.len(), 1);
    assert_eq!(leads[0].fields[&"email".into()].text(), ANA);
    // Another rule holds for her by now: she stays what she is, and is not made twice.
    house.edit(Side::Left, ANA, "city", text("Noia"));
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["eva@x.es"]);
    assert_eq!(of_lead(&house, &leads[0].id, "city"), text("Noia"));
}

/// A house whose rules make leads of who lives in Vigo, and contacts of who lives in Lugo. Its right app
/// makes contacts of leads.
async fn with_rules() -> House {
    let house = House::with_leads(|settings| {
        settings.sides.right.converts.insert("leads".into(), "contacts".into());
        let rule = |city: &str, object: &str| {
            let test = Test::Equals(text(city));
            let filter = Filter::Is(Condition { field: "city".into(), test });
            Rule { filter, object: Some(object.into()) }
        };
        settings.syncs.left.as_mut().unwrap().rules =
            vec![rule("Vigo", "leads"), rule("Lugo", "contacts"), Rule::default()];
    })
    .await;
    house.make(Side::Left, ANA, &[("city", "Vigo")]);
    house.run().await.unwrap();
    assert_eq!(house.leads.records().len(), 1);
    house
}

#[tokio::test]
async fn who_a_rule_makes_something_else_is_converted_and_followed() {
    let house = with_rules().await;
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    let report = house.run().await.unwrap().report;
    assert_eq!(report.writes.right[&OpKind::Convert], 1);
    assert!(house.leads.records().is_empty());
    house.run().await.unwrap();
    let contact = house.id(Side::Right, ANA);
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Lugo"), "what was changed with it too");
    // There is no way back: she stays what she is.
    house.edit(Side::Left, ANA, "city", text("Vigo"));
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), [ANA]);
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Vigo"));
    assert_eq!(house.issues().await, []);
}

#[tokio::test]
async fn a_conversion_without_an_answer_is_looked_up() {
    for is_lost in [false, true] {
        let house = with_rules().await;
        house.edit(Side::Left, ANA, "city", text("Lugo"));
        if is_lost {
            house.run_losing_writes_to(Side::Right).await;
            assert_eq!(house.leads.records().len(), 1);
        } else {
            house.run_losing_answers_of(Side::Right).await;
        }
        for _ in 0..3 {
            house.run().await.unwrap();
        }
        let contact = house.id(Side::Right, ANA);
        assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
        assert_eq!(house.get(Side::Right, ANA, "city"), text("Lugo"));
        assert_eq!(house.emails(Side::Right), [ANA], "once, however often it was sent");
    }
}

#[tokio::test]
async fn who_is_a_contact_already_is_what_a_lead_becomes() {
    let house = with_rules().await;
    let contact = house.make(Side::Right, ANA, &[("phone", "600123456")]);
    house.run().await.unwrap();
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.emails(Side::Right), [ANA], "nobody is made beside her");
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Lugo"));
    assert!(!house.get(Side::Left, ANA, "phone").is_empty(), "what only the contact had");
}

#[tokio::test]
async fn who_could_become_several_becomes_none_until_that_is_clear() {
    let house = with_rules().await;
    let one = house.make(Side::Right, ANA, &[]);
    house.make(Side::Right, ANA, &[]);
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.leads.records().len(), 1);
    assert_eq!(
        house.leads.records()[0].fields[&"city".into()],
        text("Lugo"),
        "all else is carried"
    );
    let told = ("CONVERSION_HELD_BACK".to_owned(), Some(Side::Right), true);
    assert!(house.issues().await.contains(&told), "{:?}", house.issues().await);
    house.vendors.right.remove(&one);
    house.edit(Side::Left, ANA, "phone", Value::Phone("600123456".into()));
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert!(house.leads.records().is_empty());
    assert!(!house.issues().await.contains(&told));
}

#[tokio::test]
async fn the_brake_holds_many_conversions() {
    let house = with_rules().await;
    house
        .configure(|settings| {
            settings.brake.creates = Limit { floor: 0, percent: 0, ceiling: None };
        })
        .await;
    house.run().await.unwrap();
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    house.run().await.unwrap();
    assert_eq!(house.leads.records().len(), 1, "she was made a lead today");
    let held = ("BRAKE_CREATES".to_owned(), Some(Side::Right), false);
    assert!(house.issues().await.contains(&held), "{:?}", house.issues().await);
}
