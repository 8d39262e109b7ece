//! What every store does with workspaces, accounts and credentials.

use std::collections::BTreeMap;
use std::task::{Context, Waker};
use std::time::Duration;

use concord::record::{Field, FieldType, Schema, Side};
use concord::store::{
    Account, AccountId, AccountStatus, ConnectionId, Description, Error, FeedId, Sealed, Workspace,
    WorkspaceId,
};

use crate::build::{Bench, account_row, at};

fn sealed(generation: u64, bytes: &[u8]) -> Sealed {
    Sealed { generation, bytes: bytes.to_vec() }
}

fn disconnected(account: &Account) -> Account {
    Account { status: AccountStatus::Disconnected { since: at(5) }, ..account.clone() }
}

pub async fn no_two_workspaces_have_the_same_name(bench: Bench) {
    let store = &bench.store;
    let named = |prefix: &str| Workspace {
        id: WorkspaceId(bench.id()),
        name: format!("{prefix} of {}", bench.workspace),
    };
    let (late, early) = (named("b"), named("a"));
    store.add_workspace(&late).await.unwrap();
    store.add_workspace(&early).await.unwrap();
    assert!(matches!(store.add_workspace(&named("a")).await, Err(Error::Conflict)));
    let renamed = Workspace { name: named("c").name, ..late.clone() };
    assert!(matches!(store.add_workspace(&renamed).await, Err(Error::Conflict)), "known by its id");
    let mut all = store.workspaces().await.unwrap();
    let mine = bench.workspace.to_string();
    all.retain(|workspace| workspace.name.ends_with(&mine));
    assert_eq!(all, [early, late]);
}

pub async fn what_an_account_is_told_apart_by_never_changes(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let before = store.account(workspace, id).await.unwrap();
    assert_eq!(before, account_row(workspace, id, Side::Left));
    let wanted = Account {
        app: "another".into(),
        environment: "sandbox".into(),
        remote_id: "another".into(),
        label: "a label".into(),
        host: "eu".into(),
        owner_email: Some("owner@x.es".into()),
        region: Some("ES".into()),
        time_zone: Some("Europe/Madrid".into()),
        allowance: Some(50_250),
        status: AccountStatus::NeedsReconnecting { code: "revoked".into(), since: at(3) },
        connected_at: at(9),
        ..before.clone()
    };
    store.set_account(&wanted).await.unwrap();
    let expected = Account {
        app: before.app,
        environment: before.environment,
        remote_id: before.remote_id,
        connected_at: before.connected_at,
        ..wanted.clone()
    };
    assert_eq!(store.account(workspace, id).await.unwrap(), expected);
    let nobody = Account { id: AccountId(bench.id()), ..wanted };
    assert!(matches!(store.set_account(&nobody).await, Err(Error::NotFound("account"))));
    assert!(matches!(store.reconnect(&nobody, b"").await, Err(Error::NotFound("account"))));
}

pub async fn accounts_are_listed_in_the_order_in_which_they_were_connected(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let add = |remote_id: &'static str, second: i64| {
        let id = AccountId(bench.id());
        let row = Account::new(workspace, id, "memory", remote_id, at(second));
        let store = store.clone();
        async move {
            store.add_account(&row, b"").await.unwrap();
            id
        }
    };
    let last = add("7", 20).await;
    let first = add("8", -1).await;
    let twice = Account::new(workspace, first, "memory", "9", at(0));
    assert!(matches!(store.add_account(&twice, b"").await, Err(Error::Conflict)), "the same id");
    let listed: Vec<AccountId> =
        store.accounts(workspace).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(listed, [first, bench.accounts.left, bench.accounts.right, last]);
}

pub async fn a_disconnected_account_frees_its_place_and_loses_its_credentials(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let account = store.account(workspace, id).await.unwrap();
    let next = Account { id: AccountId(bench.id()), ..account.clone() };
    assert!(matches!(store.add_account(&next, b"next").await, Err(Error::Conflict)));
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(1, b""));

    let gone = disconnected(&account);
    store.set_account(&gone).await.unwrap();
    assert_eq!(store.account(workspace, id).await.unwrap(), gone);
    let none = store.credentials(workspace, id).await;
    assert!(matches!(none, Err(Error::NotFound("credentials"))));
    let late = store.replace_credentials(workspace, id, 1, b"late").await;
    assert!(matches!(late, Err(Error::NotFound("credentials"))), "what is gone is not renewed");

    store.add_account(&next, b"next").await.unwrap();
    assert_eq!(store.credentials(workspace, next.id).await.unwrap(), sealed(1, b"next"));
    assert!(matches!(store.set_account(&account).await, Err(Error::Conflict)), "it is taken");
    assert!(matches!(store.reconnect(&account, b"back").await, Err(Error::Conflict)));
    let none = store.credentials(workspace, id).await;
    assert!(matches!(none, Err(Error::NotFound("credentials"))), "wholly or not at all");
    assert_eq!(store.account(workspace, id).await.unwrap(), gone);

    store.set_account(&disconnected(&next)).await.unwrap();
    assert_eq!(store.reconnect(&account, b"back").await.unwrap(), 2);
    assert_eq!(store.account(workspace, id).await.unwrap(), account);
    let late = store.replace_credentials(workspace, id, 1, b"late").await;
    assert!(matches!(late, Err(Error::Conflict)), "nor taken for what came after");
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(2, b"back"));
}

