//! What a person had unregistered, and what went with its account.

use std::time::Duration;

use concord::record::Side;
use concord::store::{AccountStatus, EndpointState};

use crate::house::{HOME, House};
use crate::registration::{HOUR, MINUTE, registered};

async fn state(house: &House, side: Side) -> EndpointState {
    house.endpoint(side).await.state
}

#[tokio::test]
async fn what_a_person_unregistered_stays_so_until_a_person_registers_it() {
    let (house, process) = registered("unregistered").await;
    let before = house.endpoint(Side::Left).await;
    process.webhooks.unregister(HOME, before.account).await.unwrap();
    for process in [&process, &house.process(3)] {
        let asked = house.tend_after(process, HOUR).await;
        assert_eq!(asked.left, [""; 0]);
        assert_eq!(asked.right, ["GET"], "the other is looked after as ever");
    }
    let endpoint = house.endpoint(Side::Left).await;
    assert_eq!(endpoint.state, EndpointState::Unregistered);
    assert_ne!(endpoint.generation, before.generation, "the address is another");

    process.webhooks.register(endpoint).await.unwrap();
    assert_eq!(state(&house, Side::Left).await, EndpointState::Registered);
    house.forget_webhook_in_kommo(&process).await;
    let asked = house.tend_after(&process, HOUR).await;
    assert!(asked.left.contains(&"POST".to_owned()), "it is looked after again: {asked:?}");
}

#[tokio::test]
async fn what_a_person_unregistered_beforehand_is_never_registered() {
    let house = House::new("beforehand").await;
    let process = house.process(2);
    process.webhooks.unregister(HOME, house.accounts.left).await.unwrap();
    house.tend_after(&process, MINUTE).await;
    assert_eq!(state(&house, Side::Left).await, EndpointState::Unregistered);
    assert_eq!(state(&house, Side::Right).await, EndpointState::Registered);
}

#[tokio::test]
async fn what_could_not_be_registered_for_a_person_is_tried_again() {
    let (house, process) = registered("tried").await;
    process.webhooks.unregister(HOME, house.accounts.left).await.unwrap();
    let mut account = house.store.account(HOME, house.accounts.left).await.unwrap();
    let since = account.connected_at;
    account.status = AccountStatus::NeedsReconnecting { code: "401".to_owned(), since };
    house.store.set_account(&account).await.unwrap();
    let endpoint = house.endpoint(Side::Left).await;
    let asked = process.webhooks.register(endpoint).await.unwrap();
    assert_eq!(asked.state, EndpointState::NotRegistered);
    account.status = AccountStatus::Connected;
    house.store.set_account(&account).await.unwrap();
    house.tend_after(&process, 10 * MINUTE).await;
    assert_eq!(state(&house, Side::Left).await, EndpointState::Registered);
}

#[tokio::test]
async fn what_went_with_its_account_comes_back_with_it() {
    let (house, process) = registered("released").await;
    process.webhooks.unregister(HOME, house.accounts.right).await.unwrap();
    for side in Side::BOTH {
        process.webhooks.release(HOME, *house.accounts.of(side)).await.unwrap();
    }
    assert_eq!(state(&house, Side::Left).await, EndpointState::NotRegistered);
    for (process, wait) in [(&process, 10 * MINUTE), (&house.process(3), Duration::ZERO)] {
        house.tend_after(process, wait).await;
        assert_eq!(state(&house, Side::Left).await, EndpointState::Registered);
        assert_eq!(state(&house, Side::Right).await, EndpointState::Unregistered, "by a person");
    }
}

#[tokio::test]
async fn what_was_read_before_its_address_was_replaced_is_not_written_back() {
    let (house, process) = registered("replaced").await;
    let other = house.process(3);
    let posted = house.endpoint(Side::Left).await;
    other.webhooks.unregister(HOME, posted.account).await.unwrap();
    let taken = house.endpoint(Side::Left).await;
    assert_eq!(process.webhooks.register(posted).await.unwrap(), taken);
    assert_eq!(house.endpoint(Side::Left).await, taken);

    other.webhooks.register(taken.clone()).await.unwrap();
    other.webhooks.unregister(HOME, taken.account).await.unwrap();
    let newest = house.endpoint(Side::Left).await;
    let registered = process.webhooks.register(taken).await.unwrap();
    assert_eq!(registered.generation, newest.generation, "no old address comes back");
    assert_eq!(registered.state, EndpointState::Registered);
    assert_eq!(house.endpoint(Side::Left).await, registered);
}
