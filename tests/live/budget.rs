//! What a plan is said to cost, and what it costs.

use concord::connectors::kommo::emulator as kommo;
use concord::connectors::zoho::emulator as zoho;
use serde_json::{Value as Json, json};

use crate::house::{House, ask};

const ACCOUNT: &str = "query($id: ID!) { account(id: $id) { \
    quota { limit used left isTold windowSeconds resetsAt } \
    usage { beganAt calls pauses credits seconds } } }";

/// Asks until what was asked of the app is written down.
async fn told(house: &House, account: &str) -> Json {
    for _ in 0..100 {
        let told = ask(&house.owner, ACCOUNT, json!({ "id": account })).await["account"].clone();
        if told["usage"] != json!([]) {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing was written down");
}

fn is_write(method: &str, path: &str) -> bool {
    let is_question = ["coql", "oauth", "watch", "webhooks"].iter().any(|word| path.contains(word));
    method != "GET" && !is_question
}

impl House {
    /// The requests so far that wrote, in Kommo and in Zoho.
    fn writes(&self) -> (usize, usize) {
        let (kommo, zoho) = (self.town.kommo.requests(), self.town.zoho.requests());
        let kommo = kommo.iter().filter(|r: &&kommo::Request| is_write(&r.method, &r.path));
        let zoho = zoho.iter().filter(|r: &&zoho::Request| is_write(&r.method, &r.path));
        (kommo.count(), zoho.count())
    }
}

async fn forecast(house: &House, connection: &str) -> Json {
    let query = "query($id: ID!) { connection(id: $id) { waitingPlan { forecast { \
                 seconds endsAt costs { side credits waitsSeconds } } } } }";
    let data = ask(&house.owner, query, json!({ "id": connection })).await;
    data["connection"]["waitingPlan"]["forecast"].clone()
}

/// How long the credits of the right side have to be waited for, in seconds.
fn waits(forecast: &Json) -> u64 {
    forecast["costs"][1]["waitsSeconds"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_what_it_will_cost() {
    let house = House::new("budget", 300, async |emulators, _| emulators.overrides()).await;
    let script = house.script().await;
    let [kommo, zoho] = script.accounts().await.unwrap();
    let id = script.set_up(&kommo, &zoho).await.unwrap();
    script.start(&id, &["NO_OTHER_SYNC"]).await.unwrap();
    let plan = script.plan(&id).await.unwrap();
    // What it asked for to make the plan is what tells how long a request takes.
    let (of_kommo, of_zoho) = (told(&house, &kommo).await, told(&house, &zoho).await);
    assert_eq!(of_kommo["quota"], Json::Null, "Kommo counts no credits");
    let quota = &of_zoho["quota"];
    let of = |name: &str| quota[name].as_u64().unwrap();
    assert_eq!((of("limit"), of("windowSeconds")), (51_000, 24 * 60 * 60));
    assert_eq!(of("used") + of("left"), of("limit"));
    assert_eq!(quota["isTold"], json!(false));
    assert!(quota["resetsAt"].is_string());

    let forecast = script.plan(&id).await.unwrap()["forecast"].clone();
    let (before, credits) = (house.writes(), house.town.zoho.credits_used());
    let items = script.approve(&plan).await.unwrap();
    script.ended(&id, None, items).await.unwrap();
    let (after, credits) = (house.writes(), house.town.zoho.credits_used() - credits);
    let cost = |side: &str, what: &str| {
        let costs = forecast["costs"].as_array().unwrap().iter();
        costs.clone().find(|cost| cost["side"] == side).unwrap()[what].as_u64()
    };
    let written = (after.0 - before.0) as u64;
    assert!(cost("LEFT", "calls").unwrap().abs_diff(written) <= 2, "{forecast} {written}");
    assert_eq!(cost("LEFT", "credits"), None);
    let written = (after.1 - before.1) as u64;
    assert!(cost("RIGHT", "calls").unwrap().abs_diff(written) <= 2, "{forecast} {written}");
    // Reading on, before it writes and after it, costs a few.
    let said = cost("RIGHT", "credits").unwrap();
    assert!((said..=said + 10).contains(&credits), "{said} {credits}");
    let seconds = forecast["seconds"].as_u64().unwrap();
    assert!((1..=30).contains(&seconds), "{forecast}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_leave_over_decides_when_a_plan_ends() {
    let house = House::new("overspent", 300, async |emulators, _| emulators.overrides()).await;
    let script = house.script().await;
    let [kommo, zoho] = script.accounts().await.unwrap();
    let id = script.set_up(&kommo, &zoho).await.unwrap();
    script.start(&id, &["NO_OTHER_SYNC"]).await.unwrap();
    script.plan(&id).await.unwrap();
    told(&house, &kommo).await;
    told(&house, &zoho).await;
    let forecast = forecast(&house, &id).await;
    assert_eq!(waits(&forecast), 0, "{forecast}");
    assert!(forecast["seconds"].as_u64().unwrap() < 60, "{forecast}");

    // For the check, and for what goes on beside it.
    let left = 51_000 - house.town.zoho.credits_used();
    house.town.zoho.others_spend(left - 15);
    let check = "mutation($id: ID!) { accountCheck(id: $id) { userErrors { code } } }";
    let checked = ask(&house.owner, check, json!({ "id": zoho })).await;
    assert_eq!(checked["accountCheck"]["userErrors"], json!([]));
    let mut quota = Json::Null;
    for _ in 0..100 {
        quota = told(&house, &zoho).await["quota"].clone();
        if quota["isTold"] == true {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let left = quota["left"].as_u64().unwrap();
    assert!(left < 15 && quota["used"].as_u64().unwrap() + left == 51_000, "{quota}");
    let forecast = self::forecast(&house, &id).await;
    assert_eq!(waits(&forecast), 24 * 60 * 60, "{forecast}");
    assert!(forecast["seconds"].as_u64().unwrap() > 24 * 60 * 60, "{forecast}");
    house.stop().await;
}
