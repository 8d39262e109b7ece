//! Connections that are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use concord::connections::{Connections, NewConnection, NewSide};
use concord::ports::{Clock as _, Ids as _, ManualClock, SeededIds};
use concord::record::{PerSide, Side};
use concord::store::{
    Account, AccountId, Description, MemoryStore, Store as _, Workspace, WorkspaceId,
};
use jiff::Timestamp;

use crate::house::schema;

#[tokio::test]
async fn what_a_tag_says_of_one_account_is_not_said_of_another_of_the_same_app() {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let ids = Arc::new(SeededIds::new(5));
    let workspace = WorkspaceId(ids.next(clock.now()));
    store.add_workspace(&Workspace { id: workspace, name: "home".into() }).await.unwrap();
    let mut accounts = Vec::new();
    for (app, name) in [("zoho", "Z"), ("kommo", "North"), ("kommo", "South")] {
        let id = AccountId(ids.next(clock.now()));
        let mut account = Account::new(workspace, id, app, name, clock.now());
        account.label = name.into();
        store.add_account(&account, b"").await.unwrap();
        let schemas = BTreeMap::from([("Contacts".into(), schema())]);
        let described = Description { schemas, users: BTreeMap::new(), described_at: clock.now() };
        store.describe(workspace, id, &described).await.unwrap();
        accounts.push(id);
    }
    let connections = Connections::new(store, clock, ids);
    let make = async |left: usize, right: usize| {
        let side = |at: usize| NewSide { account: accounts[at], objects: Vec::new() };
        let sides = PerSide { left: side(left), right: side(right) };
        let new = NewConnection { title: "T".into(), sides };
        let made = connections.create(workspace, &new).await.unwrap();
        Side::BOTH.map(|side| made.settings.sides.of(side).app.clone())
    };
    assert_eq!(make(0, 1).await, ["Zoho CRM", "Kommo"]);
    assert_eq!(make(0, 2).await, ["Zoho CRM", "Kommo (South)"]);
}
