//! What every store does with deliveries, and whose endpoints it shows.

use std::collections::BTreeSet;
use std::sync::Arc;

use concord::record::Side;
use concord::store::{
    AccountId, Delivery, DeliveryEnd, DeliveryId, DeliveryState, Endpoint, EndpointId, Error,
    WorkspaceId,
};

use crate::build::{Bench, at};

pub fn endpoint(bench: &Bench, account: AccountId) -> Endpoint {
    Endpoint::new(EndpointId(bench.id()), bench.workspace, account, at(0))
}

/// The endpoint of a side's account, made.
pub async fn added(bench: &Bench, side: Side) -> Endpoint {
    let endpoint = endpoint(bench, *bench.accounts.of(side));
    bench.store.add_endpoint(&endpoint).await.unwrap();
    endpoint
}

/// A delivery with this body that comes now.
fn delivery(bench: &Bench, endpoint: &Endpoint, body: &str, second: i64) -> Delivery {
    Delivery {
        id: DeliveryId(bench.id()),
        endpoint: endpoint.id,
        account: endpoint.account,
        received_at: at(second),
        fingerprint: *blake3::hash(body.as_bytes()).as_bytes(),
        times: 1,
        content_type: "application/json".into(),
        body: format!("sealed {body}").into_bytes(),
        state: DeliveryState::Received,
        attempts: 0,
        next_at: Some(at(second)),
        error: None,
        hints: 0,
    }
}

/// A delivery with this body that came.
pub async fn received(bench: &Bench, endpoint: &Endpoint, body: &str, second: i64) -> Delivery {
    let row = delivery(bench, endpoint, body, second);
    assert_eq!(bench.store.add_delivery(bench.workspace, &row).await.unwrap(), row.id);
    row
}

/// A delivery with this body that came and was settled.
async fn settled(bench: &Bench, endpoint: &Endpoint, body: &str, end: &DeliveryEnd) -> Delivery {
    let row = received(bench, endpoint, body, 0).await;
    settle(bench, &row, end).await;
    known(bench, row.id).await
}

async fn settle(bench: &Bench, row: &Delivery, end: &DeliveryEnd) {
    let store = &bench.store;
    assert!(store.settle_delivery(bench.workspace, row.id, row.received_at, end).await.unwrap());
}

async fn known(bench: &Bench, id: DeliveryId) -> Delivery {
    bench.store.delivery(bench.workspace, id).await.unwrap()
}

fn expanded(hints: u32) -> DeliveryEnd {
    DeliveryEnd::Expanded { hints }
}

fn parked() -> DeliveryEnd {
    DeliveryEnd::Parked { error: "unreadable".into() }
}

fn failed(second: i64) -> DeliveryEnd {
    DeliveryEnd::Failed { error: "busy".into(), next_at: at(second) }
}

fn ids(rows: Vec<Delivery>) -> Vec<DeliveryId> {
    rows.into_iter().map(|row| row.id).collect()
}

pub async fn a_delivery_is_stored_as_it_came(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let (left, right) = (added(&bench, Side::Left).await, added(&bench, Side::Right).await);
    let row = Delivery {
        content_type: "application/x-www-form-urlencoded".into(),
        body: (0..=u8::MAX).cycle().take(5000).collect(),
        ..delivery(&bench, &left, "a", 10)
    };
    assert_eq!(store.add_delivery(workspace, &row).await.unwrap(), row.id);
    assert_eq!(known(&bench, row.id).await, row);
    let last = |id: EndpointId| {
        let store = store.clone();
        async move { store.endpoint_at(id).await.unwrap().unwrap().last_delivery_at }
    };
    assert_eq!(last(left.id).await, Some(at(10)));
    assert_eq!(last(right.id).await, None);
    received(&bench, &left, "late", 5).await;
    assert_eq!(last(left.id).await, Some(at(10)), "it only grows");
    received(&bench, &left, "next", 11).await;
    assert_eq!(last(left.id).await, Some(at(11)));

    let same = Delivery { id: row.id, ..delivery(&bench, &left, "another", 12) };
    let clash = store.add_delivery(workspace, &same).await;
    assert!(matches!(clash, Err(Error::Conflict)), "the same id");
    assert_eq!(last(left.id).await, Some(at(11)), "wholly or not at all");
    assert_eq!(known(&bench, row.id).await, row);
    let nowhere = Endpoint { id: EndpointId(bench.id()), ..left };
    let lost = store.add_delivery(workspace, &delivery(&bench, &nowhere, "a", 10)).await;
    assert!(matches!(lost, Err(Error::NotFound("endpoint"))));
    let none = store.delivery(workspace, DeliveryId(bench.id())).await;
    assert!(matches!(none, Err(Error::NotFound("delivery"))));
}

