//! Rules that make something else of a partner: a lead becomes a contact by its app's own way, and whoever
//! it is not is left alone.

use concord::connectors::memory::Faults;
use concord::planner::{
    Condition, Filter, FirstRun, Limit, LinkState, MatchKey, OpKind, Rule, Settings, Test,
};
use concord::record::{Side, Value};

use crate::house::{House, fields, text};
use crate::leads::{ANA, ends, of_lead};

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
    with_rules_and(|_| {}).await
}

fn set_rules(settings: &mut Settings) {
    settings.sides.right.converts.insert("leads".into(), "contacts".into());
    let rule = |city: &str, object: &str| {
        let test = Test::Equals(text(city));
        let filter = Filter::Is(Condition { field: "city".into(), test });
        Rule { filter, object: Some(object.into()) }
    };
    settings.syncs.left.as_mut().unwrap().rules =
        vec![rule("Vigo", "leads"), rule("Lugo", "contacts"), Rule::default()];
}

async fn with_rules_and(change: impl FnOnce(&mut Settings)) -> House {
    let house = House::with_leads(|settings| {
        set_rules(settings);
        change(settings);
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

fn by_phone_too(settings: &mut Settings) {
    settings.match_keys.push(MatchKey::Phone);
}

fn phone() -> Value {
    Value::Phone("+34600123456".into())
}

#[tokio::test]
async fn nobody_becomes_whoever_shares_their_number_alone() {
    let house = with_rules_and(|settings| {
        by_phone_too(settings);
        settings.syncs.right = None;
    })
    .await;
    house.edit(Side::Left, ANA, "phone", phone());
    let office = house.make(Side::Right, "office@x.es", &[("phone", "+34600123456")]);
    house.run().await.unwrap();
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    assert_eq!(house.emails(Side::Right), [ANA, "office@x.es"], "she is made anew");
    assert_ne!(house.id(Side::Right, ANA), office);
}

#[tokio::test]
async fn two_do_not_become_the_same() {
    let house = with_rules_and(by_phone_too).await;
    house.make(Side::Left, "eva@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    for email in [ANA, "eva@x.es"] {
        house.edit(Side::Left, email, "phone", phone());
    }
    house.run().await.unwrap();
    house.make(Side::Right, "", &[("phone", "+34600123456")]);
    house.run().await.unwrap();
    for email in [ANA, "eva@x.es"] {
        house.edit(Side::Left, email, "city", text("Lugo"));
    }
    for _ in 0..3 {
        house.run().await.unwrap();
    }
    assert_eq!(house.leads.records().len(), 1, "one of them is whose number it is");
    let states: Vec<LinkState> = house.links().await.iter().map(|(_, link)| link.state).collect();
    assert_eq!(states, [LinkState::Active, LinkState::Active]);
    let told = ("CONVERSION_HELD_BACK".to_owned(), Some(Side::Right), true);
    assert!(house.issues().await.contains(&told), "{:?}", house.issues().await);
}

#[tokio::test]
async fn who_meets_a_lead_makes_a_contact_of_it_that_is_there() {
    let house = with_rules_and(by_phone_too).await;
    house.make(Side::Left, "eva@x.es", &[("city", "Lugo"), ("phone", "+34600123456")]);
    house.leads.create(fields("eva@x.es", &[]));
    let contact = house.make(Side::Right, "", &[("phone", "+34600123456")]);
    for _ in 0..3 {
        house.run().await.unwrap();
    }
    assert_eq!(house.emails(Side::Right), ["eva@x.es"], "nobody is made beside her");
    assert_eq!(house.id(Side::Right, "eva@x.es"), contact);
}

#[tokio::test]
async fn what_does_not_wait_for_a_conversion_goes_ahead_of_it() {
    let house = with_rules().await;
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    house.edit(Side::Left, ANA, "city", text("Lugo"));
    house.edit(Side::Left, ANA, "opt_out", Value::Boolean(true));
    house.hint(Side::Left, &house.id(Side::Left, ANA)).await;
    // Nobody can say who else is there by now.
    let app = &house.vendors.left;
    let is_busy = Faults { rate_limited: 1000, ..Faults::default() };
    let told = house.run_told_while(Side::Left, async { app.order_faults(1, is_busy) }).await;
    told.unwrap_err();
    app.stop_faults();
    let lead = house.leads.records()[0].id.clone();
    assert_eq!(of_lead(&house, &lead, "opt_out"), Value::Boolean(true));
    assert_eq!(of_lead(&house, &lead, "city"), text("Lugo"));
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    assert!(house.leads.records().is_empty());
    assert_eq!(house.emails(Side::Right), [ANA]);
}

#[tokio::test]
async fn who_was_there_before_only_new_people_were_wanted_stays_what_they_are() {
    let house = House::with_leads(|settings| {
        set_rules(settings);
        settings.syncs.right = None;
        settings.syncs.left.as_mut().unwrap().first_run = FirstRun::NewOnly;
    })
    .await;
    house.make(Side::Left, ANA, &[("city", "Lugo")]);
    let lead = house.leads.create(fields(ANA, &[]));
    house.run().await.unwrap();
    assert_eq!(house.links().await.len(), 1);
    house.leads.edit(&lead, [("phone".into(), phone())].into());
    house.run().await.unwrap();
    assert_eq!(house.leads.records().len(), 1, "of her own nothing is new");
    house.edit(Side::Left, ANA, "phone", phone());
    house.run().await.unwrap();
    assert!(house.leads.records().is_empty());
}

#[tokio::test]
async fn nobody_is_new_because_of_what_we_wrote_ourselves() {
    let house = House::with_leads(|settings| {
        set_rules(settings);
        settings.syncs.left.as_mut().unwrap().first_run = FirstRun::NewOnly;
    })
    .await;
    house.make(Side::Left, ANA, &[("city", "Lugo")]);
    let lead = house.leads.create(fields(ANA, &[]));
    house.run().await.unwrap();
    house.leads.edit(&lead, [("phone".into(), phone())].into());
    for _ in 0..3 {
        house.run().await.unwrap();
    }
    assert_eq!(house.get(Side::Left, ANA, "phone"), phone());
    assert_eq!(house.leads.records().len(), 1, "of her own nothing is new");
    house.edit(Side::Left, ANA, "phone", Value::Cleared);
    house.run().await.unwrap();
    assert!(house.leads.records().is_empty());
}
