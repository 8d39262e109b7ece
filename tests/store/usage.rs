//! What every store does with what accounts were asked.

use std::time::Duration;

use concord::store::{AccountId, Error, ToldLeft, UsageHour, WorkspaceId};

use crate::build::{Bench, at};

const HOUR: i64 = 3_600;

/// What was asked in the hour of a second; what was said to be left was said after so many of its seconds.
fn asked(second: i64, calls: u64, told: Option<(i64, Option<u64>)>) -> UsageHour {
    UsageHour {
        calls,
        pauses: 1,
        took: Duration::from_millis(calls * 100),
        credits: calls * 10,
        told: told.map(|(after, left)| ToldLeft { at: at(second + after), left }),
        ..UsageHour::new(at(second))
    }
}

pub async fn what_accounts_were_asked_adds_up_by_the_hour(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.accounts.left);
    assert_eq!(store.usage(workspace, id, at(0)).await.unwrap(), []);
    let add = async |more: UsageHour| store.add_usage(workspace, id, &more, at(0)).await;
    add(asked(HOUR, 3, Some((10, Some(70))))).await.unwrap();
    add(asked(0, 1, None)).await.unwrap();
    add(asked(HOUR, 4, Some((20, Some(30))))).await.unwrap();
    let both = UsageHour { pauses: 2, ..asked(HOUR, 7, Some((20, Some(30)))) };
    assert_eq!(store.usage(workspace, id, at(0)).await.unwrap(), [both, asked(0, 1, None)]);
    assert_eq!(store.usage(workspace, id, at(1)).await.unwrap(), [both], "newer ones");
    let newest = async || store.usage(workspace, id, at(HOUR)).await.unwrap();
    add(asked(HOUR, 1, None)).await.unwrap();
    let untold = UsageHour { pauses: 3, ..asked(HOUR, 8, Some((20, Some(30)))) };
    assert_eq!(newest().await, [untold], "nothing was said since");
    add(asked(HOUR, 1, Some((19, Some(500))))).await.unwrap();
    let older = UsageHour { pauses: 4, ..asked(HOUR, 9, Some((20, Some(30)))) };
    assert_eq!(newest().await, [older], "another process was told before");
    add(asked(HOUR, 1, Some((21, None)))).await.unwrap();
    let enough = UsageHour { pauses: 5, ..asked(HOUR, 10, Some((21, None))) };
    assert_eq!(newest().await, [enough], "enough are left not to tell");

    let right = bench.accounts.right;
    assert_eq!(store.usage(workspace, right, at(0)).await.unwrap(), [], "another account");
    let elsewhere = WorkspaceId(bench.id());
    assert_eq!(store.usage(elsewhere, id, at(0)).await.unwrap(), [], "another workspace");
    for (workspace, id) in [(elsewhere, id), (workspace, AccountId(bench.id()))] {
        let refused = store.add_usage(workspace, id, &asked(0, 1, None), at(0)).await;
        assert!(matches!(refused, Err(Error::NotFound("account"))), "{refused:?}");
    }
}

pub async fn what_accounts_were_asked_is_forgotten_in_time(bench: Bench) {
    let (store, workspace, accounts) = (&bench.store, bench.workspace, bench.accounts);
    for id in [accounts.left, accounts.right] {
        for hour in 0..3 {
            store.add_usage(workspace, id, &asked(hour * HOUR, 1, None), at(0)).await.unwrap();
        }
    }
    let newest = asked(3 * HOUR, 1, None);
    store.add_usage(workspace, accounts.left, &newest, at(2 * HOUR)).await.unwrap();
    let kept = store.usage(workspace, accounts.left, at(0)).await.unwrap();
    assert_eq!(kept, [newest, asked(2 * HOUR, 1, None)]);
    let untouched = store.usage(workspace, accounts.right, at(0)).await.unwrap();
    assert_eq!(untouched.len(), 3, "each account forgets its own");
}
