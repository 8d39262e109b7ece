//! Speaking HTTP with the world: one client with limits on time and size, no redirects and no proxy,
//! the pace at which an account may be asked, and a count of what it was asked. Knows no app. Nothing that went over the wire is
//! ever part of an error.

mod client;
mod line;
mod meter;
mod pace;

pub use client::{Answer, Error, Http, Method, Request, Wire};
pub use line::{Line, Pause};
pub use meter::{Left, Meter, Metered};
pub use pace::{Pace, Rest};
