//! What every store does with requests that are done once however often they are sent.

use std::sync::Arc;

use concord::store::{Claim, Claimed, Error, WorkspaceId};

use crate::build::{Bench, at};

/// A day.
const KEPT: i64 = 86_400;

/// A claim of this key for this request, made at this second.
fn claim(bench: &Bench, key: &str, request: &str, second: i64) -> Claim {
    Claim {
        workspace: bench.workspace,
        actor: "ana".into(),
        key: key.into(),
        request_hash: *blake3::hash(request.as_bytes()).as_bytes(),
        claimed_at: at(second),
        expires_at: at(second + KEPT),
    }
}

/// Claims it; what was begun a minute before counts as given up.
async fn take(bench: &Bench, claim: &Claim) -> Claimed {
    let abandoned = claim.claimed_at - std::time::Duration::from_secs(60);
    bench.store.claim_request(claim, abandoned).await.unwrap()
}

pub async fn a_request_is_done_once_and_its_answer_is_kept(bench: Bench) {
    let store = &bench.store;
    let first = claim(&bench, "k", "make", 0);
    assert_eq!(take(&bench, &first).await, Claimed::Yours);
    assert_eq!(take(&bench, &claim(&bench, "k", "make", 1)).await, Claimed::GoesOn);
    let answer: Vec<u8> = (0..=u8::MAX).cycle().take(5000).collect();
    store.answer_request(&first, &answer).await.unwrap();
    for second in [2, 100, KEPT - 1] {
        let again = take(&bench, &claim(&bench, "k", "make", second)).await;
        assert_eq!(again, Claimed::Answered(answer.clone()), "after {second} seconds");
    }
    let twice = store.answer_request(&first, b"another").await;
    assert!(matches!(twice, Err(Error::Conflict)), "it is answered");
    store.give_up_request(&first).await.unwrap();
    let again = take(&bench, &claim(&bench, "k", "make", 3)).await;
    assert_eq!(again, Claimed::Answered(answer), "what is answered is not given up");
    let nobody = store.answer_request(&claim(&bench, "other", "make", 0), b"").await;
    assert!(matches!(nobody, Err(Error::Conflict)), "it was never claimed");
}

pub async fn a_key_stands_for_one_request_until_it_is_remembered_no_more(bench: Bench) {
    let store = &bench.store;
    let first = claim(&bench, "k", "make", 0);
    assert_eq!(take(&bench, &first).await, Claimed::Yours);
    assert_eq!(take(&bench, &claim(&bench, "k", "other", 1)).await, Claimed::OtherRequest);
    store.answer_request(&first, b"done").await.unwrap();
    assert_eq!(take(&bench, &claim(&bench, "k", "other", 2)).await, Claimed::OtherRequest);
    let later = claim(&bench, "k", "other", KEPT);
    assert_eq!(take(&bench, &later).await, Claimed::Yours);
    assert_eq!(take(&bench, &claim(&bench, "k", "make", KEPT + 1)).await, Claimed::OtherRequest);
    store.answer_request(&later, b"done later").await.unwrap();
    let again = take(&bench, &claim(&bench, "k", "other", KEPT + 1)).await;
    assert_eq!(again, Claimed::Answered(b"done later".to_vec()));
}

