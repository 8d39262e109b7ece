//! Runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, FeedId, RunId, SyncProgress};
use crate::planner::Report;
use crate::record::PerSide;

/// Why a run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// The schedule.
    Schedule,
    /// A webhook.
    Webhook,
    /// A person.
    Person,
    /// Another run asked for it.
    Again,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// It writes.
    Sync,
    /// It only plans: what a person has to agree to, or what a draft would do.
    Preview,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// It goes on, or was cut off and will be resumed.
    Running,
    /// It is done.
    Finished,
    /// It was stopped by an error.
    Failed,
}

/// One execution of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Its connection.
    pub connection: ConnectionId,
    /// What it is for.
    pub kind: RunKind,
    /// Why it began.
    pub trigger: Trigger,
    /// How it stands.
    pub state: RunState,
    /// The configuration version that it runs with.
    pub version: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it came to.
    pub report: Report,
    /// The code of the error that stopped it.
    pub error: Option<String>,
    /// How often it was cut off.
    pub cut_off: CutOff,
}

/// How often a run was cut off: the process that it was in ended before it did, and did not put it down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CutOff {
    /// How often that was found when it was resumed.
    pub times: u32,
    /// When it was resumed last.
    pub resumed_at: Option<Timestamp>,
    /// Whether a process that was told to end has put it down.
    pub is_put_down: bool,
}

impl CutOff {
    /// As it is once the run is resumed.
    #[must_use]
    pub fn resumed(self, at: Timestamp) -> Self {
        let times = self.times + u32::from(!self.is_put_down);
        Self { times, resumed_at: Some(at), is_put_down: false }
    }
}

impl RunRow {
    /// Whether it is over and has read everything that changed.
    pub(in crate::store) fn has_read_everything(&self) -> bool {
        self.state == RunState::Finished && self.trigger != Trigger::Webhook
    }
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The run.
    pub id: RunId,
    /// Its connection.
    pub connection: ConnectionId,
    /// How it ended.
    pub state: RunState,
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub report: Report,
    /// The code of the error that stopped it.
    pub error: Option<String>,
    /// What was planned up to; left as it is for feeds that are not named.
    pub planned_to: BTreeMap<FeedId, u64>,
    /// How far each sync is now.
    pub progress: PerSide<SyncProgress>,
}

impl RunEnd {
    /// The run whose plan may be looked at though nobody is to decide upon it: this one, unless it
    /// failed and its plan is not complete.
    pub(crate) fn keeps_plan_of(&self) -> Option<RunId> {
        (self.state != RunState::Failed).then_some(self.id)
    }
}
