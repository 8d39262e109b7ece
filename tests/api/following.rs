//! Following a run as it goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Variables};
use concord::auth::{Principal, Role};
use concord::planner::Report;
use concord::ports::{Clock as _, SystemClock};
use concord::record::PerSide;
use concord::store::{
    ConnectionId, CutOff, Held, LeaseKey, LeaseKind, RunEnd, RunId, RunKind, RunRow, RunState,
    Store, SyncProgress, Trigger,
};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::{ELSEWHERE, HOME, House, workspace};

const QUERY: &str =
    "subscription($id: ID!) { runProgress(runId: $id) { id state counts { items } } }";

/// A run that goes on.
struct Going {
    house: House,
    store: Arc<dyn Store>,
    held: Held,
    run: RunRow,
}

impl Going {
    async fn begin() -> Self {
        let house = House::new().await;
        let store = house.store.clone();
        let connection: ConnectionId = house.connection().await.parse().unwrap();
        let kind = LeaseKind::Connection;
        let key = LeaseKey { workspace: workspace(HOME), kind, subject: connection.0 };
        let held = store.acquire(&key, "test", Duration::from_secs(60)).await.unwrap().unwrap();
        let run = RunRow {
            id: RunId(uuid::Uuid::from_u128(77)),
            connection,
            kind: RunKind::Sync,
            trigger: Trigger::Person,
            state: RunState::Running,
            version: 1,
            started_at: SystemClock.now(),
            ended_at: None,
            report: Report::default(),
            error: None,
            cut_off: CutOff::default(),
        };
        store.begin_run(&held, &run).await.unwrap();
        Self { house, store, held, run }
    }

    fn follow(&self, number: u128, id: &str) -> BoxStream<'static, Json> {
        let subject = "test".to_owned();
        let who = Principal { workspace: workspace(number), subject, role: Role::Viewer };
        let variables = Variables::from_json(json!({ "id": id }));
        let request = Request::new(QUERY).variables(variables).data(who);
        let events = self.house.api.execute_stream(request);
        events.map(|event| serde_json::to_value(event).unwrap()).boxed()
    }

    fn report(items: u64) -> Report {
        Report { items, ..Report::default() }
    }

    async fn end(&self) {
        let end = RunEnd {
            id: self.run.id,
            connection: self.run.connection,
            state: RunState::Finished,
            at: SystemClock.now(),
            report: Self::report(5),
            error: None,
            planned_to: BTreeMap::new(),
            progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
        };
        self.store.finish_run(&self.held, &end).await.unwrap();
    }
}

async fn next(events: &mut BoxStream<'static, Json>) -> Option<Json> {
    timeout(Duration::from_secs(20), events.next()).await.unwrap()
}

/// The state and the items of the run in an event.
fn told(event: Option<Json>) -> (String, u64) {
    let event = event.unwrap();
    let run = &event["data"]["runProgress"];
    let state = run["state"].as_str().unwrap_or_else(|| panic!("{event}"));
    (state.to_owned(), run["counts"]["items"].as_u64().unwrap())
}

#[tokio::test]
async fn a_run_is_told_as_it_is_and_as_it_comes_further_until_it_ends() {
    let going = Going::begin().await;
    let mut events = going.follow(HOME, &going.run.id.to_string());
    assert_eq!(told(next(&mut events).await), ("RUNNING".into(), 0));
    assert!(events.next().now_or_never().is_none(), "there is no news");
    going.store.note_report(&going.held, going.run.id, &Going::report(3)).await.unwrap();
    assert_eq!(told(next(&mut events).await), ("RUNNING".into(), 3));
    going.end().await;
    assert_eq!(told(next(&mut events).await), ("FINISHED".into(), 5));
    assert_eq!(next(&mut events).await, None);
    let mut late = going.follow(HOME, &going.run.id.to_string());
    assert_eq!(told(next(&mut late).await), ("FINISHED".into(), 5), "who comes late is told too");
    assert_eq!(next(&mut late).await, None);
}

#[tokio::test]
async fn of_a_run_that_is_removed_nothing_more_is_told() {
    let going = Going::begin().await;
    let mut events = going.follow(HOME, &going.run.id.to_string());
    next(&mut events).await.unwrap();
    going.store.release(&going.held).await.unwrap();
    let removed = going.store.remove_connection(workspace(HOME), going.run.connection).await;
    removed.unwrap();
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn nobody_follows_a_run_of_another_workspace_or_none() {
    let going = Going::begin().await;
    let run = going.run.id.to_string();
    let unknown = RunId(uuid::Uuid::from_u128(78)).to_string();
    for (number, id) in [(ELSEWHERE, run.as_str()), (HOME, unknown.as_str()), (HOME, "nonsense")] {
        let mut events = going.follow(number, id);
        let event = next(&mut events).await.unwrap();
        assert_eq!(event["errors"][0]["extensions"]["code"], "NOT_FOUND", "{event}");
        assert_eq!(next(&mut events).await, None);
    }
}
