//! Judges one person after the other.

use std::collections::BTreeSet;

use super::comparison::{compare, compare_opt_outs, compare_with_start, find_losses};
use super::row::{MOBILE, PHONE, RECORD, Row};
use super::shelf::{Shelves, Side};
use super::start::Start;
use super::{Difference, Problem};
use crate::lab::people::Kind;

pub(super) struct Judge<'a> {
    shelves: &'a Shelves<'a>,
    /// The addresses of those who were judged.
    judged: BTreeSet<String>,
    pub(super) found: Vec<Difference>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(shelves: &'a Shelves<'a>) -> Self {
        Self { shelves, judged: BTreeSet::new(), found: Vec::new() }
    }

    pub(super) fn judge(&mut self, start: &Start) {
        self.judged.insert(start.address().to_owned());
        match start.kind {
            Kind::NoEmail => self.judge_unmatched(start),
            Kind::SharesAddress => self.judge_sharers(start),
            Kind::TwoCandidates | Kind::Refused => {
                for side in Side::BOTH {
                    self.judge_untouched(side, start);
                }
            }
            Kind::Plain
            | Kind::Cut
            | Kind::OptedOut
            | Kind::NationalPhone
            | Kind::NonLatin
            | Kind::NoLastName => {
                let address = self.address_now(start);
                let [left, right] = Side::BOTH.map(|side| self.records_of(side, &address, start));
                self.judge_pair(&address, start, &left, &right);
            }
        }
    }

    /// Those whose addresses nobody had at the start.
    pub(super) fn judge_newcomers(&mut self) {
        let shelves = self.shelves;
        for address in shelves.addresses() {
            if !self.judged.contains(address) {
                let [left, right] = Side::BOTH.map(|side| shelves.of(side).with_address(address));
                self.judge_pair(address, &Start::unknown(), &left, &right);
            }
        }
    }

    /// The address of the start, unless both apps have another one now.
    fn address_now(&self, start: &Start) -> String {
        let address = start.address();
        let is_known = |side: &Side| !self.shelves.of(*side).with_address(address).is_empty();
        if Side::BOTH.iter().any(is_known) {
            return address.to_owned();
        }
        let now = Side::BOTH.into_iter().flat_map(|side| self.same_records(side, start));
        let mut addresses = now.map(Row::address).filter(|address| !address.is_empty());
        addresses.next().unwrap_or(address).to_owned()
    }

    fn records_of(&self, side: Side, address: &str, start: &Start) -> Vec<&'a Row> {
        let records = self.shelves.of(side).with_address(address);
        if records.is_empty() { self.same_records(side, start) } else { records }
    }

    /// The records of the start, whatever their address is now.
    fn same_records(&self, side: Side, start: &Start) -> Vec<&'a Row> {
        let shelf = self.shelves.of(side);
        start.rows(side).iter().filter_map(|row| shelf.with_id(&row.id)).collect()
    }

    /// Somebody who has to be in both apps, once.
    fn judge_pair(&mut self, person: &str, start: &Start, left: &[&'a Row], right: &[&'a Row]) {
        self.judged.extend(left.iter().chain(right).map(|row| row.address().to_owned()));
        if let ([left], [right]) = (left, right) {
            self.found.extend(compare(person, start.kind, left, right));
            self.found.extend(compare_opt_outs(person, start.was_opted_out(), left, right));
            self.found.extend(find_losses(person, start, left, right));
            return;
        }
        for (side, records) in [(Side::Left, left), (Side::Right, right)] {
            let problem = match records {
                [] => side.missing(),
                [_] => continue,
                _ => Problem::Twice,
            };
            let (left, right) = (ids(left), ids(right));
            self.found.push(Difference::new(person, RECORD, &left, &right, problem));
        }
    }

    /// Somebody with whom nothing was to be done on this side.
    fn judge_untouched(&mut self, side: Side, start: &Start) {
        let shelf = self.shelves.of(side);
        let before = start.rows(side);
        for row in before {
            self.found.extend(compare_with_start(side, row, shelf.with_id(&row.id)));
        }
        let now = shelf.with_address(start.address());
        if now.len() > before.len() {
            let all = ids(&now);
            let person = start.address();
            self.found.push(Difference::on(side, person, RECORD, &all, Problem::Twice));
        }
    }

    /// One of those who share an address comes to the other side; the others stay alone.
    fn judge_sharers(&mut self, start: &Start) {
        let own = if start.rows(Side::Left).is_empty() { Side::Right } else { Side::Left };
        self.judge_untouched(own, start);
        let person = start.address();
        let carried = self.shelves.of(own.other()).with_address(person);
        let [carried] = carried.as_slice() else {
            let problem = if carried.is_empty() { own.other().missing() } else { Problem::Twice };
            let all = ids(&carried);
            self.found.push(Difference::on(own.other(), person, RECORD, &all, problem));
            return;
        };
        let with_each = start.rows(own).iter().map(|row| {
            let (left, right) = if own == Side::Left { (row, *carried) } else { (*carried, row) };
            let mut found = compare(person, start.kind, left, right);
            found.extend(compare_opt_outs(person, row.is_opted_out(), left, right));
            found
        });
        let nearest = with_each.min_by_key(Vec::len);
        self.found.extend(nearest.into_iter().flatten());
    }

    /// Somebody without an address stays alone, and nobody is made from them.
    fn judge_unmatched(&mut self, start: &Start) {
        for side in Side::BOTH {
            for before in start.rows(side) {
                let now = self.shelves.of(side).with_id(&before.id);
                self.found.extend(compare_with_start(side, before, now));
                let person = before.person();
                for side in Side::BOTH {
                    let nameless = self.shelves.of(side).with_address("");
                    let copies = nameless.into_iter().filter(|row| is_copy(row, before));
                    self.found.extend(
                        copies.map(|row| {
                            Difference::on(side, &person, RECORD, &row.id, Problem::Twice)
                        }),
                    );
                }
            }
        }
    }
}

/// Whether another record has one of the phone numbers, which belong to one person each.
fn is_copy(row: &Row, of: &Row) -> bool {
    let is_other = row.app != of.app || row.id != of.id;
    let has_same = |field: &&str| {
        let number = of.means(field);
        !number.is_empty() && row.means(field) == number
    };
    is_other && [PHONE, MOBILE].iter().any(has_same)
}

fn ids(rows: &[&Row]) -> String {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    ids.join(", ")
}
