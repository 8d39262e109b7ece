//! The brake: how much may happen before a person is asked. Counted per direction over a sliding day,
//! planned and executed together, across runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::item::{Item, Op, OpKind};
use crate::record::{FieldId, PerSide, Side};

/// What the brake counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BrakeClass {
    /// Records that are deleted or marked as deleted.
    Deletions,
    /// Records of which a field is emptied.
    Clears,
    /// Records that are made.
    Creates,
    /// Records in which one and the same field is written.
    OneField,
}

impl BrakeClass {
    /// Whether it counts what the first run of a sync does, too: that may make and write much, but
    /// destroys no more than any other.
    fn counts_in_first_runs(self) -> bool {
        matches!(self, Self::Deletions | Self::Clears)
    }
}

/// How many of a kind may happen in a day: a share of the active links, but at least `floor` and at
/// most `ceiling`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// As many are always allowed.
    pub floor: u64,
    /// Percent of the active links.
    pub percent: u64,
    /// Never more than this.
    #[serde(default)]
    pub ceiling: Option<u64>,
}

impl Limit {
    fn of(self, active_links: u64) -> u64 {
        let share = active_links.saturating_mul(self.percent) / 100;
        share.max(self.floor).min(self.ceiling.unwrap_or(u64::MAX))
    }
}

/// The limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// For deletions and deletion marks.
    pub deletions: Limit,
    /// For emptied fields, counted in records.
    pub clears: Limit,
    /// For new records; not during a sync's first run.
    pub creates: Limit,
    /// For records in which the same field is written; not during a sync's first run.
    pub one_field: Limit,
}

impl Default for Thresholds {
    fn default() -> Self {
        let few = Limit { floor: 5, percent: 2, ceiling: Some(500) };
        Self {
            deletions: few,
            clears: few,
            creates: Limit { floor: 50, percent: 10, ceiling: None },
            one_field: Limit { floor: 20, percent: 50, ceiling: None },
        }
    }
}

/// What an op counts as: the class, with the field where it counts by field.
pub type Counted = (BrakeClass, Option<FieldId>);

/// What was done in the last 24 hours, per written side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(PerSide<BTreeMap<Counted, u64>>);

impl History {
    /// Adds so many ops that write a side and count as this. `is_first` tells whether they were done
    /// in a first run.
    pub fn add(&mut self, side: Side, counted: &[Counted], is_first: bool, ops: u64) {
        for counted in counted.iter().filter(|(class, _)| !is_first || class.counts_in_first_runs())
        {
            *self.0.of_mut(side).entry(counted.clone()).or_default() += ops;
        }
    }

    /// How many records of a side count as this.
    #[must_use]
    pub fn count(&self, side: Side, counted: &Counted) -> u64 {
        self.0.of(side).get(counted).copied().unwrap_or_default()
    }
}

/// The brake of one run: a fold over its items.
#[derive(Clone, Debug)]
pub struct Brake {
    thresholds: Thresholds,
    active_links: u64,
    first_run: PerSide<bool>,
    done: History,
}

impl Brake {
    /// A brake for a run. `first_run` tells, by the side that is written, whether the sync that
    /// writes there runs for the first time.
    #[must_use]
    pub fn new(
        thresholds: Thresholds,
        active_links: u64,
        first_run: PerSide<bool>,
        history: History,
    ) -> Self {
        Self { thresholds, active_links, first_run, done: history }
    }

    /// The same brake for what nobody agreed to: it excuses no first run.
    #[must_use]
    pub fn without_first_runs(&self) -> Self {
        Self { first_run: PerSide::default(), ..self.clone() }
    }

    /// Lets an item through and counts it, or names the class that holds it, and counts nothing. An
    /// item's consent op never waits, whatever this says.
    ///
    /// # Errors
    /// The class whose limit the item would exceed, with the side that would be written.
    pub fn admit(&mut self, item: &Item) -> Result<(), (Side, BrakeClass)> {
        let mut after = self.done.clone();
        for op in item.ops.iter().filter(|op| op.kind != OpKind::Consent) {
            let is_first = *self.first_run.of(op.side);
            for counted in counted(op) {
                if is_first && !counted.0.counts_in_first_runs() {
                    continue;
                }
                after.add(op.side, std::slice::from_ref(&counted), is_first, 1);
                if after.count(op.side, &counted) > self.limit(counted.0) {
                    return Err((op.side, counted.0));
                }
            }
        }
        self.done = after;
        Ok(())
    }

    fn limit(&self, class: BrakeClass) -> u64 {
        let limit = match class {
            BrakeClass::Deletions => self.thresholds.deletions,
            BrakeClass::Clears => self.thresholds.clears,
            BrakeClass::Creates => self.thresholds.creates,
            BrakeClass::OneField => self.thresholds.one_field,
        };
        limit.of(self.active_links)
    }
}

/// What an op counts as.
#[must_use]
pub fn counted(op: &Op) -> Vec<Counted> {
    match op.kind {
        OpKind::Mark => vec![(BrakeClass::Deletions, None)],
        // Nothing takes a conversion back either.
        OpKind::Create | OpKind::Convert => vec![(BrakeClass::Creates, None)],
        OpKind::Fields => {
            let clears = (op.clears() > 0).then_some((BrakeClass::Clears, None));
            let fields = op.fields.keys().map(|field| (BrakeClass::OneField, Some(field.clone())));
            clears.into_iter().chain(fields).collect()
        }
        // Tags that are added harm nobody; the set of tags counts as one field where it loses.
        OpKind::Tags if !op.tags.remove.is_empty() => {
            let tags = op.decisions.first().map(|decision| decision.field.clone());
            vec![(BrakeClass::OneField, tags)]
        }
        OpKind::Consent | OpKind::Tags => Vec::new(),
    }
}

