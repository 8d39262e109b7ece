//! What stops a run. What concerns single records never does.

use crate::connectors;
use crate::record::Side;
use crate::store;

/// What stops a run. What concerns single records never does.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another worker runs this connection; it was asked to run once more.
    #[error("another worker runs this connection")]
    Busy,
    /// Another configuration was published while it ran: the next run goes on with that.
    #[error("the configuration was changed meanwhile")]
    Changed,
    /// The process is to end: the next start goes on with the run.
    #[error("the process is to end")]
    Stopped,
    /// The store failed, or the lease is lost.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An app failed.
    #[error("on the {side:?} side: {error}")]
    App {
        /// Which side.
        side: Side,
        /// How.
        #[source]
        error: connectors::Error,
    },
    /// So many linked records of this side are gone at once that a person must look first.
    #[error("{gone} of {links} linked records of the {side:?} side are gone at once")]
    SideLost {
        /// Which side.
        side: Side,
        /// How many.
        gone: u64,
        /// Of how many.
        links: u64,
    },
}

impl RunError {
    /// The code of [`RunError::SideLost`].
    pub(super) const SIDE_LOST: &str = "side_lost";

    /// Its code in the history.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Busy => "busy".to_owned(),
            Self::Changed => "changed".to_owned(),
            Self::Stopped => "stopped".to_owned(),
            Self::Store(store::Error::Fenced) => "fenced".to_owned(),
            Self::Store(_) => "store".to_owned(),
            Self::App { error, .. } => error.code.clone(),
            Self::SideLost { .. } => Self::SIDE_LOST.to_owned(),
        }
    }
}
