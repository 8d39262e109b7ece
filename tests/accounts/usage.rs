//! What an account is asked is counted as its app counts it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use concord::accounts::{Accounts, Names, Quota};
use concord::connectors::zoho::emulator::{Fault, FaultKind};
use concord::connectors::{Connector, Lookup, Query, Write, Written};
use concord::record::{Conversion, FieldId, FieldType, ObjectName, RemoteId, Value};
use concord::store::{Account, UsageHour};
use jiff::Timestamp;

use crate::{HOME, House};

fn query(object: &str) -> Query {
    Query {
        object: ObjectName::new(object),
        collection: String::new(),
        fields: ["Last_Name", "Email", "Tag"].into_iter().map(FieldId::new).collect(),
        removals_every: Duration::ZERO,
        moment: 0,
    }
}

fn write(object: &str, id: Option<&RemoteId>, name: &str) -> Write {
    Write {
        object: ObjectName::new(object),
        id: id.cloned(),
        known: None,
        fields: BTreeMap::from([(FieldId::new("Last_Name"), Value::Text(name.to_owned()))]),
        tags_add: Vec::new(),
        tags_remove: Vec::new(),
        becomes: None,
    }
}

fn ids(written: &[Written]) -> Vec<RemoteId> {
    let ids = written.iter().map(|one| match one {
        Written::Applied { id, .. } => id.clone(),
        other => panic!("{other:?}"),
    });
    ids.collect()
}

impl House {
    /// All that was written down of an account.
    async fn noted(&self, process: &Accounts, account: &Account) -> Vec<UsageHour> {
        process.settled().await;
        self.store.usage(HOME, account.id, Timestamp::MIN).await.unwrap()
    }

    async fn quota(&self, process: &Accounts, account: &Account) -> Quota {
        self.noted(process, account).await;
        process.budget(account).await.unwrap().quota.unwrap()
    }
}

/// Of each kind of call at least one.
async fn ask_everything(connector: &dyn Connector) {
    connector.check().await.unwrap();
    connector.describe(&ObjectName::new("Contacts")).await.unwrap();
    connector.users().await.unwrap();
    let made: Vec<Write> =
        (0..23).map(|number| write("Contacts", None, &format!("Person {number}"))).collect();
    let people = ids(&connector.apply(&made).await.unwrap());
    let changed: Vec<Write> = people
        .iter()
        .map(|id| Write { tags_add: vec!["news".into()], ..write("Contacts", Some(id), "Changed") })
        .collect();
    ids(&connector.apply(&changed).await.unwrap());
    let lead = ids(&connector.apply(&[write("Leads", None, "Prospecta")]).await.unwrap());
    let becomes = Conversion { object: ObjectName::new("Contacts"), into: None };
    let converted = Write {
        fields: BTreeMap::new(),
        becomes: Some(becomes),
        ..write("Leads", lead.first(), "")
    };
    ids(&connector.apply(&[converted]).await.unwrap());
    let page = connector.changes(&query("Contacts"), None).await.unwrap();
    connector.changes(&query("Contacts"), Some(&page.cursor)).await.unwrap();
    let some: BTreeSet<RemoteId> = people.into_iter().take(3).collect();
    connector.fetch(&query("Contacts"), &some).await.unwrap();
    let wanted = Lookup { kind: FieldType::Email, value: "ana@x.es".to_owned() };
    connector.find(&query("Contacts"), &BTreeSet::from([wanted])).await.unwrap();
}

#[tokio::test]
async fn credits_are_counted_as_the_app_counts_them() {
    let house = House::new("credits").await;
    let process = house.process("one");
    let account = process.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    assert_eq!(account.allowance, Some(50_250), "standard, with one user");
    let (before, asked) = (house.app.credits_used(), house.app.requests().len());
    let connector = process.open(HOME, account.id).await.unwrap();
    ask_everything(connector.as_ref()).await;

    let hours = house.noted(&process, &account).await;
    let credits = house.app.credits_used() - before;
    assert!(credits > 20, "{credits}");
    assert_eq!(hours.iter().map(|hour| hour.credits).sum::<u64>(), credits);
    let calls = house.app.requests().len() - asked;
    assert_eq!(hours.iter().map(|hour| hour.calls).sum::<u64>(), calls as u64);
    assert!(hours.iter().map(|hour| hour.took).sum::<Duration>() > Duration::ZERO);

    let quota = house.quota(&process, &account).await;
    assert_eq!((quota.limit, quota.used), (Some(50_250), credits));
    assert_eq!((quota.left, quota.is_told), (Some(50_250 - credits), false));
    assert!(quota.resets_at > hours.first().map(|hour| hour.began_at));
    let per_call = process.budget(&account).await.unwrap().per_call.unwrap();
    assert!(per_call >= Duration::from_millis(50), "twenty a second: {per_call:?}");
}

