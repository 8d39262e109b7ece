//! What is to be done, and why: from a pair of records and what is remembered of them to an [`Item`].
//!
//! Pure: nothing here may wait, look at a clock, draw a random number, read the environment or talk
//! to anybody. The planner never asks; what it does not know is not in its input.

mod brake;
mod close;
mod confirm;
mod consent;
mod create;
mod deletion;
mod draft;
mod fault;
mod filter;
mod finding;
mod item;
mod key;
mod mapping;
mod matching;
mod merge;
mod moved;
mod pair;
mod plan;
mod publish;
mod recovery;
mod report;
mod review;
mod route;
mod settings;
mod settle;
mod suggest;

pub use brake::{
    Brake, BrakeClass, Counted, History, Limit, Thresholds, counted, has_lost_too_much,
};
pub use fault::{At, Fault, FaultCode, Review, Warning, WarningCode};
pub use filter::{Condition, Filter, Test, Verdict};
pub use finding::{Finding, FindingCode};
pub use item::{
    Cause, Decision, Entered, Failure, Item, Op, OpKind, Outcome, Row, Skip, Standing, TagChange,
    Wait,
};
pub use key::{Key, record_keys};
pub use mapping::{
    Compatibility, ConstantWhen, Entry, Function, NamePart, StandIn, Transform, Unresolved,
    compatibility,
};
pub use matching::{Candidate, Held, Match, heir, match_records, same_person};
pub use pair::{Base, Link, LinkState, Marks, Other, Pair, Presence, Seen, Sent};
pub use plan::plan_pair;
pub use report::Report;
pub use review::review;
pub use settings::{
    Acknowledgement, Acknowledgements, Approval, Channel, ConsentChannel, ConsentPolicy, Cron,
    DeletionPolicy, EntryId, FirstRun, MatchKey, Rule, Settings, SideSettings, Sync, SyncState,
    WritePolicy,
};
pub use suggest::{suggest_consent, suggest_entries};
