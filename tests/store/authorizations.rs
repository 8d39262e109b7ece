//! What every store does with authorization requests.

use std::sync::Arc;

use concord::record::Side;
use concord::store::{AuthorizationRequest, Error, RegistrationRow, WorkspaceId};

use crate::build::{Bench, at};

/// By when nothing of any check is over: they share a database.
const EARLIER: i64 = -9_000_000;

/// A request with this state that is over at this second.
fn request(bench: &Bench, state: &str, over: i64) -> AuthorizationRequest {
    // Other checks have states of their own.
    let state = format!("{} {state}", bench.workspace);
    AuthorizationRequest {
        state_hash: *blake3::hash(state.as_bytes()).as_bytes(),
        workspace: bench.workspace,
        actor: "ana".into(),
        app: "kommo".into(),
        account: None,
        label: None,
        email: None,
        place: None,
        return_url: None,
        redirect_uri: "https://sync.example.com/oauth/callback/kommo".into(),
        expires_at: at(over),
    }
}

pub async fn an_authorization_request_is_found_by_its_state_and_taken_once(bench: Bench) {
    let store = &bench.store;
    let plain = request(&bench, "plain", 600);
    let full = AuthorizationRequest {
        account: Some(*bench.accounts.of(Side::Left)),
        label: Some("Продажи".into()),
        email: Some("ana@x.es".into()),
        place: Some("eu".into()),
        return_url: Some("https://app.example.com/connected".into()),
        ..request(&bench, "full", 600)
    };
    for request in [&plain, &full] {
        store.add_authorization_request(request, at(EARLIER)).await.unwrap();
    }
    for request in [&plain, &full] {
        let found = store.authorization_request(&request.state_hash).await.unwrap();
        assert_eq!(found.as_ref(), Some(request));
    }
    assert!(store.take_authorization_request(&plain).await.unwrap());
    assert!(!store.take_authorization_request(&plain).await.unwrap(), "it was taken");
    assert_eq!(store.authorization_request(&plain.state_hash).await.unwrap(), None);
    assert!(store.authorization_request(&full.state_hash).await.unwrap().is_some());
    assert_eq!(store.authorization_request(&[0; 32]).await.unwrap(), None);
}

pub async fn of_many_who_take_an_authorization_request_one_gets_it(bench: Bench) {
    let bench = Arc::new(bench);
    let made = request(&bench, "one", 600);
    bench.store.add_authorization_request(&made, at(EARLIER)).await.unwrap();
    let mut takers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, made) = (bench.store.clone(), made.clone());
        takers.spawn(async move { store.take_authorization_request(&made).await.unwrap() });
    }
    let taken = takers.join_all().await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

pub async fn authorization_requests_that_are_over_are_forgotten(bench: Bench) {
    // So long ago that nothing of another check is over by then.
    const LONG_AGO: i64 = -4_000_000;
    let store = &bench.store;
    let [old, new] = [0, 1].map(|more| request(&bench, &format!("{more}"), LONG_AGO + more));
    for request in [&old, &new] {
        store.add_authorization_request(request, at(EARLIER)).await.unwrap();
    }
    let next = request(&bench, "next", LONG_AGO + 600);
    store.add_authorization_request(&next, at(LONG_AGO)).await.unwrap();
    assert_eq!(store.authorization_request(&old.state_hash).await.unwrap(), None);
    assert_eq!(store.authorization_request(&new.state_hash).await.unwrap(), Some(new));
}

pub async fn an_authorization_request_is_of_an_account_of_its_workspace(bench: Bench) {
    let foreign = AuthorizationRequest {
        workspace: WorkspaceId(bench.id()),
        account: Some(*bench.accounts.of(Side::Left)),
        ..request(&bench, "foreign", 600)
    };
    let refused = bench.store.add_authorization_request(&foreign, at(EARLIER)).await;
    assert!(matches!(refused, Err(Error::NotFound("account"))), "{refused:?}");
    assert_eq!(bench.store.authorization_request(&foreign.state_hash).await.unwrap(), None);
}

pub async fn a_workspace_has_one_oauth_client_for_each_place_of_an_app(bench: Bench) {
    let store = &bench.store;
    let row = |app: &str, place: Option<&str>, client_id: &str| RegistrationRow {
        workspace: bench.workspace,
        app: app.into(),
        place: place.map(str::to_owned),
        client_id: client_id.into(),
        sealed: client_id.as_bytes().to_vec(),
    };
    let (all, eu) = (row("zoho", None, "all"), row("zoho", Some("eu"), "eu"));
    for row in [&eu, &all, &row("kommo", None, "kommo")] {
        store.set_registration(row).await.unwrap();
    }
    let known = async || store.registrations(bench.workspace, "zoho").await.unwrap();
    assert_eq!(known().await, [all.clone(), eu]);
    let new = row("zoho", Some("eu"), "new");
    store.set_registration(&new).await.unwrap();
    assert_eq!(known().await, [all.clone(), new], "it takes the place of the old one");
    let remove = async |workspace, place: Option<&str>| {
        store.remove_registration(workspace, "zoho", place).await.unwrap()
    };
    let elsewhere = WorkspaceId(bench.id());
    assert!(store.registrations(elsewhere, "zoho").await.unwrap().is_empty());
    assert!(!remove(elsewhere, Some("eu")).await && !remove(bench.workspace, Some("us")).await);
    assert!(remove(bench.workspace, Some("eu")).await);
    assert_eq!(known().await, [all]);
    assert!(remove(bench.workspace, None).await && !remove(bench.workspace, None).await);
    assert!(known().await.is_empty());
    assert_eq!(store.registrations(bench.workspace, "kommo").await.unwrap().len(), 1);
}