#[tokio::test]
async fn what_others_use_is_known_once_the_app_tells() {
    let house = House::new("others").await;
    let process = house.process("one");
    let account = process.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = process.open(HOME, account.id).await.unwrap();
    house.app.others_spend(20_000);
    connector.check().await.unwrap();
    let quota = house.quota(&process, &account).await;
    assert_eq!((quota.used, quota.is_told), (2, false), "less than half is used");
    house.app.others_spend(10_000);
    connector.check().await.unwrap();
    let quota = house.quota(&process, &account).await;
    assert_eq!((quota.used, quota.is_told), (house.app.credits_used(), true));
    assert_eq!(quota.left, Some(50_250 - quota.used));
}

#[tokio::test]
async fn what_was_refused_costs_nothing_and_is_counted_as_a_call() {
    let house = House::new("refused").await;
    let process = house.process("one");
    let account = process.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = process.open(HOME, account.id).await.unwrap();
    let before = house.app.credits_used();
    house.app.expire_access_tokens();
    connector.check().await.unwrap();
    house.app.order(answers(429, Some(0)));
    connector.check().await.unwrap();
    let hours = house.noted(&process, &account).await;
    assert_eq!(
        hours.iter().map(|hour| hour.credits).sum::<u64>(),
        house.app.credits_used() - before
    );
    assert_eq!(hours.iter().map(|hour| hour.pauses).sum::<u64>(), 1);
    // Four that were answered, the refused key, its renewal, and the pause.
    assert_eq!(hours.iter().map(|hour| hour.calls).sum::<u64>(), 7);
}

#[tokio::test]
async fn what_is_asked_is_written_down_soon_and_not_each_time() {
    let house = House::new("soon").await;
    let process = house.process("one");
    let account = process.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = process.open(HOME, account.id).await.unwrap();
    let usage = || async { house.store.usage(HOME, account.id, Timestamp::MIN).await.unwrap() };
    connector.check().await.unwrap();
    assert_eq!(usage().await, []);
    let mut calls = 0;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        calls = usage().await.iter().map(|hour| hour.calls).sum();
        if calls > 0 {
            break;
        }
    }
    assert_eq!(calls, 2, "nobody asked for it");
    connector.check().await.unwrap();
    let hours = house.noted(&process, &account).await;
    assert_eq!(hours.iter().map(|hour| hour.calls).sum::<u64>(), 4, "at the end it is at once");
}

/// The next request for the organisation is answered so.
fn answers(status: u16, retry_after: Option<u64>) -> Fault {
    let body = r#"{"code":"SOME_ERROR","details":{},"message":"","status":"error"}"#;
    Fault {
        method: None,
        path: Some("/crm/v8/org".to_owned()),
        after: 0,
        times: 1,
        kind: FaultKind::Status {
            status,
            body: body.to_owned(),
            content_type: "application/json",
            retry_after,
        },
    }
}

#[tokio::test]
async fn an_answer_that_comes_late_is_written_down_too() {
    let house = House::new("late").await;
    let process = house.process("one");
    let account = process.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    let connector = process.open(HOME, account.id).await.unwrap();
    // Longer than what was asked waits to be written down.
    house.app.order(answers(429, Some(7)));
    connector.check().await.unwrap();
    let mut calls = 0;
    for _ in 0..100 {
        let hours = house.store.usage(HOME, account.id, Timestamp::MIN).await.unwrap();
        calls = hours.iter().map(|hour| hour.calls).sum();
        if calls == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(calls, 3, "refused, answered, and the one that follows");
}

#[tokio::test]
async fn a_process_that_is_told_nothing_takes_nothing_back() {
    let house = House::new("untold").await;
    let one = house.process("one");
    let account = one.connect(HOME, "zoho", &house.typed(), Names::default()).await.unwrap();
    house.app.others_spend(30_000);
    one.open(HOME, account.id).await.unwrap().check().await.unwrap();
    let quota = house.quota(&one, &account).await;
    assert!(quota.is_told, "{quota:?}");
    let other = house.process("other");
    house.app.order(answers(502, None));
    let connector = other.open(HOME, account.id).await.unwrap();
    assert!(connector.check().await.is_err());
    let calls = house.noted(&other, &account).await.iter().map(|hour| hour.calls).sum::<u64>();
    assert!(calls > 0, "it has asked");
    let known = house.quota(&other, &account).await;
    assert_eq!((known.left, known.is_told), (quota.left, true));
    house.app.others_spend(50_250);
    assert!(connector.check().await.is_err(), "nothing is left");
    let known = house.quota(&other, &account).await;
    assert_eq!((known.left, known.is_told), (Some(0), true), "a refusal says so");
}
