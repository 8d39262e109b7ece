//! A side of contacts and leads: one person is one person, whatever they are there, and stays so when a
//! lead is converted.

use std::time::Duration;

use concord::connectors::memory::Faults;
use concord::planner::{Condition, Filter, Limit, LinkState, MatchKey, Outcome, Rule, Skip, Test};
use concord::record::{RemoteId, Side, Value};
use concord::store::Trigger;

use crate::house::{House, fields, text, vendor};

pub const ANA: &str = "ana@x.es";

/// Ana is on the left and a lead on the right, and both are linked.
pub async fn with_ana_as_a_lead() -> (House, RemoteId) {
    let house = House::with_leads(|_| {}).await;
    house.make(Side::Left, ANA, &[("city", "Vigo")]);
    let lead = house.leads.create(fields(ANA, &[]));
    house.run().await.unwrap();
    assert_eq!(of_lead(&house, &lead, "city"), text("Vigo"));
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("leads/{lead}"))]);
    (house, lead)
}

pub async fn ends(house: &House) -> Vec<(String, String)> {
    house.links().await.into_iter().map(|(names, _)| (names.left, names.right)).collect()
}

pub fn of_lead(house: &House, id: &RemoteId, field: &str) -> Value {
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
async fn who_was_merged_waits_for_nothing() {
    let house = House::with_leads_on(Side::Left, |_| {}).await;
    let lead = house.leads.create(fields(ANA, &[]));
    let eva = house.make(Side::Left, "eva@x.es", &[]);
    house.run().await.unwrap();
    house.leads.edit(&lead, [("city".into(), text("Vigo"))].into());
    house.run_losing_writes_to(Side::Right).await;
    assert_eq!(house.pending().await.len(), 1);
    house.leads.convert_into(&lead, &house.vendors.left, &eva);
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.pending().await, []);
}

/// A lead of Ana has become something that is not kept the same.
async fn with_ana_gone_elsewhere() -> (House, RemoteId) {
    let (house, lead) = with_ana_as_a_lead().await;
    house.run().await.unwrap();
    let deals = vendor("deals", 0, &house.clock);
    house.leads.convert(&lead, &deals).unwrap();
    (house, lead)
}

#[tokio::test]
async fn a_notification_is_enough_to_find_who_took_the_place_of_a_lead() {
    let (house, lead) = with_ana_gone_elsewhere().await;
    let contact = house.make(Side::Right, ANA, &[]);
    house.hint_lead(&lead).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Vigo"));
}

#[tokio::test]
async fn who_has_no_successor_is_looked_for_once() {
    let (house, lead) = with_ana_gone_elsewhere().await;
    house.hint_lead(&lead).await;
    house.run_because(Trigger::Webhook).await.unwrap();
    // Whoever reads everything now is refused.
    let is_busy = Faults { rate_limited: 1000, ..Faults::default() };
    house.vendors.right.order_faults(1, is_busy);
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    house.hint(Side::Left, &house.id(Side::Left, ANA)).await;
    house.run_because(Trigger::Webhook).await.unwrap();
}

#[tokio::test]
async fn who_turns_up_later_takes_the_place_of_a_lead() {
    let (house, _) = with_ana_gone_elsewhere().await;
    house.run().await.unwrap();
    let contact = house.make(Side::Right, ANA, &[]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
    assert_eq!(house.get(Side::Right, ANA, "city"), text("Vigo"));
    assert_eq!(house.pending().await, []);
}

#[tokio::test]
async fn one_takes_the_place_of_one() {
    let house = House::with_leads(|settings| settings.match_keys.push(MatchKey::Phone)).await;
    let number = ("phone", "+34600123456");
    for email in [ANA, "eva@x.es"] {
        house.make(Side::Left, email, &[number]);
        house.run().await.unwrap();
    }
    house.leads.create(fields("", &[number]));
    house.run().await.unwrap();
    house.remove(Side::Right, ANA);
    house.remove(Side::Right, "eva@x.es");
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    let states: Vec<LinkState> = house.links().await.iter().map(|(_, link)| link.state).collect();
    assert!(!states.contains(&LinkState::Merged), "{states:?}");
    let told = Value::List(vec![text("Deleted in Right")]);
    let is_told = |email: &&str| house.get(Side::Left, email, "tags") == told;
    assert_eq!([ANA, "eva@x.es"].iter().filter(|email| is_told(email)).count(), 1);
}

#[tokio::test]
async fn who_takes_the_place_of_somebody_does_so_though_the_brake_holds_what_is_new_of_them() {
    let (house, lead) = with_ana_as_a_lead().await;
    house.leads.remove(&lead);
    house.run().await.unwrap();
    let none = Limit { floor: 0, percent: 0, ceiling: None };
    house.configure(|settings| settings.brake.one_field = none).await;
    house.run().await.unwrap();
    let contact = house.make(Side::Right, ANA, &[("city", "Noia")]);
    house.run().await.unwrap();
    assert_eq!(ends(&house).await, [("contacts/000001".into(), format!("contacts/{contact}"))]);
}
