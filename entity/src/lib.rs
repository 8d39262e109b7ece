//! The tables of Concord, one per file, as SeaORM entities without logic.
//!
//! Every tenant table has its workspace first in its primary key. Times are microseconds since 1970
//! in UTC; words of an enumeration are spelled as serde spells them; documents are JSON as text.
//! What the columns mean for the house is said in `src/store/rows`.

pub mod account;
pub mod account_description;
pub mod account_secret;
pub mod account_usage;
pub mod app_registration;
pub mod authorization_request;
pub mod config_version;
pub mod connection;
pub mod connection_feed;
pub mod create_intent;
pub mod create_intent_key;
pub mod delivery;
pub mod draft;
pub mod endpoint;
pub mod feed;
pub mod hint;
pub mod idempotency;
pub mod issue;
pub mod lease;
pub mod link;
pub mod link_end;
pub mod op;
pub mod pending;
pub mod plan;
pub mod plan_item;
pub mod record_outcome;
pub mod run;
pub mod seen;
pub mod seen_key;
pub mod sync;
pub mod workspace;