pub async fn what_comes_again_is_stored_once_and_expanded_again(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let (left, right) = (added(&bench, Side::Left).await, added(&bench, Side::Right).await);
    let first = settled(&bench, &left, "a", &expanded(3)).await;
    let again = |second: i64| {
        let body = b"sealed anew".to_vec();
        let row = Delivery { body, ..delivery(&bench, &left, "a", second) };
        let store = store.clone();
        async move { store.add_delivery(workspace, &row).await.unwrap() }
    };
    assert_eq!(again(20).await, first.id);
    let twice = Delivery {
        received_at: at(20),
        times: 2,
        state: DeliveryState::Received,
        next_at: Some(at(20)),
        ..first.clone()
    };
    assert_eq!(known(&bench, first.id).await, twice);
    let last = store.endpoint_at(left.id).await.unwrap().unwrap().last_delivery_at;
    assert_eq!(last, Some(at(20)));

    settle(&bench, &twice, &failed(60)).await;
    assert_eq!(again(30).await, first.id);
    let thrice = Delivery { received_at: at(30), times: 3, next_at: Some(at(30)), ..twice.clone() };
    assert_eq!(known(&bench, first.id).await, thrice, "it does not wait until it is tried again");
    settle(&bench, &thrice, &parked()).await;
    assert_eq!(again(40).await, first.id);
    let parked = Delivery { received_at: at(40), times: 4, next_at: Some(at(40)), ..thrice };
    assert_eq!(known(&bench, first.id).await, parked);

    let other = received(&bench, &right, "a", 50).await;
    let another = received(&bench, &left, "b", 50).await;
    assert_eq!(known(&bench, other.id).await, other, "at another endpoint it is another");
    assert_eq!(known(&bench, another.id).await, another);
    assert_eq!(known(&bench, first.id).await, parked);
}

pub async fn of_many_that_come_at_once_one_is_stored(bench: Bench) {
    let left = added(&bench, Side::Left).await;
    let bench = Arc::new(bench);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (bench, left) = (bench.clone(), left.clone());
        senders.spawn(async move {
            let row = delivery(&bench, &left, "a", 10);
            bench.store.add_delivery(bench.workspace, &row).await.unwrap()
        });
    }
    let given: BTreeSet<DeliveryId> = senders.join_all().await.into_iter().collect();
    let rows = bench.store.deliveries_before(bench.workspace, None, None, None, 9).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((given, rows[0].times), (BTreeSet::from([rows[0].id]), 6));
}

pub async fn an_attempt_does_not_settle_what_came_again_meanwhile(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let left = added(&bench, Side::Left).await;
    let first = received(&bench, &left, "a", 10).await;
    let mut read = first.received_at;
    // Later; at the same time; and by a clock that is slow.
    for (times, second) in [(2, 20), (3, 20), (4, 5)] {
        let row = delivery(&bench, &left, "a", second);
        assert_eq!(store.add_delivery(workspace, &row).await.unwrap(), first.id);
        let now = known(&bench, first.id).await;
        assert!(now.received_at > read, "time {times}");
        for end in [expanded(1), failed(99), parked()] {
            let is_settled = store.settle_delivery(workspace, first.id, read, &end).await.unwrap();
            assert!(!is_settled, "time {times}: {end:?}");
            assert_eq!(known(&bench, first.id).await, now);
        }
        assert_eq!((now.times, now.state), (times, DeliveryState::Received));
        assert_eq!(now.next_at, Some(at(second)), "it is due at once");
        read = now.received_at;
    }
    assert!(store.settle_delivery(workspace, first.id, read, &expanded(2)).await.unwrap());
    let now = known(&bench, first.id).await;
    assert_eq!((now.state, now.hints, now.next_at), (DeliveryState::Expanded, 2, None));
}

