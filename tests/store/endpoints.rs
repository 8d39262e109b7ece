//! What every store does with endpoints.

use concord::record::Side;
use concord::store::{Account, AccountId, Endpoint, EndpointId, EndpointState, Error};

use crate::build::{Bench, at};
use crate::webhooks::{added, endpoint, received};

pub async fn an_account_has_one_endpoint(bench: Bench) {
    let (store, workspace, accounts) = (&bench.store, bench.workspace, &bench.accounts);
    assert!(store.endpoints(workspace).await.unwrap().is_empty());
    let right = added(&bench, Side::Right).await;
    assert_eq!(store.endpoint_of(workspace, accounts.left).await.unwrap(), None);
    let left = added(&bench, Side::Left).await;
    for row in [&left, &right] {
        assert_eq!(store.endpoint_at(row.id).await.unwrap().as_ref(), Some(row));
        let of_account = store.endpoint_of(workspace, row.account).await.unwrap();
        assert_eq!(of_account.as_ref(), Some(row));
    }
    assert_eq!(store.endpoints(workspace).await.unwrap(), [right.clone(), left.clone()]);
    assert_eq!(store.endpoint_at(EndpointId(bench.id())).await.unwrap(), None);

    let second = store.add_endpoint(&endpoint(&bench, accounts.left)).await;
    assert!(matches!(second, Err(Error::Conflict)), "the account has one");
    let third = Account::new(workspace, AccountId(bench.id()), "memory", "third", at(1));
    store.add_account(&third, b"").await.unwrap();
    let same = Endpoint { id: left.id, ..endpoint(&bench, third.id) };
    assert!(matches!(store.add_endpoint(&same).await, Err(Error::Conflict)), "the same id");
    let nobody = store.add_endpoint(&endpoint(&bench, AccountId(bench.id()))).await;
    assert!(matches!(nobody, Err(Error::NotFound("account"))));
    assert_eq!(store.endpoints(workspace).await.unwrap(), [right, left]);
}

pub async fn an_endpoint_is_written_as_it_is_now(bench: Bench) {
    let store = &bench.store;
    let other = added(&bench, Side::Right).await;
    let made = added(&bench, Side::Left).await;
    received(&bench, &made, "a", 7).await;
    let states = [
        EndpointState::Registered,
        EndpointState::Disabled,
        EndpointState::Failed("refused".into()),
        EndpointState::Unregistered,
        EndpointState::NotRegistered,
    ];
    for (seen, state) in (1..).zip(states) {
        let generation = seen + 1;
        let now = Endpoint {
            generation,
            state,
            remote_id: Some(format!("hook {generation}")),
            objects: ["contacts".into(), "leads".into()].into(),
            registered_at: Some(at(8)),
            expires_at: Some(at(9)),
            last_delivery_at: Some(at(7)),
            ..made.clone()
        };
        let wanted = Endpoint {
            account: other.account,
            last_delivery_at: None,
            created_at: at(99),
            ..now.clone()
        };
        store.save_endpoint(&wanted, seen).await.unwrap();
        let found = store.endpoint_at(made.id).await.unwrap();
        assert_eq!(found, Some(now), "what the app did not say stays");
    }
    let emptied = Endpoint { last_delivery_at: Some(at(7)), ..made.clone() };
    store.save_endpoint(&made, 6).await.unwrap();
    assert_eq!(store.endpoint_at(made.id).await.unwrap(), Some(emptied));
    assert_eq!(store.endpoint_at(other.id).await.unwrap(), Some(other));
    let nowhere = Endpoint { id: EndpointId(bench.id()), ..made };
    let lost = store.save_endpoint(&nowhere, 1).await;
    assert!(matches!(lost, Err(Error::NotFound("endpoint"))));
}

pub async fn an_endpoint_whose_address_was_replaced_is_not_written_back(bench: Bench) {
    let store = &bench.store;
    let read = added(&bench, Side::Left).await;
    let taken = Endpoint { generation: 2, state: EndpointState::Unregistered, ..read.clone() };
    store.save_endpoint(&taken, read.generation).await.unwrap();
    for generation in [1, 2, 3] {
        let state = EndpointState::Registered;
        let late = Endpoint { generation, state, ..read.clone() };
        assert!(matches!(store.save_endpoint(&late, read.generation).await, Err(Error::Conflict)));
        assert_eq!(store.endpoint_at(read.id).await.unwrap().as_ref(), Some(&taken));
    }
    let renewed = Endpoint { state: EndpointState::Registered, ..taken };
    store.save_endpoint(&renewed, 2).await.unwrap();
    assert_eq!(store.endpoint_at(read.id).await.unwrap(), Some(renewed));
}
