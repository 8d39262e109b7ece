//! The reference connector: an app in this process, with faults to order. It has the habits that real
//! apps have (times in whole seconds, small pages, a search that lags, forms of its own) and is what
//! the conformance suite and the simulation are first tried on.

mod connector;
mod cursor;
mod faults;
mod habits;
mod subscriptions;
mod vendor;

pub use connector::MemoryConnector;
pub use faults::{Fault, Faults};
pub use habits::{Author, Event, Habits};
pub use vendor::Vendor;
