//! The server, asked over HTTP as clients and attackers ask it: who is answered, what a request may be,
//! and how much of it. A refused request executes nothing; a mutation that counts its calls tells.
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

mod callback;
mod form;
mod house;
mod identity;
mod limits;
mod page;
mod receiver;
mod socket;
mod world;
