//! What people do in one app arrives in the other by notification alone, and soon.

use serde_json::json;
use tokio::time::{Duration, sleep};

use crate::house::{House, SOON, triggers_of_writes, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_in_either_app_arrives_in_the_other_soon_by_notification_alone() {
    let (house, connected) = House::running("edit", 40).await;
    let (left, right) = house.linked().swap_remove(0);
    let before = house.newest(&connected.id).await;

    house.titles(left, "Head of Arrivals");
    let took = until(|| house.is_in_zoho("Head of Arrivals")).await;
    assert!(took < SOON, "from Kommo to Zoho: {took:?}");
    // While Zoho tells of what was just written there.
    assert!(house.town.zoho.person_edits(&right, json!({ "Mailing_City": "Arrival Bay" })));
    let took = until(|| house.is_in_kommo("Arrival Bay")).await;
    assert!(took < SOON, "from Zoho to Kommo: {took:?}");

    house.still(&connected.id).await;
    let runs = house.runs_after(&connected.id, &before).await;
    for side in ["LEFT", "RIGHT"] {
        assert_eq!(triggers_of_writes(&runs, side), ["WEBHOOK"], "{side}: {runs:?}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_in_kommo_is_told_in_zoho_by_a_tag() {
    let (house, connected) = House::running("deletion", 40).await;
    let (left, right) = house.linked().swap_remove(0);
    let before = house.newest(&connected.id).await;
    let is_tagged = || {
        let contacts = house.town.zoho.contacts();
        let partner = contacts.iter().find(|contact| contact["id"] == json!(right)).unwrap();
        partner["Tag"].to_string().contains("Deleted in Kommo")
    };
    assert!(!is_tagged());

    assert!(house.town.kommo.person_deletes(left));
    let took = until(is_tagged).await;
    assert!(took < SOON, "{took:?}");
    let runs = house.runs_after(&connected.id, &before).await;
    assert_eq!(triggers_of_writes(&runs, "RIGHT"), ["WEBHOOK"], "{runs:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_notification_told_of_is_found_by_the_next_run_and_counted() {
    let (house, connected) = House::running("missed", 40).await;
    house.forget_webhook_in_kommo(&connected.accounts[0]).await;
    let edited: Vec<u64> = house.linked().into_iter().map(|(left, _)| left).take(3).collect();
    for (number, id) in edited.iter().enumerate() {
        house.titles(*id, &format!("Missed Title {number}."));
    }
    sleep(Duration::from_secs(4)).await;
    assert!(!house.is_in_zoho("Missed Title"), "nobody told of it");

    let script = house.script().await;
    let latest = script.latest(&connected.id).await.unwrap();
    let run = script.run(&connected.id, &latest).await.unwrap();
    for number in 0..edited.len() {
        assert!(house.is_in_zoho(&format!("Missed Title {number}.")));
    }
    assert_eq!(run["counts"]["missedByWebhooks"], json!(edited.len()), "{run}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_can_be_approved_as_it_was_read_whatever_the_apps_tell_meanwhile() {
    let house = House::new("thinking", 40, async |emulators, _| emulators.overrides()).await;
    let script = house.script().await;
    let accounts = script.accounts().await.unwrap();
    let [left, right] = &accounts;
    let id = script.set_up(left, right).await.unwrap();
    for account in &accounts {
        assert!(script.register(account).await.unwrap());
    }
    script.start(&id, &["NO_OTHER_SYNC"]).await.unwrap();
    let plan = script.plan(&id).await.unwrap();
    let before = house.newest(&id).await;
    let (left, _) = house.linked().swap_remove(0);
    house.titles(left, "Head of Thinking");
    // Longer than it takes until a notification is read.
    sleep(SOON).await;
    let still = script.plan(&id).await.unwrap();
    // What it would cost is told as the accounts are asked, so it may change while it is read.
    for part in ["id", "hash", "counts"] {
        assert_eq!(still[part], plan[part], "it is being read");
    }
    assert!(house.runs_after(&id, &before).await.is_empty(), "nothing is to be done");
    let items = script.approve(&plan).await.unwrap();
    script.ended(&id, Some(&before), items).await.unwrap();
    let took = until(|| house.is_in_zoho("Head of Thinking")).await;
    assert!(took < SOON, "{took:?}");
    house.stop().await;
}
