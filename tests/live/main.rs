//! Webhooks, live: two emulated apps that post to a server in this process, which is driven through its
//! public API. What is measured goes from what a person does in one app to what the other shows.
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

mod arrival;
mod book;
mod budget;
mod busy;
mod deliveries;
mod house;
mod leads;
mod reconnecting;
mod registration;
mod storm;
