//! Concord keeps contacts, leads and companies the same in pairs of CRMs and marketing apps: two-way,
//! field by field, explained, reversible.
//!
//! The rooms, in reading order. Data flows one way: the planner never asks, the connectors never
//! decide, the store never knows an app.
//!
//! - [`record`]: the words. Records, fields, values and their normal forms. Pure.
//! - [`planner`]: what is to be done, and why: from two records and what is remembered of them to an
//!   item with its writes. Pure.
//! - [`ports`]: what the world gives us, as traits: time, ids and randomness.
//! - [`net`]: speaking HTTP, at the pace that an account may be asked.
//! - [`secrets`]: sealing of credentials at rest.
//! - [`store`]: what is remembered, in memory, SQLite or PostgreSQL: observations, links, runs, the
//!   journal, and the leases under which anything is written.
//! - [`connectors`]: the apps, one folder each: Kommo, Zoho CRM, and the reference app in this process.
//! - [`accounts`]: authorised accounts, and the gate through which everybody speaks to one.
//! - [`webhooks`]: the notifications of apps: where they post, what came, what is read again for it.
//! - [`connections`]: setting connections up: drafts, reviews, starting and stopping.
//! - [`runner`]: the shell of one run: observe, plan, approve, execute, settle, resume.
//! - [`jobs`]: what runs, and when: a queue that may be lost, and a sweep that asks the store.
//! - [`auth`]: who asks, and what they may do.
//! - [`idempotency`]: requests that are done once however often they are sent.
//! - [`graphql`]: the API.
//! - [`http`]: what the server answers: the API, notifications, health, GraphiQL.
//! - [`config`] and [`app`]: all settings, and everything built once.
//! - [`lab`]: what tries the house as a whole: the demo, the emulators' people, the checker, the
//!   simulation.
//!
//! Who may know whom is kept by `tests/architecture.rs`.

pub mod accounts;
pub mod app;
pub mod auth;
pub mod config;
pub mod connections;
pub mod connectors;
pub mod graphql;
pub mod http;
pub mod idempotency;
pub mod jobs;
pub mod lab;
pub mod net;
pub mod planner;
pub mod ports;
pub mod record;
pub mod runner;
pub mod secrets;
pub mod store;
pub mod webhooks;
