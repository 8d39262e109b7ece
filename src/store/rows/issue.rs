//! What a person should look at, from its first sight to its end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{ConnectionId, End, IssueId, RunId};
use crate::record::{FieldId, Side};

/// Something that a person should look at. It is open until it is resolved; if it comes back after
/// that, it is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueRow {
    /// Its id.
    pub id: IssueId,
    /// Its connection.
    pub connection: ConnectionId,
    /// What it is.
    pub code: String,
    /// The record, where it is about one.
    pub end: Option<End>,
    /// The side, where it is about one.
    pub side: Option<Side>,
    /// The field, where it is about one.
    pub field: Option<FieldId>,
    /// The run that met it last.
    pub run: RunId,
    /// When it was met first.
    pub first_at: Timestamp,
    /// When it was met last.
    pub last_at: Timestamp,
    /// How often it was met.
    pub times: u32,
    /// When it was over, or a person said so.
    pub resolved_at: Option<Timestamp>,
}

/// All that a run found of a record, or of the whole connection. What it does not list any more is
/// over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuesOf {
    /// The record; none for what is about the whole connection.
    pub end: Option<End>,
    /// The run.
    pub run: RunId,
    /// When it looked.
    pub at: Timestamp,
    /// What it found.
    pub open: Vec<NewIssue>,
    /// The codes and sides of what is not over, though it is not listed: nobody looked.
    pub unseen: BTreeSet<(String, Option<Side>)>,
}

/// Something that was found, new or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIssue {
    /// Its id, should it be new.
    pub id: IssueId,
    /// What it is.
    pub code: String,
    /// The side, where it is about one.
    pub side: Option<Side>,
    /// The field, where it is about one.
    pub field: Option<FieldId>,
}

/// What issues of a record, or of no record, are told apart by.
type Place = (String, Option<Side>, Option<FieldId>);

impl IssuesOf {
    /// What becomes of the issues that were open there, and of those that are new.
    pub(crate) fn compare(&self, connection: ConnectionId, before: Vec<IssueRow>) -> Vec<IssueRow> {
        let mut listed: BTreeMap<Place, IssueId> = BTreeMap::new();
        for issue in &self.open {
            let place = (issue.code.clone(), issue.side, issue.field.clone());
            listed.entry(place).or_insert(issue.id);
        }
        let mut rows = Vec::with_capacity(before.len() + listed.len());
        for row in before {
            let place = (row.code.clone(), row.side, row.field.clone());
            rows.push(match listed.remove(&place) {
                Some(_) => IssueRow {
                    run: self.run,
                    last_at: self.at,
                    times: row.times.saturating_add(1),
                    ..row
                },
                None if self.unseen.contains(&(row.code.clone(), row.side)) => row,
                None => IssueRow { resolved_at: Some(self.at), ..row },
            });
        }
        rows.extend(listed.into_iter().map(|((code, side, field), id)| IssueRow {
            id,
            connection,
            code,
            end: self.end.clone(),
            side,
            field,
            run: self.run,
            first_at: self.at,
            last_at: self.at,
            times: 1,
            resolved_at: None,
        }));
        rows
    }
}