pub async fn attempts_at_a_delivery_are_counted_until_it_is_replayed(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let left = added(&bench, Side::Left).await;
    let first = received(&bench, &left, "a", 10).await;
    for (attempts, second) in [(1, 20), (2, 40)] {
        settle(&bench, &first, &failed(second)).await;
        let now = Delivery {
            attempts,
            next_at: Some(at(second)),
            error: Some("busy".into()),
            ..first.clone()
        };
        assert_eq!(known(&bench, first.id).await, now);
    }
    settle(&bench, &first, &parked()).await;
    let parked = Delivery {
        state: DeliveryState::Parked,
        attempts: 3,
        next_at: None,
        error: Some("unreadable".into()),
        ..first.clone()
    };
    assert_eq!(known(&bench, first.id).await, parked);

    let replayed = store.replay_delivery(workspace, first.id, at(50)).await.unwrap();
    assert_eq!(replayed, Delivery { next_at: Some(at(50)), ..first.clone() });
    assert_eq!(known(&bench, first.id).await, replayed);
    settle(&bench, &replayed, &failed(60)).await;
    settle(&bench, &replayed, &expanded(4)).await;
    let done = known(&bench, first.id).await;
    assert_eq!((done.state, done.attempts, done.hints), (DeliveryState::Expanded, 1, 4));
    assert_eq!((done.next_at, done.error), (None, None));
    let again = store.replay_delivery(workspace, first.id, at(70)).await.unwrap();
    assert_eq!(again, Delivery { next_at: Some(at(70)), hints: 4, ..first });

    let nowhere = DeliveryId(bench.id());
    let lost = store.settle_delivery(workspace, nowhere, at(99), &expanded(1)).await;
    assert!(matches!(lost, Err(Error::NotFound("delivery"))));
    let lost = store.replay_delivery(workspace, nowhere, at(99)).await;
    assert!(matches!(lost, Err(Error::NotFound("delivery"))));
}

pub async fn what_came_to_an_endpoint_since_a_time_is_replayed(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let (left, right) = (added(&bench, Side::Left).await, added(&bench, Side::Right).await);
    let before = received(&bench, &left, "a", 10).await;
    let parked_one = received(&bench, &left, "b", 20).await;
    let expanded_one = received(&bench, &left, "c", 30).await;
    let other = received(&bench, &right, "d", 30).await;
    for delivery in [&before, &expanded_one, &other] {
        settle(&bench, delivery, &expanded(1)).await;
    }
    settle(&bench, &parked_one, &parked()).await;
    let [before, other] = [known(&bench, before.id).await, known(&bench, other.id).await];

    let count = store.replay_deliveries(workspace, left.id, at(20), at(50)).await.unwrap();
    assert_eq!(count, 2);
    let again = Delivery { next_at: Some(at(50)), ..parked_one };
    assert_eq!(known(&bench, again.id).await, again);
    let again = Delivery { next_at: Some(at(50)), hints: 1, ..expanded_one };
    assert_eq!(known(&bench, again.id).await, again);
    assert_eq!(known(&bench, before.id).await, before, "it came before");
    assert_eq!(known(&bench, other.id).await, other, "it came to another endpoint");
    let none = store.replay_deliveries(workspace, left.id, at(31), at(60)).await.unwrap();
    assert_eq!(none, 0);
    let elsewhere = WorkspaceId(bench.id());
    let none = store.replay_deliveries(elsewhere, left.id, at(0), at(70)).await.unwrap();
    assert_eq!(none, 0, "of another workspace");
}

