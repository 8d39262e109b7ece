//! Two connections of one account: what each reads and writes of it is known to both.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use concord::connectors::memory::Author;
use concord::record::{Side, Value};
use concord::store::Trigger;

use crate::house::{House, text};

/// More steps than a run of this size has.
const STEPS: usize = 400;

/// Who gives somebody another city meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moved {
    /// A person in the app that both connections read.
    There,
    /// A person in the app that only the other connection reads.
    Elsewhere,
}

#[tokio::test]
async fn what_was_read_before_an_edit_that_another_has_carried_takes_nothing_back() {
    held_up_at_each_step(Moved::There).await;
}

#[tokio::test]
async fn what_was_read_before_anothers_write_takes_nothing_back() {
    held_up_at_each_step(Moved::Elsewhere).await;
}

/// One connection is held up after each step of its run. Meanwhile the other carries an edit: nothing of it
/// is taken back by what the first has read before.
async fn held_up_at_each_step(moved: Moved) {
    let mut is_over = false;
    let mut steps = 0;
    while !is_over {
        let one = House::new(|_| {}).await;
        let other = one.beside().await;
        one.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
        let eva = other.make(Side::Right, "eva@x.es", &[]);
        for house in [&one, &other, &one, &other] {
            house.run().await.unwrap();
        }
        one.clock.advance(Duration::from_secs(120));
        let phone = Value::Phone("600123456".into());
        one.edit(Side::Left, "ana@x.es", "phone", phone.clone());
        is_over = held_up(&one, steps, async {
            let side = if moved == Moved::There { Side::Left } else { Side::Right };
            other.edit(side, "ana@x.es", "city", text("Lugo"));
            other.run_at_once().await.unwrap();
            for side in Side::BOTH {
                assert_eq!(other.get(side, "ana@x.es", "city"), text("Lugo"), "{moved:?}");
            }
        })
        .await;
        // Only what was told of is read again.
        other.hint(Side::Right, &eva).await;
        other.run_because(Trigger::Webhook).await.unwrap();
        for _ in 0..2 {
            for side in Side::BOTH {
                let city = other.get(side, "ana@x.es", "city");
                assert_eq!(city, text("Lugo"), "{moved:?}: taken back after step {steps}");
                assert_eq!(other.get(side, "ana@x.es", "phone"), phone, "{moved:?}: {steps}");
            }
            one.run().await.unwrap();
            other.run().await.unwrap();
        }
        assert_eq!(one.get(Side::Right, "ana@x.es", "city"), text("Lugo"), "{moved:?}: {steps}");
        steps += 1;
        assert!(steps < STEPS, "it is never over");
    }
    assert!(steps > 20, "it was held up often enough: {steps}");
}

/// A run that is held up after so many steps, while something else happens. Whether it was over before.
async fn held_up(house: &House, steps: usize, meanwhile: impl Future<Output = ()>) -> bool {
    let mut run = pin!(house.run_at_once());
    for _ in 0..steps {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(ran) = run.as_mut().poll(&mut context) {
            ran.unwrap();
            meanwhile.await;
            return true;
        }
    }
    meanwhile.await;
    run.await.unwrap();
    false
}

/// A write of one connection lands upon what the other has read since it was planned: that is known at
/// once, also to a run that reads only others.
#[tokio::test]
async fn what_is_written_upon_something_newer_is_known_at_once() {
    let mut is_over = false;
    let mut steps = 0;
    while !is_over {
        let one = House::new(|_| {}).await;
        let other = one.beside().await;
        one.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
        let crowd: Vec<_> =
            (0..60).map(|nth| one.make(Side::Left, &format!("{nth}@x.es"), &[])).collect();
        for house in [&one, &other, &one, &other] {
            house.run().await.unwrap();
        }
        one.clock.advance(Duration::from_secs(120));
        let phone = Value::Phone("600123456".into());
        one.edit(Side::Right, "ana@x.es", "city", text("Lugo"));
        is_over = held_up(&one, steps, async {
            one.edit(Side::Left, "ana@x.es", "phone", phone.clone());
            other.run_at_once().await.unwrap();
        })
        .await;
        // More than are read at once, and newer than whatever is to be looked at again.
        for id in &crowd {
            one.hint_after(Side::Left, id, Duration::from_secs(1)).await;
        }
        one.run_because(Trigger::Webhook).await.unwrap();
        let edited = one
            .vendors
            .right
            .history()
            .iter()
            .filter(|event| {
                event.by == Author::Engine
                    && event.fields.get(&"city".into()) == Some(&text("Vigo"))
            })
            .count();
        assert_eq!(edited, 1, "made, and not taken back: after step {steps}");
        for _ in 0..2 {
            one.run().await.unwrap();
            other.run().await.unwrap();
        }
        for house in [&one, &other] {
            for side in Side::BOTH {
                assert_eq!(house.get(side, "ana@x.es", "city"), text("Lugo"), "{steps}");
                assert_eq!(house.get(side, "ana@x.es", "phone"), phone, "{steps}");
            }
        }
        steps += 1;
        assert!(steps < STEPS, "it is never over");
    }
    assert!(steps > 20, "it was held up often enough: {steps}");
}
