//! What runs, and when: nudges wake connections, and every connection wakes itself when something of
//! it is due. The truth is in the store; a nudge that is lost or comes twice is harmless.

mod dispatcher;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::accounts::Accounts;
use crate::ports::Clock;
use crate::runner::Runner;
use crate::store::{ConnectionId, Store, Trigger, WorkspaceId};

pub use dispatcher::Dispatcher;

/// A connection to be run, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nudge {
    pub(crate) workspace: WorkspaceId,
    pub(crate) connection: ConnectionId,
    pub(crate) trigger: Trigger,
}

/// The way to wake connections.
#[derive(Clone)]
pub struct Jobs {
    nudges: mpsc::UnboundedSender<Nudge>,
}

impl Jobs {
    /// The way to wake connections, and who runs them.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        accounts: Arc<Accounts>,
        runner: Arc<Runner>,
        clock: Arc<dyn Clock>,
    ) -> (Self, Dispatcher) {
        let (nudges, inbox) = mpsc::unbounded_channel();
        (Self { nudges }, Dispatcher::new(inbox, store, accounts, runner, clock))
    }

    /// Wakes a connection. It runs at once, or once more after the run that goes on.
    pub fn nudge(&self, workspace: WorkspaceId, connection: ConnectionId, trigger: Trigger) {
        // Without a dispatcher the process is ending; the next one looks at what is due.
        let _ = self.nudges.send(Nudge { workspace, connection, trigger });
    }
}
