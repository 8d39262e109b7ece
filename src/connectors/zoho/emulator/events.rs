//! What happened to records, for those who want to be told.

use serde_json::Value;

use super::catalogue::Module;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    Delete,
    /// A record that it refers to was updated.
    Related,
}

impl Operation {
    pub(super) const ALL: [Self; 4] = [Self::Insert, Self::Update, Self::Delete, Self::Related];

    /// As a delivery names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update | Self::Related => "update",
            Self::Delete => "delete",
        }
    }

    /// As a subscription names it.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Insert => "create",
            Self::Update | Self::Related => "edit",
            Self::Delete => "delete",
        }
    }
}

pub(super) struct Event {
    pub(super) module: Module,
    pub(super) operation: Operation,
    pub(super) id: String,
    /// The fields that are different now, with what they show.
    pub(super) changed: Vec<(String, Value)>,
}
