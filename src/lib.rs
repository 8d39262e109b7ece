//! Concord keeps contacts, leads and companies the same in pairs of CRMs and marketing apps: two-way,
//! field by field, explained, reversible.
//!
//! The rooms, in reading order. Data flows one way: the planner never asks, the connectors never
//! decide, the store never knows an app.
//!
//! - [`record`]: the words. Records, fields, values and their normal forms. Pure.
//! - [`planner`]: what is to be done, and why: from two records and what is remembered of them to an
//!   item with its writes. Pure.
//!
//! Who may know whom is kept by `tests/architecture.rs`.

pub mod connectors;
pub mod lab;
pub mod planner;
pub mod ports;
pub mod record;
pub mod runner;
pub mod store;
