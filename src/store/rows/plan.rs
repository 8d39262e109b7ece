//! Plans that a person decides upon.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectionId, RunId};
use crate::planner::{Item, Report};

/// What a run would do, put before a person.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRow {
    /// The preview run that made it.
    pub id: RunId,
    /// Its connection.
    pub connection: ConnectionId,
    /// The configuration version that it was made with; of a preview, the one that publishing its draft
    /// would make.
    pub version: u32,
    /// A fingerprint of all of it; who approves names what was seen.
    pub hash: String,
    /// What it comes to.
    pub report: Report,
    /// How it stands.
    pub state: PlanState,
    /// When it was made.
    pub made_at: Timestamp,
    /// When somebody decided.
    pub decided_at: Option<Timestamp>,
    /// Who decided.
    pub decided_by: Option<String>,
}

/// How a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanState {
    /// Its run goes on, or was cut off; or it is the same as one that waits. The next one takes its
    /// place.
    Building,
    /// It is complete and nobody has decided. One of a connection waits at a time.
    Waiting,
    /// A person agreed to exactly this.
    Approved,
    /// A person did not agree.
    Refused,
    /// A newer one took its place before anybody decided.
    Superseded,
    /// Nobody is to decide: it tells what the draft of its connection would do, as long as that is not
    /// edited. A newer one takes its place.
    Preview,
}

/// One item of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanItem {
    /// Its place in the plan.
    pub number: u64,
    /// The fingerprint of the item.
    pub hash: String,
    /// The item.
    pub item: Item,
}
