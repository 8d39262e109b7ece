//! Connections that are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use concord::connections::{Connections, Error, NewConnection, NewSide};
use concord::planner::{Acknowledgement, FaultCode, Settings, WarningCode};
use concord::ports::{Clock as _, Ids as _, ManualClock, SeededIds};
use concord::record::{Field, FieldType, PerSide, Schema, Side};
use concord::store::{
    Account, AccountId, AccountStatus, Connection, Description, MemoryStore, Store as _, Workspace,
    WorkspaceId,
};
use jiff::Timestamp;

use crate::house::{copy, schema};

/// A workspace with described accounts, and who makes connections there.
struct Desk {
    store: Arc<MemoryStore>,
    workspace: WorkspaceId,
    accounts: Vec<AccountId>,
    connections: Connections,
}

impl Desk {
    async fn new(accounts: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let ids = Arc::new(SeededIds::new(5));
        let workspace = WorkspaceId(ids.next(clock.now()));
        store.add_workspace(&Workspace { id: workspace, name: "home".into() }).await.unwrap();
        let connections = Connections::new(store.clone(), clock.clone(), ids.clone());
        let mut desk = Self { store, workspace, accounts: Vec::new(), connections };
        for (app, name) in accounts {
            let id = AccountId(ids.next(clock.now()));
            let mut account = Account::new(workspace, id, *app, *name, clock.now());
            account.label = (*name).into();
            desk.store.add_account(&account, b"").await.unwrap();
            desk.describe(id, schema(), &[]).await;
            desk.accounts.push(id);
        }
        desk
    }

    /// What is read of an account by now.
    async fn describe(&self, account: AccountId, schema: Schema, users: &[&str]) {
        let described = Description {
            schemas: BTreeMap::from([("Contacts".into(), schema)]),
            users: users.iter().map(|user| ((*user).to_owned(), format!("id of {user}"))).collect(),
            described_at: Timestamp::UNIX_EPOCH,
        };
        self.store.describe(self.workspace, account, &described).await.unwrap();
    }

    async fn make(&self, left: usize, right: usize) -> Connection {
        self.try_to_make(left, right).await.unwrap()
    }

    async fn try_to_make(&self, left: usize, right: usize) -> Result<Connection, Error> {
        let side = |at: usize| NewSide { account: self.accounts[at], objects: Vec::new() };
        let sides = PerSide { left: side(left), right: side(right) };
        let new = NewConnection { title: "T".into(), sides };
        self.connections.create(self.workspace, &new).await
    }

    /// The app of an account takes its credentials no more.
    async fn shut_out(&self, account: AccountId) {
        let mut account = self.store.account(self.workspace, account).await.unwrap();
        account.status = AccountStatus::NeedsReconnecting {
            code: "invalid_grant".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        self.store.set_account(&account).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_tag_says_of_one_account_is_not_said_of_another_of_the_same_app() {
    let desk = Desk::new(&[("zoho", "Z"), ("kommo", "North"), ("kommo", "South")]).await;
    let make = async |left: usize, right: usize| {
        let made = desk.make(left, right).await;
        Side::BOTH.map(|side| made.settings.sides.of(side).app.clone())
    };
    assert_eq!(make(0, 1).await, ["Zoho CRM", "Kommo"]);
    assert_eq!(make(0, 2).await, ["Zoho CRM", "Kommo (South)"]);
}

#[tokio::test]
async fn whoever_edits_a_draft_works_with_the_fields_and_users_that_were_read_last() {
    let desk = Desk::new(&[("zoho", "Z"), ("kommo", "North"), ("kommo", "South")]).await;
    desk.make(0, 1).await;
    let made = desk.make(0, 2).await;
    let south = desk.accounts[2];
    let wider =
        Schema::from_iter(schema().iter().cloned().chain([Field::new("added", FieldType::Number)]));
    desk.describe(south, wider.clone(), &["eva@x.es"]).await;
    let (connections, workspace) = (&desk.connections, desk.workspace);
    let edit = async || {
        let changed = |settings: &mut Settings| {
            settings.every_minutes += 1;
            Ok(())
        };
        connections.edit(workspace, made.id, None, changed).await.unwrap().settings
    };
    let edited = edit().await;
    let object = made.settings.sides.right.objects[0].clone();
    assert_eq!(edited.sides.right.schema(&object), Some(&wider));
    assert_eq!(edited.sides.right.users["eva@x.es"], "id of eva@x.es");
    assert_eq!(edited.sides.right.app, "Kommo (South)", "its tags are called as before");
    assert_eq!(edited.sides.left, made.settings.sides.left);
    let live = desk.store.connection(workspace, made.id).await.unwrap().settings;
    assert_eq!(live, made.settings, "nothing is live yet");
    // Somebody took a right away.
    desk.describe(south, wider, &[]).await;
    assert_eq!(edit().await.sides.right.users.len(), 1);
}

#[tokio::test]
async fn a_review_judges_by_what_was_read_last_and_tells_of_accounts_that_let_nobody_in() {
    let desk = Desk::new(&[("zoho", "Z"), ("kommo", "North")]).await;
    let made = desk.make(0, 1).await;
    let (connections, workspace) = (&desk.connections, desk.workspace);
    let change = |settings: &mut Settings| {
        settings.preferred = Some(Side::Left);
        settings.syncs.left.as_mut().unwrap().entries.push(copy(Side::Left, "city"));
        Ok(())
    };
    connections.edit(workspace, made.id, None, change).await.unwrap();
    let said = [Acknowledgement::NoOtherSync, Acknowledgement::OptOutsStay].into();
    let review = async || connections.review(workspace, made.id, &said).await.unwrap();
    let before = review().await;
    let token = before.token.expect("nothing is missing");
    assert!(!before.warnings.iter().any(|one| one.code == WarningCode::AccountNotConnected));

    // A field that is mapped is taken away in the app.
    let fewer =
        Schema::from_iter(schema().iter().filter(|field| field.id != "city".into()).cloned());
    desk.describe(desk.accounts[1], fewer, &[]).await;
    let after = review().await;
    let unknown = after.faults.iter().find(|fault| fault.code == FaultCode::UnknownField).unwrap();
    assert_eq!(unknown.at.field, Some("city".into()));
    let sources = Side::BOTH.into();
    let started = connections.start(workspace, made.id, &sources, &token, &said).await;
    assert!(matches!(started, Err(Error::Unfinished(_))), "{started:?}");
    let published = connections.publish(workspace, made.id, &token, &said).await;
    assert!(matches!(published, Err(Error::Unfinished(_))), "{published:?}");

    desk.shut_out(desk.accounts[1]).await;
    let warnings = review().await.warnings;
    let told: Vec<_> =
        warnings.iter().filter(|one| one.code == WarningCode::AccountNotConnected).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].message.contains("North") && told[0].message.contains("accountReconnect"));
}

#[tokio::test]
async fn no_connection_is_made_with_an_account_that_lets_nobody_in() {
    let desk = Desk::new(&[("zoho", "Z"), ("kommo", "North")]).await;
    desk.shut_out(desk.accounts[1]).await;
    for (left, right) in [(0, 1), (1, 0)] {
        let refused = desk.try_to_make(left, right).await.unwrap_err();
        assert!(matches!(refused, Error::NotConnected), "{refused}");
    }
    assert!(desk.store.connections(desk.workspace).await.unwrap().is_empty());
}
