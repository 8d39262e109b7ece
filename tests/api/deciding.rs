//! Decisions of a person about what runs: a plan that is refused, a sync that is paused or taken back.

use std::time::Duration;

use concord::lab::demo::{Client, SAID, Town};
use concord::lab::people::Kind;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::demo::on_stage;

const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until something is there.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} does not come");
        sleep(LOOK_EVERY).await;
    }
}

async fn waiting(client: &Client, connection: &str) -> Option<Json> {
    let query = "query($id: ID!) { connection(id: $id) { waitingPlan { id hash state counts { items } } } }";
    let data = client.ask(query, json!({ "id": connection })).await.unwrap();
    let plan = data["connection"]["waitingPlan"].clone();
    (!plan.is_null()).then_some(plan)
}

async fn stop(client: &Client, name: &str, connection: &str, source: &str) {
    let query = format!(
        "mutation($id: ID!, $source: Side!) {{ {name}(connectionId: $id, source: $source) {{ \
         userErrors {{ code }} }} }}"
    );
    let data = client.ask(&query, json!({ "id": connection, "source": source })).await.unwrap();
    assert_eq!(data[name]["userErrors"], json!([]), "{data}");
}

fn sizes(town: &Town) -> [usize; 2] {
    [town.kommo.contacts().len(), town.zoho.contacts().len()]
}

fn says(contacts: &[Json], words: &str) -> bool {
    contacts.iter().any(|contact| contact.to_string().contains(words))
}

#[tokio::test]
async fn a_refused_plan_is_made_anew_and_a_stopped_sync_does_not_write() {
    on_stage("deciding", 30, 9, async |town, script| {
        let client = script.client();
        let [left, right] = script.accounts().await.unwrap();
        let connection = script.set_up(&left, &right).await.unwrap();
        let before = sizes(town);

        script.start(&connection, &SAID).await.unwrap();
        let first = script.plan(&connection).await.unwrap();
        let input = json!({ "planId": first["id"], "hash": first["hash"] });
        let answer = "plan { id state decidedBy }";
        let done =
            client.act("planRefuse", "PlanDecideInput", answer, input.clone()).await.unwrap();
        let refused = json!({ "id": first["id"], "state": "REFUSED", "decidedBy": "operator" });
        assert_eq!(done["plan"], refused);
        let again = client.act("planApprove", "PlanDecideInput", answer, input).await;
        assert!(again.unwrap_err().to_string().contains("STALE"), "it is decided");
        let other = async || {
            let plan = waiting(client, &connection).await?;
            (plan["id"] != first["id"]).then_some(plan)
        };
        let second = until("another plan", other).await;
        assert_eq!(second["counts"]["items"], first["counts"]["items"]);
        assert_eq!(sizes(town), before, "nothing was written");
        script.approve(&second).await.unwrap();
        script.ended(&connection, None, 0).await.unwrap();
        let after = sizes(town);
        assert!(after[0] > before[0] && after[1] > before[1]);

        // What reads the left is paused; what reads the right goes on.
        stop(client, "syncPause", &connection, "LEFT").await;
        edit(town, "Typed");
        script.run_again(&connection).await.unwrap();
        let arrived = async || says(&town.kommo.contacts(), "Typed on the right").then_some(());
        until("what was typed on the right", arrived).await;
        script.run_again(&connection).await.unwrap();
        assert!(!says(&town.zoho.contacts(), "Typed on the left"));
        // Started again it goes on where it was: with what was typed meanwhile, and nobody asked.
        script.start(&connection, &SAID).await.unwrap();
        let arrived = async || {
            assert_eq!(waiting(client, &connection).await, None);
            says(&town.zoho.contacts(), "Typed on the left").then_some(())
        };
        until("what was typed meanwhile", arrived).await;

        // What was taken back and is started again runs for the first time: somebody is asked.
        stop(client, "syncCancel", &connection, "LEFT").await;
        edit(town, "Typed again");
        script.start(&connection, &SAID).await.unwrap();
        let third = script.plan(&connection).await.unwrap();
        assert!(!says(&town.zoho.contacts(), "Typed again on the left"));
        script.approve(&third).await.unwrap();
        let arrived = async || says(&town.zoho.contacts(), "Typed again on the left").then_some(());
        until("what was agreed to", arrived).await;
    })
    .await;
}

/// Types into both records of somebody who is in both apps: other fields on each side.
fn edit(town: &Town, words: &str) {
    let mut people = town.people.people.iter().filter(|person| {
        person.kind == Kind::Plain && person.left.len() == 1 && person.right.len() == 1
    });
    let number = people.next().unwrap().number;
    let title = format!("{words} on the left");
    let title = json!([{ "field_code": "POSITION", "values": [{ "value": title }] }]);
    let left = town.moved.left_ids[&number][0];
    assert!(town.kommo.person_edits(left, json!({ "custom_fields_values": title })));
    let right = &town.moved.right_ids[&number][0];
    assert!(
        town.zoho.person_edits(right, json!({ "Mailing_City": format!("{words} on the right") }))
    );
}