pub async fn a_request_that_was_given_up_or_cut_off_may_be_claimed_again(bench: Bench) {
    let store = &bench.store;
    let first = claim(&bench, "k", "make", 0);
    assert_eq!(take(&bench, &first).await, Claimed::Yours);
    store.give_up_request(&first).await.unwrap();
    let second = claim(&bench, "k", "other", 1);
    assert_eq!(take(&bench, &second).await, Claimed::Yours, "even for another request");

    assert_eq!(take(&bench, &claim(&bench, "k", "other", 60)).await, Claimed::GoesOn);
    assert_eq!(take(&bench, &claim(&bench, "k", "third", 61)).await, Claimed::OtherRequest);
    let third = claim(&bench, "k", "other", 61);
    assert_eq!(take(&bench, &third).await, Claimed::Yours);
    assert_eq!(take(&bench, &claim(&bench, "k", "other", 62)).await, Claimed::GoesOn);
    // Whoever was so slow has no say any more.
    let late = store.answer_request(&second, b"late").await;
    assert!(matches!(late, Err(Error::Conflict)));
    store.give_up_request(&second).await.unwrap();
    assert_eq!(take(&bench, &claim(&bench, "k", "other", 63)).await, Claimed::GoesOn);
    store.answer_request(&third, b"done").await.unwrap();
    let again = take(&bench, &claim(&bench, "k", "other", 64)).await;
    assert_eq!(again, Claimed::Answered(b"done".to_vec()));
}

pub async fn keys_of_another_workspace_or_actor_are_others(bench: Bench) {
    let store = &bench.store;
    let first = claim(&bench, "k", "make", 0);
    let elsewhere = Claim { workspace: WorkspaceId(bench.id()), ..first.clone() };
    let other = Claim { actor: "ben".into(), ..first.clone() };
    let by_case = Claim { key: "K".into(), ..first.clone() };
    let all = [&first, &elsewhere, &other, &by_case];
    for claim in all {
        assert_eq!(take(&bench, claim).await, Claimed::Yours, "{} {}", claim.actor, claim.key);
    }
    for (claim, answer) in all.into_iter().zip([b"1", b"2", b"3", b"4"]) {
        store.answer_request(claim, answer).await.unwrap();
    }
    for (claim, answer) in all.into_iter().zip([b"1", b"2", b"3", b"4"]) {
        assert_eq!(take(&bench, claim).await, Claimed::Answered(answer.to_vec()));
    }
}

pub async fn of_many_that_claim_at_once_one_gets_it(bench: Bench) {
    let bench = Arc::new(bench);
    let mut claimants = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let bench = bench.clone();
        claimants.spawn(async move { take(&bench, &claim(&bench, "k", "make", 0)).await });
    }
    let mut claimed = claimants.join_all().await;
    claimed.sort_by_key(|claimed| *claimed != Claimed::Yours);
    assert_eq!(claimed.remove(0), Claimed::Yours);
    assert!(claimed.iter().all(|claimed| *claimed == Claimed::GoesOn), "{claimed:?}");
}

/// Of all workspaces; no other check has requests that are so old.
pub async fn requests_are_forgotten_in_time(bench: Bench) {
    const LONG_AGO: i64 = -3_000_000;
    let store = &bench.store;
    let now = at(LONG_AGO + KEPT + 3);
    // What a test that was cut off left behind.
    store.forget_requests(now, 1000).await.unwrap();
    for second in [3, 4, 1, 2, 0] {
        let made = claim(&bench, &format!("{second}"), "make", LONG_AGO + second);
        assert_eq!(take(&bench, &made).await, Claimed::Yours);
        store.answer_request(&made, b"done").await.unwrap();
    }
    let left = || async {
        let mut left = Vec::new();
        for second in 0..5 {
            let again = claim(&bench, &format!("{second}"), "make", LONG_AGO + 10);
            let claimed = take(&bench, &again).await;
            match claimed {
                Claimed::Answered(_) => left.push(second),
                // Only looked at.
                _ => store.give_up_request(&again).await.unwrap(),
            }
        }
        left
    };
    assert_eq!(store.forget_requests(now, 0).await.unwrap(), 0);
    assert_eq!(store.forget_requests(now, 3).await.unwrap(), 3);
    assert_eq!(left().await, [3, 4], "the oldest first");
    assert_eq!(store.forget_requests(now, 99).await.unwrap(), 1);
    assert_eq!(store.forget_requests(now, 99).await.unwrap(), 0);
    assert_eq!(left().await, [4]);
}
