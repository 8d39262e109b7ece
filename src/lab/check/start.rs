//! Somebody as they were when they moved in.

use super::kommo;
use super::row::Row;
use super::shelf::Side;
use super::zoho;
use crate::lab::people::{Kind, Moved, Person};

pub(super) struct Start {
    pub(super) kind: Kind,
    left: Vec<Row>,
    right: Vec<Row>,
}

impl Start {
    pub(super) fn of(person: &Person, moved: &Moved) -> Self {
        let mut left: Vec<Row> =
            person.left.iter().map(|contact| kommo::row(contact, moved)).collect();
        let mut right: Vec<Row> =
            person.right.iter().map(|record| zoho::row(record, moved)).collect();
        let left_ids = moved.left_ids.get(&person.number).into_iter().flatten();
        for (row, id) in left.iter_mut().zip(left_ids) {
            row.id = id.to_string();
        }
        let right_ids = moved.right_ids.get(&person.number).into_iter().flatten();
        for (row, id) in right.iter_mut().zip(right_ids) {
            row.id.clone_from(id);
        }
        Self { kind: person.kind, left, right }
    }

    /// Nothing is known of somebody who came later.
    pub(super) fn unknown() -> Self {
        Self { kind: Kind::Plain, left: Vec::new(), right: Vec::new() }
    }

    pub(super) fn rows(&self, side: Side) -> &[Row] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Row> {
        self.left.iter().chain(&self.right)
    }

    pub(super) fn address(&self) -> &str {
        self.all().next().map_or("", Row::address)
    }

    pub(super) fn was_opted_out(&self) -> bool {
        self.all().any(Row::is_opted_out)
    }
}
