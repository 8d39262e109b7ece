//! Webhooks against emulated apps: how registrations are looked after, and what becomes of what came.
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

mod expansion;
mod house;
mod registration;
mod unregistered;