pub async fn deliveries_are_found_when_due_oldest_first(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let (left, right) = (added(&bench, Side::Left).await, added(&bench, Side::Right).await);
    let late = received(&bench, &left, "late", 30).await;
    let early = received(&bench, &left, "early", 10).await;
    let again = received(&bench, &left, "tried again", 20).await;
    settle(&bench, &again, &failed(40)).await;
    settled(&bench, &left, "done", &expanded(1)).await;
    settled(&bench, &left, "parked", &parked()).await;
    let other = received(&bench, &right, "theirs", 35).await;
    let due = |endpoint: &Endpoint, second: i64, limit: u64| {
        let (store, id) = (store.clone(), endpoint.id);
        async move { ids(store.due_deliveries(workspace, id, at(second), limit).await.unwrap()) }
    };
    assert_eq!(due(&left, 9, 9).await, []);
    assert_eq!(due(&left, 10, 9).await, [early.id]);
    assert_eq!(due(&left, 39, 9).await, [early.id, late.id]);
    assert_eq!(due(&left, 40, 9).await, [early.id, again.id, late.id]);
    assert_eq!(due(&left, 40, 2).await, [early.id, again.id]);
    assert_eq!(due(&right, 40, 9).await, [other.id]);

    let sweep = |second: i64| {
        let store = store.clone();
        async move {
            let all = store.due_endpoints(at(second)).await.unwrap();
            let mine = all.into_iter().filter(|(ws, _)| *ws == workspace);
            mine.map(|(_, endpoint)| endpoint).collect::<Vec<EndpointId>>()
        }
    };
    assert_eq!(sweep(9).await, []);
    assert_eq!(sweep(30).await, [left.id], "named once");
    assert_eq!(sweep(35).await, [left.id, right.id]);
    for row in [&early, &late] {
        settle(&bench, row, &expanded(1)).await;
    }
    assert_eq!(sweep(39).await, [right.id]);
    assert_eq!(due(&left, 40, 9).await, [again.id]);
}

pub async fn deliveries_are_paged_newest_first_and_filtered(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let (left, right) = (added(&bench, Side::Left).await, added(&bench, Side::Right).await);
    let mut made = Vec::new();
    for nth in 0..3 {
        made.push(settled(&bench, &left, &format!("{nth}"), &expanded(1)).await.id);
        made.push(received(&bench, &right, &format!("{nth}"), 1).await.id);
    }
    let of = |endpoint: Option<&Endpoint>, state, before, limit| {
        let (store, endpoint) = (store.clone(), endpoint.map(|endpoint| endpoint.id));
        async move {
            let rows = store.deliveries_before(workspace, endpoint, state, before, limit).await;
            ids(rows.unwrap())
        }
    };
    assert_eq!(of(None, None, None, 4).await, [made[5], made[4], made[3], made[2]]);
    assert_eq!(of(None, None, Some(made[2]), 4).await, [made[1], made[0]]);
    assert_eq!(of(Some(&left), None, None, 9).await, [made[4], made[2], made[0]]);
    assert_eq!(of(Some(&left), None, Some(made[4]), 1).await, [made[2]]);
    let waiting = Some(DeliveryState::Received);
    assert_eq!(of(None, waiting, None, 9).await, [made[5], made[3], made[1]]);
    assert_eq!(of(Some(&right), waiting, Some(made[5]), 9).await, [made[3], made[1]]);
    assert_eq!(of(Some(&left), waiting, None, 9).await, []);
    assert_eq!(of(None, Some(DeliveryState::Parked), None, 9).await, []);
}