pub async fn an_account_that_needs_reconnecting_keeps_its_place(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let account = store.account(workspace, id).await.unwrap();
    let status = AccountStatus::NeedsReconnecting { code: "revoked".into(), since: at(5) };
    store.set_account(&Account { status, ..account.clone() }).await.unwrap();
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(1, b""));
    let next = Account { id: AccountId(bench.id()), ..account.clone() };
    assert!(matches!(store.add_account(&next, b"next").await, Err(Error::Conflict)));
    store.set_account(&account).await.unwrap();
    assert_eq!(store.account(workspace, id).await.unwrap(), account);
}

pub async fn credentials_that_were_refused_need_reconnecting_until_there_are_others(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let refused = async |generation: u64, code: &str| {
        store.credentials_refused(workspace, id, generation, code, at(4)).await.unwrap()
    };
    let status = async || store.account(workspace, id).await.unwrap().status;
    assert!(!refused(0, "older").await && !refused(2, "unknown").await);
    assert_eq!(status().await, AccountStatus::Connected);
    assert!(refused(1, "revoked").await);
    let needed = AccountStatus::NeedsReconnecting { code: "revoked".into(), since: at(4) };
    assert_eq!(status().await, needed);
    assert!(!refused(1, "again").await);
    assert_eq!(status().await, needed, "why, and since when, is said once");

    assert_eq!(store.replace_credentials(workspace, id, 1, b"new").await.unwrap(), 2);
    assert_eq!(status().await, AccountStatus::Connected, "somebody had got others meanwhile");
    assert!(!refused(1, "late").await);
    assert_eq!(status().await, AccountStatus::Connected);

    let account = store.account(workspace, id).await.unwrap();
    store.set_account(&disconnected(&account)).await.unwrap();
    assert!(!refused(2, "gone").await);
    assert!(status().await.is_disconnected(), "what a person took away does not come back");
    let nobody = store.credentials_refused(workspace, AccountId(bench.id()), 1, "x", at(4)).await;
    assert!(matches!(nobody, Err(Error::NotFound("account"))));
    let elsewhere = WorkspaceId(bench.id());
    let foreign = store.credentials_refused(elsewhere, id, 2, "x", at(4)).await;
    assert!(matches!(foreign, Err(Error::NotFound("account"))));
}

pub async fn credentials_are_replaced_only_from_the_expected_generation(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    assert_eq!(store.replace_credentials(workspace, id, 1, b"new").await.unwrap(), 2);
    for not_the_one in [0, 1, 3] {
        let stale = store.replace_credentials(workspace, id, not_the_one, b"stale").await;
        assert!(matches!(stale, Err(Error::Conflict)), "generation {not_the_one}");
    }
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(2, b"new"));
    let long: Vec<u8> = (0..=u8::MAX).cycle().take(5000).collect();
    assert_eq!(store.replace_credentials(workspace, id, 2, &long).await.unwrap(), 3);
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(3, &long));
}

pub async fn credentials_of_a_person_replace_any_others(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let account = Account {
        label: "again".into(),
        host: "us".into(),
        ..store.account(workspace, id).await.unwrap()
    };
    assert_eq!(store.reconnect(&account, b"typed").await.unwrap(), 2);
    assert_eq!(store.account(workspace, id).await.unwrap(), account);
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(2, b"typed"));
    let refreshed = store.replace_credentials(workspace, id, 1, b"refreshed").await;
    assert!(matches!(refreshed, Err(Error::Conflict)), "a person was faster");
    assert_eq!(store.replace_credentials(workspace, id, 2, b"refreshed").await.unwrap(), 3);
    assert_eq!(store.reconnect(&account, b"typed again").await.unwrap(), 4);
}

