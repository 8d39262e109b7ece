//! What happens in the apps while a long run goes on.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use concord::connectors::memory::Faults;
use concord::record::Side;

use crate::house::{House, text};

#[tokio::test]
async fn who_turns_up_on_the_other_side_during_a_long_run_is_not_made_there() {
    let house = House::new(|_| {}).await;
    for number in 0..220 {
        house.make(Side::Left, &format!("{number}@x.es"), &[("city", "Vigo")]);
    }
    house.make(Side::Left, "zoe@x.es", &[("city", "Vigo")]);
    let mut run = pin!(house.run());
    let made = || house.vendors.right.history().len();
    // Longer than anything is known for sure, and never longer than the lease without a sign of life.
    for _ in 0..2 {
        let before = made();
        go_on_until(run.as_mut(), || made() > before).await;
        house.clock.advance(Duration::from_secs(40));
    }
    house.make(Side::Right, "zoe@x.es", &[("city", "Lugo")]);
    run.await.unwrap();
    house.run().await.unwrap();
    let emails = house.emails(Side::Right);
    assert_eq!(emails.iter().filter(|email| *email == "zoe@x.es").count(), 1);
    assert_eq!(emails.len(), 221, "everybody else is made");
    house.edit(Side::Left, "zoe@x.es", "city", text("Sada"));
    house.run().await.unwrap();
    assert_eq!(house.get(Side::Right, "zoe@x.es", "city"), text("Sada"), "they are linked");
}

#[tokio::test]
async fn whoever_comes_to_both_sides_during_a_run_is_there_once() {
    let mut points = 0;
    for point in 1.. {
        let house = House::new(|_| {}).await;
        // The left takes longer to be read.
        for number in 0..60 {
            house.make(Side::Left, &format!("{number}@x.es"), &[("city", "Vigo")]);
        }
        let mut run = pin!(house.run());
        if !goes_on(run.as_mut(), point).await {
            break;
        }
        points = point;
        house.clock.advance(Duration::from_millis(1));
        for side in Side::BOTH {
            house.make(side, "zoe@x.es", &[("city", "Lugo")]);
        }
        house.clock.advance(Duration::from_millis(1));
        run.await.unwrap();
        house.run().await.unwrap();
        for side in Side::BOTH {
            let emails = house.emails(side);
            let there = emails.iter().filter(|email| *email == "zoe@x.es").count();
            assert_eq!((there, emails.len()), (1, 61), "{side:?}, point {point}");
        }
    }
    assert!(points > 20, "{points} points");
}

#[tokio::test]
async fn one_side_is_read_to_its_end_though_the_other_cannot_be_read() {
    let house = House::new(|_| {}).await;
    for number in 0..120 {
        house.make(Side::Right, &format!("{number}@x.es"), &[("city", "Vigo")]);
    }
    let vendor = &house.vendors.left;
    vendor.order_faults(1, Faults { lost_before: 1000, ..Faults::default() });
    assert!(house.run().await.is_err());
    vendor.stop_faults();
    assert_eq!(house.known(Side::Right).await, 120);
}

/// Lets something go on for so many steps. False if it was over before.
async fn goes_on<T>(mut going: Pin<&mut impl Future<Output = T>>, steps: usize) -> bool {
    let mut left = steps;
    poll_fn(|context| {
        if going.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        left -= 1;
        if left == 0 {
            return Poll::Ready(true);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Lets something go on, step by step, until it has come so far.
async fn go_on_until<T>(mut going: Pin<&mut impl Future<Output = T>>, is_so: impl Fn() -> bool) {
    poll_fn(|context| {
        if is_so() {
            return Poll::Ready(());
        }
        assert!(going.as_mut().poll(context).is_pending(), "it is over too soon");
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
