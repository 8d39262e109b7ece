//! Who asks, and what they may do. A request proves it with a token that this server signed; the
//! workspace comes from the token only, never from a header or an argument.

mod token;

use serde::{Deserialize, Serialize};

pub use token::{Admitted, Refused, Tokens};

pub use crate::store::WorkspaceId;

/// What somebody may do in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// The daily work: runs, approvals, settings.
    Operator,
    /// Looking.
    Viewer,
}

impl Role {
    /// Whether it may change anything.
    #[must_use]
    pub fn may_write(self) -> bool {
        match self {
            Self::Owner | Self::Operator => true,
            Self::Viewer => false,
        }
    }
}

/// Somebody who proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The workspace that they act in; they see no other.
    pub workspace: WorkspaceId,
    /// Their name, for the record of what was done.
    pub subject: String,
    /// What they may do.
    pub role: Role,
}
