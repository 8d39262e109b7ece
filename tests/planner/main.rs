//! The planner: cases that anybody can read (`cases/*.yaml`) and the laws of the engine as properties.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod cases;
mod laws;
mod matching_laws;
mod normal_laws;
mod races;
mod review;
mod world;
