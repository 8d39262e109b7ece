//! The made-up people of the demonstration, and the checker that says whether two apps came to the
//! same people.
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

mod edits;
mod faults;
mod generator;
mod kinds;
mod town;
