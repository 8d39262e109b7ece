//! What a person should look at of a whole connection: what stopped a run, what the brake holds, and
//! whether notifications stay away.
//! One issue for each cause; it is over once a run gets past it.

use std::collections::BTreeSet;

use super::RunError;
use super::approval::Mode;
use super::session::Session;
use crate::connectors::ErrorKind;
use crate::planner::BrakeClass;
use crate::record::Side;
use crate::store::{IssueId, IssuesOf, NewIssue, PendingReason, RunRow, Settlement};

/// The issue of a connection one of whose accounts has to be reconnected.
pub const NEEDS_RECONNECTING: &str = "ACCOUNT_NEEDS_RECONNECTING";

/// What can stop a run until a person acts.
const STOPS: [&str; 4] = [NEEDS_RECONNECTING, "ACCOUNT_LACKS_RIGHTS", "APP_FAILED", "SIDE_LOST"];

/// What the brake can hold.
const BRAKES: [BrakeClass; 4] =
    [BrakeClass::Deletions, BrakeClass::Clears, BrakeClass::Creates, BrakeClass::OneField];

/// An app that posts notifications tells nothing of what changes there.
const SILENT: &str = "WEBHOOKS_SILENT";

fn brake_code(class: BrakeClass) -> &'static str {
    match class {
        BrakeClass::Deletions => "BRAKE_DELETIONS",
        BrakeClass::Clears => "BRAKE_CLEARS",
        BrakeClass::Creates => "BRAKE_CREATES",
        BrakeClass::OneField => "BRAKE_ONE_FIELD",
    }
}

fn on_both(
    codes: impl IntoIterator<Item = &'static str>,
) -> impl Iterator<Item = (&'static str, Side)> {
    codes.into_iter().flat_map(|code| Side::BOTH.map(|side| (code, side)))
}

/// All that a run can meet that is about a side.
fn all() -> impl Iterator<Item = (&'static str, Side)> {
    on_both(STOPS.into_iter().chain(BRAKES.map(brake_code)).chain([SILENT]))
}

/// The code and the side of what stopped a run; none where that passes by itself.
fn stop(error: &RunError) -> Option<(&'static str, Side)> {
    match error {
        RunError::SideLost { side, .. } => Some(("SIDE_LOST", *side)),
        RunError::App { side, error } => match error.kind {
            ErrorKind::Unauthorised => Some((NEEDS_RECONNECTING, *side)),
            ErrorKind::Forbidden => Some(("ACCOUNT_LACKS_RIGHTS", *side)),
            ErrorKind::Config
            | ErrorKind::CursorLost
            | ErrorKind::Protocol
            | ErrorKind::Unsupported => Some(("APP_FAILED", *side)),
            ErrorKind::RateLimited | ErrorKind::Unavailable => None,
        },
        RunError::Busy | RunError::Changed | RunError::Stopped | RunError::Store(_) => None,
    }
}

/// The runs of a connection take their process down.
const CUT_OFF: &str = "RUN_CUT_OFF";

/// After how often the connection rests before it is tried again.
pub const CUT_OFF_MAX: u32 = 5;

impl Session<'_> {
    /// Writes down that the process has ended too often while this went on.
    pub(super) async fn tell_cut_off(&self, run: &RunRow) -> Result<(), RunError> {
        if run.cut_off.times < CUT_OFF_MAX {
            return Ok(());
        }
        let id = IssueId(self.runner.ids.next(self.now()));
        let open = vec![NewIssue { id, code: CUT_OFF.to_owned(), side: None, field: None }];
        // Nothing else is over for it.
        self.tell_of_all(open, all().collect()).await
    }

    /// Writes down what the run met. A run that was stopped says nothing of what would have come
    /// after, and a plan nothing of the brake.
    pub(super) async fn tell_causes(&self, outcome: &Result<(), RunError>) -> Result<(), RunError> {
        let mut unseen: BTreeSet<(&str, Side)> = BTreeSet::new();
        let mut found: BTreeSet<(&str, Side)> = BTreeSet::new();
        match outcome {
            Ok(()) => {
                if matches!(self.mode, Mode::Plan(_)) || self.brake_holds().await? {
                    let braked = self.braked.iter();
                    unseen.extend(on_both(BRAKES.map(brake_code)));
                    found.extend(braked.map(|(side, class)| (brake_code(*class), *side)));
                }
                found.extend(self.silent.iter().map(|side| (SILENT, *side)));
                // It is over once something is told, not when nothing changes.
                unseen.extend(self.reading.may_be_silent().map(|side| (SILENT, side)));
            }
            Err(error) => {
                let Some(cause) = stop(error) else { return Ok(()) };
                unseen.extend(all());
                found.insert(cause);
            }
        }
        let open = found.into_iter().map(|(code, side)| NewIssue {
            id: IssueId(self.runner.ids.next(self.now())),
            code: code.to_owned(),
            side: Some(side),
            field: None,
        });
        self.tell_of_all(open.collect(), unseen).await
    }

    async fn tell_of_all(
        &self,
        open: Vec<NewIssue>,
        unseen: BTreeSet<(&str, Side)>,
    ) -> Result<(), RunError> {
        let unseen = unseen.into_iter().map(|(code, side)| (code.to_owned(), Some(side)));
        let (run, at) = (self.run, self.now());
        let of = IssuesOf { end: None, run, at, open, unseen: unseen.collect() };
        self.write_down(Settlement { issues: vec![of], ..Settlement::default() }).await
    }

    /// Whether records still wait for the brake. Those that this run did not look at count too.
    async fn brake_holds(&self) -> Result<bool, RunError> {
        if !self.braked.is_empty() {
            return Ok(true);
        }
        if !self.pending.values().any(|row| row.reason == PendingReason::Brake) {
            return Ok(false);
        }
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let waiting = store.pending(workspace, self.connection.id).await?;
        Ok(waiting.iter().any(|row| row.reason == PendingReason::Brake))
    }
}