/// Of all workspaces; no other check has deliveries that are so old.
pub async fn deliveries_are_forgotten_in_time_by_their_state(bench: Bench) {
    const LONG_AGO: i64 = -2_000_000;
    const DONE: DeliveryState = DeliveryState::Expanded;
    let (store, workspace) = (&bench.store, bench.workspace);
    let before = at(LONG_AGO + 100);
    let forget = |state, limit| {
        let store = store.clone();
        async move { store.forget_deliveries(state, before, limit).await.unwrap() }
    };
    // What a test that was cut off left behind.
    for state in [DONE, DeliveryState::Parked, DeliveryState::Received] {
        forget(state, 1000).await;
    }
    let left = added(&bench, Side::Left).await;
    let waits = received(&bench, &left, "waits", LONG_AGO).await;
    let is_parked = received(&bench, &left, "parked", LONG_AGO).await;
    settle(&bench, &is_parked, &parked()).await;
    let mut done = Vec::new();
    for second in [4, 3, 2, 1, 0, 100] {
        let row = received(&bench, &left, &format!("{second}"), LONG_AGO + second).await;
        settle(&bench, &row, &expanded(1)).await;
        done.push(row.id);
    }
    let came_again = received(&bench, &left, "again", LONG_AGO).await;
    settle(&bench, &came_again, &expanded(1)).await;
    let again = delivery(&bench, &left, "again", LONG_AGO + 200);
    store.add_delivery(workspace, &again).await.unwrap();
    settle(&bench, &known(&bench, came_again.id).await, &expanded(1)).await;
    let left_over =
        || async { ids(store.deliveries_before(workspace, None, None, None, 99).await.unwrap()) };

    assert_eq!(forget(DONE, 0).await, 0);
    assert_eq!(forget(DONE, 2).await, 2);
    let kept = [came_again.id, done[5], done[2], done[1], done[0], is_parked.id, waits.id];
    assert_eq!(left_over().await, kept, "the oldest first");
    assert_eq!(forget(DONE, 99).await, 3);
    assert_eq!(forget(DONE, 99).await, 0);
    assert_eq!(left_over().await, [came_again.id, done[5], is_parked.id, waits.id]);
    assert_eq!(forget(DeliveryState::Parked, 0).await, 0);
    assert_eq!(forget(DeliveryState::Parked, 99).await, 1);
    assert_eq!(left_over().await, [came_again.id, done[5], waits.id]);
    received(&bench, &left, "0", LONG_AGO + 200).await;
}

pub async fn a_workspace_sees_nothing_of_the_webhooks_of_another(bench: Bench) {
    let (store, workspace) = (&bench.store, bench.workspace);
    let made = added(&bench, Side::Left).await;
    let row = received(&bench, &made, "a", 10).await;
    let made = Endpoint { last_delivery_at: Some(at(10)), ..made };

    let other = WorkspaceId(bench.id());
    let moved = Endpoint { workspace: other, generation: 9, ..made.clone() };
    let new = Endpoint { id: EndpointId(bench.id()), ..moved.clone() };
    assert!(matches!(store.add_endpoint(&new).await, Err(Error::NotFound("account"))));
    assert_eq!(store.endpoint_of(other, made.account).await.unwrap(), None);
    assert!(store.endpoints(other).await.unwrap().is_empty());
    assert!(matches!(
        store.save_endpoint(&moved, made.generation).await,
        Err(Error::NotFound("endpoint"))
    ));
    for row in [&row, &delivery(&bench, &made, "theirs", 20)] {
        let stolen = store.add_delivery(other, row).await;
        assert!(matches!(stolen, Err(Error::NotFound("endpoint"))));
    }
    assert!(store.due_deliveries(other, made.id, at(99), 9).await.unwrap().is_empty());
    let due = store.due_endpoints(at(99)).await.unwrap();
    assert!(due.contains(&(workspace, made.id)) && !due.contains(&(other, made.id)));
    let settled = store.settle_delivery(other, row.id, at(99), &parked()).await;
    assert!(matches!(settled, Err(Error::NotFound("delivery"))));
    let theirs = store.deliveries_before(other, Some(made.id), None, None, 9).await.unwrap();
    assert!(theirs.is_empty());
    assert!(store.deliveries_before(other, None, None, None, 9).await.unwrap().is_empty());
    let none = store.delivery(other, row.id).await;
    assert!(matches!(none, Err(Error::NotFound("delivery"))));
    let replayed = store.replay_delivery(other, row.id, at(99)).await;
    assert!(matches!(replayed, Err(Error::NotFound("delivery"))));

    // What they tried has changed nothing.
    assert_eq!(store.endpoint_at(made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(store.endpoints(workspace).await.unwrap(), [made]);
    assert_eq!(known(&bench, row.id).await, row);
    let rows = store.deliveries_before(workspace, None, None, None, 9).await.unwrap();
    assert_eq!(rows, [row]);
}
