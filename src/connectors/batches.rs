//! Records of one write on their way to an app, in batches that it may refuse as a whole.

use std::collections::BTreeMap;

use super::Written;

/// What became of records so far, by their place among the writes.
pub(super) type Answers = BTreeMap<usize, Written>;

/// Batches that are still to be sent.
pub(super) struct Batches<T>(Vec<Vec<T>>);

/// What to do with a batch that came back.
pub(super) enum Next<T> {
    /// Nothing: each of its records is answered.
    Done,
    /// These of it were certainly not written: they go again.
    Again(Vec<T>),
    /// None of it was written, because of one that nobody named: it goes again in halves. One bad
    /// record among `n` costs at most `2 * log2(n) + 2` requests.
    Halves(Vec<T>),
}

impl<T> Batches<T> {
    pub(super) fn new(records: Vec<T>) -> Self {
        Self(vec![records])
    }

    /// The next batch that holds anything.
    pub(super) fn take(&mut self) -> Option<Vec<T>> {
        while let Some(batch) = self.0.pop() {
            if !batch.is_empty() {
                return Some(batch);
            }
        }
        None
    }

    /// Puts back what is to go again.
    pub(super) fn go_on(&mut self, next: Next<T>) {
        match next {
            Next::Done => {}
            Next::Again(rest) => self.0.push(rest),
            Next::Halves(mut batch) => {
                let second = batch.split_off(batch.len() / 2);
                self.0.push(second);
                self.0.push(batch);
            }
        }
    }
}

/// An answer for each of so many writes, in their order.
pub(super) fn in_order(
    count: usize,
    mut answers: Answers,
    missing: impl Fn() -> Written,
) -> Vec<Written> {
    (0..count).map(|at| answers.remove(&at).unwrap_or_else(&missing)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends records to an app that refuses whole batches with a bad one in them. Gives the number of
    /// requests, and the records that were refused alone.
    fn send(count: usize, bad: &[usize]) -> (usize, Vec<usize>) {
        let mut batches = Batches::new((0..count).collect());
        let (mut requests, mut refused) = (0, Vec::new());
        while let Some(batch) = batches.take() {
            requests += 1;
            let is_bad = batch.iter().any(|record| bad.contains(record));
            batches.go_on(match is_bad {
                true if batch.len() > 1 => Next::Halves(batch),
                true => {
                    refused.extend(batch);
                    Next::Done
                }
                false => Next::Done,
            });
        }
        (requests, refused)
    }

    #[test]
    fn one_bad_record_among_many_is_found_in_few_requests() {
        for bad in 0..100 {
            let (requests, refused) = send(100, &[bad]);
            assert_eq!(refused, [bad]);
            assert!(requests <= 15, "{requests} for {bad}");
        }
    }

    #[test]
    fn what_is_bad_is_refused_alone_and_nothing_is_sent_of_nothing() {
        assert_eq!(send(9, &[2, 7]).1, [2, 7]);
        assert_eq!(send(0, &[]), (0, Vec::new()));
        assert_eq!(send(1, &[0]), (1, vec![0]));
    }
}
