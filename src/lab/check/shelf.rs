//! The records of both apps, to be found by address and by id.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::row::Row;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    pub(super) fn missing(self) -> Problem {
        match self {
            Self::Left => Problem::MissingLeft,
            Self::Right => Problem::MissingRight,
        }
    }
}

/// The records of one app.
pub(super) struct Shelf<'a> {
    by_address: BTreeMap<&'a str, Vec<&'a Row>>,
    by_id: BTreeMap<&'a str, &'a Row>,
}

impl<'a> Shelf<'a> {
    fn new(rows: &'a [Row]) -> Self {
        let mut shelf = Self { by_address: BTreeMap::new(), by_id: BTreeMap::new() };
        for row in rows {
            shelf.by_address.entry(row.address()).or_default().push(row);
            shelf.by_id.insert(&row.id, row);
        }
        shelf
    }

    /// The records with this address; with an empty one, those that have none.
    pub(super) fn with_address(&self, address: &str) -> Vec<&'a Row> {
        self.by_address.get(address).cloned().unwrap_or_default()
    }

    pub(super) fn with_id(&self, id: &str) -> Option<&'a Row> {
        self.by_id.get(id).copied()
    }
}

pub(super) struct Shelves<'a> {
    left: Shelf<'a>,
    right: Shelf<'a>,
}

impl<'a> Shelves<'a> {
    pub(super) fn new(left: &'a [Row], right: &'a [Row]) -> Self {
        Self { left: Shelf::new(left), right: Shelf::new(right) }
    }

    pub(super) fn of(&self, side: Side) -> &Shelf<'a> {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// Every address that either app has.
    pub(super) fn addresses(&self) -> BTreeSet<&'a str> {
        let all = self.left.by_address.keys().chain(self.right.by_address.keys());
        all.copied().filter(|address| !address.is_empty()).collect()
    }
}
