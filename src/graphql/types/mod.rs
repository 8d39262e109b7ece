//! The types of the API.

mod account;
mod advice;
mod app;
mod authorization;
mod brake;
mod budget;
mod change;
mod connection;
mod draft;
mod history;
mod mapping;
mod node;
mod record;
mod rule;
mod value;
mod webhook;
mod words;

pub use account::Account;
pub use app::App;
pub use authorization::{AppRegistration, Authorization};
use brake::Brake;
pub use budget::{Forecast, Quota, UsageHour};
pub use change::Change;
use connection::Configuration;
pub use connection::{Connection, ReviewResult};
pub use draft::ConnectionDraft;
pub use history::{Issue, Plan, PlanItem, Run};
pub use mapping::Entry;
pub use node::Node;
pub use record::RecordStanding;
pub use value::Value;
pub use webhook::{Delivery, Webhook};
pub use words::{
    Acknowledgement, Approval, ConsentPolicy, ConstantWhen, DeletionPolicy, EntryFunction,
    FieldType, FilterOperator, FirstRun, MatchKey, OutcomeName, PhoneFormat, Side, SyncState,
    WritePolicy,
};