pub async fn descriptions_are_kept_per_account(bench: Bench) {
    let (store, workspace, accounts) = (&bench.store, bench.workspace, &bench.accounts);
    assert_eq!(store.description(workspace, accounts.left).await.unwrap(), None);
    let describe = |field: &str, second: i64| Description {
        schemas: BTreeMap::from([
            ("contacts".into(), Schema::from_iter([Field::new(field, FieldType::Email)])),
            ("leads".into(), Schema::default()),
        ]),
        users: BTreeMap::from([("ana@x.es".into(), field.into())]),
        described_at: at(second),
    };
    let (left, right) = (describe("email", 1), describe("mail", 2));
    store.describe(workspace, accounts.left, &left).await.unwrap();
    store.describe(workspace, accounts.right, &right).await.unwrap();
    assert_eq!(store.description(workspace, accounts.left).await.unwrap(), Some(left));
    assert_eq!(store.description(workspace, accounts.right).await.unwrap(), Some(right.clone()));
    let newer = describe("e_mail", 3);
    store.describe(workspace, accounts.left, &newer).await.unwrap();
    assert_eq!(store.description(workspace, accounts.left).await.unwrap(), Some(newer));
    assert_eq!(store.description(workspace, accounts.right).await.unwrap(), Some(right.clone()));
    let nobody = store.describe(workspace, AccountId(bench.id()), &right).await;
    assert!(matches!(nobody, Err(Error::NotFound("account"))));
}

pub async fn connections_are_found_by_their_accounts(bench: Bench) {
    let (store, workspace, accounts) = (&bench.store, bench.workspace, &bench.accounts);
    let third = Account::new(workspace, AccountId(bench.id()), "memory", "third", at(1));
    store.add_account(&third, b"").await.unwrap();
    let feed = FeedId(bench.id());
    store.open_feed(workspace, third.id, &"contacts".into(), "", feed).await.unwrap();
    let mut second = bench.connection_row(ConnectionId(bench.id()));
    second.feeds[1].feed = feed;
    store.add_connection(&second).await.unwrap();
    let first = bench.connection_row(bench.connection);
    assert_eq!(store.connections(workspace).await.unwrap(), [first.clone(), second.clone()]);
    let of = |account: AccountId| {
        let store = store.clone();
        async move { store.connections_of_account(workspace, account).await.unwrap() }
    };
    assert_eq!(of(accounts.left).await, [first.id, second.id]);
    assert_eq!(of(accounts.right).await, [first.id]);
    assert_eq!(of(third.id).await, [second.id]);
    assert_eq!(of(AccountId(bench.id())).await, []);
}

pub async fn a_workspace_sees_nothing_of_the_accounts_and_connections_of_another(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let description =
        Description { schemas: BTreeMap::new(), users: BTreeMap::new(), described_at: at(1) };
    store.describe(workspace, id, &description).await.unwrap();

    let other = WorkspaceId(bench.id());
    assert!(matches!(store.account(other, id).await, Err(Error::NotFound("account"))));
    assert!(store.accounts(other).await.unwrap().is_empty());
    assert!(matches!(store.credentials(other, id).await, Err(Error::NotFound("credentials"))));
    assert_eq!(store.description(other, id).await.unwrap(), None);
    let stolen = store.describe(other, id, &description).await;
    assert!(matches!(stolen, Err(Error::NotFound("account"))));
    let moved = Account { workspace: other, ..store.account(workspace, id).await.unwrap() };
    assert!(matches!(store.set_account(&moved).await, Err(Error::NotFound("account"))));
    assert!(matches!(store.reconnect(&moved, b"").await, Err(Error::NotFound("account"))));
    let stolen = store.replace_credentials(other, id, 1, b"stolen").await;
    assert!(matches!(stolen, Err(Error::NotFound("credentials"))));
    assert!(store.connections(other).await.unwrap().is_empty());
    assert!(store.connections_of_account(other, id).await.unwrap().is_empty());

    // The same account of an app may be in both.
    let same = Account { id: AccountId(bench.id()), ..moved };
    store.add_account(&same, b"theirs").await.unwrap();
    assert_eq!(store.accounts(other).await.unwrap(), [same]);
    assert_eq!(store.credentials(workspace, id).await.unwrap(), sealed(1, b""));
}

/// A transaction that was cut off while it began must not stay open on its connection.
pub async fn what_is_cut_off_leaves_nothing_open(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    let account = store.account(workspace, id).await.unwrap();
    for steps in (0..30).cycle().take(120) {
        {
            let mut work = std::pin::pin!(store.set_account(&account));
            for _ in 0..steps {
                let is_done =
                    work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
                if is_done {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        // A query of its own, and then a transaction that must be the first to ask anything.
        store.account(workspace, id).await.unwrap();
        let known = store.connection(workspace, bench.connection).await;
        assert!(known.is_ok(), "after {steps} steps: {known:?}");
    }
}
