//! The emulated apps, asked over HTTP as their clients ask them: whether they behave as the
//! published behaviour of the apps says.
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

mod fixtures;
mod kommo;
mod sheet;
mod zoho;
