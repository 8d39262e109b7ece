//! Kommo and Zoho CRM kept the same: the whole house below the API, against both emulators, judged from
//! their raw state.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod calls;
mod house;

use concord::planner::OpKind;
use concord::record::Side;
use house::House;

#[tokio::test]
async fn two_crms_become_the_same() {
    for seed in 1..=3 {
        let house = House::new(300, seed).await;
        let first = house.run().await;

        let differences = house.differences();
        assert!(differences.is_empty(), "seed {seed}: {differences:#?}");
        let created = |side: Side| first.writes.of(side).get(&OpKind::Create).copied().unwrap_or(0);
        assert_eq!((created(Side::Left), created(Side::Right)), house.people.expected_created());
        house.forget_requests();
        house.run().await;
        assert_eq!(house.write_requests(), Vec::<String>::new(), "a second run writes nothing");
    }
}