/// Whether so many of a side's linked records are suddenly gone that nothing may be done before a
/// person looks: more than 30 % of the active links, and more than a handful.
#[must_use]
pub fn has_lost_too_much(active_links: u64, newly_gone: u64) -> bool {
    newly_gone > 5 && newly_gone.saturating_mul(100) > active_links.saturating_mul(30)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::{Outcome, TagChange};
    use crate::record::Value;
    use std::collections::BTreeSet;

    fn item(kind: OpKind, fields: &[(&str, &str)]) -> Item {
        let value = |text: &str| match text {
            "" => Value::Cleared,
            text => Value::Text(text.into()),
        };
        let op = Op {
            side: Side::Right,
            kind,
            object: "contacts".into(),
            id: None,
            revision: None,
            fields: fields.iter().map(|(id, text)| ((*id).into(), value(text))).collect(),
            tags: TagChange::default(),
            becomes: None,
            after: None,
            decisions: vec![],
        };
        Item {
            records: PerSide::default(),
            outcome: Outcome::Updated,
            ops: vec![op],
            link: None,
            is_new_link: false,
            entries: BTreeMap::new(),
            findings: BTreeSet::new(),
        }
    }

    fn admitted(brake: &mut Brake, item: &Item, tries: usize) -> usize {
        (0..tries).filter(|_| brake.admit(item).is_ok()).count()
    }

    fn brake(links: u64, first_run: bool) -> Brake {
        let first = PerSide { left: first_run, right: first_run };
        Brake::new(Thresholds::default(), links, first, History::default())
    }

    #[test]
    fn deletions_stop_at_two_percent_but_not_before_five() {
        let mark = item(OpKind::Mark, &[]);
        assert_eq!(admitted(&mut brake(10, false), &mark, 100), 5);
        assert_eq!(admitted(&mut brake(1_000, false), &mark, 100), 20);
        assert_eq!(admitted(&mut brake(1_000_000, false), &mark, 1_000), 500);
    }

    #[test]
    fn clears_are_counted_in_records() {
        let clear = item(OpKind::Fields, &[("a", ""), ("b", "")]);
        assert_eq!(admitted(&mut brake(10, false), &clear, 100), 5);
    }

    #[test]
    fn creates_are_free_in_a_first_run_and_clears_are_not() {
        let (create, clear) = (item(OpKind::Create, &[]), item(OpKind::Fields, &[("a", "")]));
        assert_eq!(admitted(&mut brake(10, false), &create, 100), 50);
        assert_eq!(admitted(&mut brake(10, true), &create, 100), 100);
        assert_eq!(admitted(&mut brake(10, true), &clear, 100), 5);
    }

    #[test]
    fn one_field_in_half_of_the_links_is_too_much() {
        let write = item(OpKind::Fields, &[("city", "x")]);
        let other = item(OpKind::Fields, &[("name", "x")]);
        let mut brake = brake(100, false);
        assert_eq!(admitted(&mut brake, &write, 100), 50);
        assert_eq!(admitted(&mut brake, &other, 30), 30);
    }

    #[test]
    fn what_was_done_today_counts() {
        let mut history = History::default();
        history.add(Side::Right, &[(BrakeClass::Deletions, None)], false, 4);
        let first = PerSide::default();
        let mut brake = Brake::new(Thresholds::default(), 10, first, history);
        assert_eq!(admitted(&mut brake, &item(OpKind::Mark, &[]), 10), 1);
    }

    #[test]
    fn what_a_first_run_did_counts_only_where_it_destroyed() {
        let mut history = History::default();
        let clear = item(OpKind::Fields, &[("city", ""), ("name", "x")]);
        for done in [item(OpKind::Create, &[]), clear, item(OpKind::Mark, &[])] {
            history.add(Side::Right, &counted(&done.ops[0]), true, 3);
            history.add(Side::Left, &counted(&done.ops[0]), false, 2);
        }
        let counts = [
            (BrakeClass::Deletions, None, 3, 2),
            (BrakeClass::Clears, None, 3, 2),
            (BrakeClass::Creates, None, 0, 2),
            (BrakeClass::OneField, Some("city".into()), 0, 2),
            (BrakeClass::OneField, Some("name".into()), 0, 2),
        ];
        for (class, field, right, left) in counts {
            let counted = (class, field);
            let found = (history.count(Side::Right, &counted), history.count(Side::Left, &counted));
            assert_eq!(found, (right, left), "{counted:?}");
        }
    }

    #[test]
    fn an_opt_out_is_never_counted() {
        let consent = item(OpKind::Consent, &[("opt_out", "x")]);
        assert_eq!(admitted(&mut brake(0, false), &consent, 10_000), 10_000);
    }

    #[test]
    fn a_side_that_reads_empty_stops_everything() {
        assert!(has_lost_too_much(6, 6));
        assert!(has_lost_too_much(100, 31));
        assert!(!has_lost_too_much(100, 30));
        assert!(!has_lost_too_much(3, 3));
    }
}
