//! Two connections of one account: what each reads and writes of it is known to both.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use concord::record::{Side, Value};
use concord::store::Trigger;

use crate::house::{House, text};

/// More steps than a run of this size has.
const STEPS: usize = 400;

/// One connection is held up after each step of its run. Meanwhile the other carries an edit into the app
/// that both read: nothing of it is taken back by what the first has read before.
#[tokio::test]
async fn a_page_that_was_read_before_anothers_write_takes_nothing_back() {
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
        one.edit(Side::Left, "ana@x.es", "phone", Value::Phone("600123456".into()));
        other.edit(Side::Right, "ana@x.es", "city", text("Lugo"));
        {
            let mut run = pin!(one.run_at_once());
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..steps {
                if let Poll::Ready(ran) = run.as_mut().poll(&mut context) {
                    ran.unwrap();
                    is_over = true;
                    break;
                }
            }
            other.run_at_once().await.unwrap();
            assert_eq!(one.get(Side::Left, "ana@x.es", "city"), text("Lugo"));
            if !is_over {
                run.await.unwrap();
            }
        }
        // Only what was told of is read again.
        other.hint(Side::Right, &eva).await;
        other.run_because(Trigger::Webhook).await.unwrap();
        for _ in 0..2 {
            for house in [&one, &other] {
                for side in Side::BOTH {
                    assert_eq!(
                        house.get(side, "ana@x.es", "phone"),
                        Value::Phone("600123456".into()),
                        "{steps}"
                    );
                }
            }
            let third = other.get(Side::Right, "ana@x.es", "city");
            assert_eq!(third, text("Lugo"), "taken back after step {steps}");
            one.run().await.unwrap();
            other.run().await.unwrap();
        }
        assert_eq!(one.get(Side::Right, "ana@x.es", "city"), text("Lugo"), "{steps}");
        steps += 1;
        assert!(steps < STEPS, "it is never over");
    }
    assert!(steps > 20, "it was held up often enough: {steps}");
}
