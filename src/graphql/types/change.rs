//! Changes: what was written to whom, and why.

use async_graphql::{ID, Object, SimpleObject};

use super::{Side, Value};
use crate::planner::{Cause, Op, OpKind};
use crate::store::{OpRow, OpState};

/// One write to one record.
pub struct Change(pub(in crate::graphql) OpRow);

/// One field of it.
#[derive(SimpleObject)]
pub struct ChangedField {
    /// The field.
    field: String,
    /// What was there before, where that was known.
    before: Option<Value>,
    /// What was written.
    after: Option<Value>,
    /// The element that a set gained or lost.
    element: Option<Value>,
    /// Why, in one sentence.
    why: String,
    /// The entry of the mapping that asked for it.
    entry: Option<String>,
    /// The row of the merge table that decided, from 1 to 9.
    row: Option<u8>,
}

/// What an op does to each field, with its reason.
pub(super) fn changed_fields(op: &Op) -> Vec<ChangedField> {
    op.decisions
        .iter()
        .map(|decision| {
            let (why, entry, row) = reason(&decision.cause, op.kind);
            ChangedField {
                field: decision.field.to_string(),
                before: decision.before.as_ref().map(Value::from),
                after: op.fields.get(&decision.field).map(Value::from),
                element: decision.element.as_ref().map(Value::from),
                why,
                entry,
                row,
            }
        })
        .collect()
}

fn reason(cause: &Cause, kind: OpKind) -> (String, Option<String>, Option<u8>) {
    match cause {
        Cause::Entry { entry, row } => {
            let number = row.number();
            let why = match number {
                _ if kind == OpKind::Create => {
                    "the record was made, and this is what its partner had"
                }
                2 => "the two records met for the first time, and this value stands",
                6 => "it was changed on the other side, and not here",
                7 => "it was changed on both sides, and nothing carries this side's change back",
                8 => "it was changed on both sides, and one of them had emptied it",
                9 => "it was changed on both sides, and the other is the preferred one",
                _ => "the mapping asked for it",
            };
            (why.to_owned(), Some(entry.0.clone()), Some(number))
        }
        Cause::StandIn { entry } => {
            let why = "the source has nothing, and the mapping names a stand-in";
            (why.to_owned(), Some(entry.0.clone()), None)
        }
        Cause::Consent { .. } => {
            ("the other side says that the person opted out".to_owned(), None, None)
        }
        Cause::Deletion => ("its partner was deleted".to_owned(), None, None),
        Cause::Reappearance => ("its partner is there again".to_owned(), None, None),
    }
}

#[Object]
impl Change {
    /// Its id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().replacen("op_", "chg_", 1).into()
    }

    /// The run that made it.
    async fn run_id(&self) -> ID {
        self.0.run.to_string().into()
    }

    /// The side that was written.
    async fn side(&self) -> Side {
        self.0.op.side.into()
    }

    /// `consent`, `create`, `fields`, `tags`, `mark` or `convert`.
    async fn kind(&self) -> &str {
        self.0.op.kind.name()
    }

    /// The object that was written, such as `Contacts`.
    async fn object(&self) -> &str {
        self.0.op.object.as_str()
    }

    /// The object of which it is a record from then on, where it was converted.
    async fn becomes(&self) -> Option<&str> {
        self.0.op.becomes.as_ref().map(|becomes| becomes.object.as_str())
    }

    /// The record that was written, by its id in the app.
    async fn record_id(&self) -> Option<String> {
        self.0.target.as_ref().map(ToString::to_string)
    }

    /// `PLANNED`, `SENT`, `UNKNOWN`, `APPLIED`, `REJECTED` or `DROPPED`.
    async fn state(&self) -> &str {
        match self.0.state {
            OpState::Planned => "PLANNED",
            OpState::Sent => "SENT",
            OpState::Unknown => "UNKNOWN",
            OpState::Applied => "APPLIED",
            OpState::Rejected => "REJECTED",
            OpState::Dropped => "DROPPED",
        }
    }

    /// The code of the error that it came to.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// When it was sent.
    async fn at(&self) -> Option<String> {
        self.0.sent_at.map(|at| at.to_string())
    }

    /// What it did to each field, and why.
    async fn fields(&self) -> Vec<ChangedField> {
        changed_fields(&self.0.op)
    }

    /// Tags that it added.
    async fn tags_added(&self) -> &[String] {
        &self.0.op.tags.add
    }

    /// Tags that it removed.
    async fn tags_removed(&self) -> &[String] {
        &self.0.op.tags.remove
    }
}
