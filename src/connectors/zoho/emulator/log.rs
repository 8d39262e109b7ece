//! What was asked of the emulator.

use jiff::Timestamp;

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent.
    pub query: String,
    /// The status of the answer; 0 where the connection broke without one.
    pub status: u16,
    /// When it was answered.
    pub at: Timestamp,
}
