//! Faults that last: each is told once, not each time that it is met.

use std::collections::BTreeSet;

/// What was wrong when it was last looked, each in words for people.
#[derive(Default)]
pub(super) struct Faults(BTreeSet<String>);

impl Faults {
    /// Tells what is wrong now and was not the last time.
    pub(super) fn tell(&mut self, wrong: BTreeSet<String>) {
        for fault in self.new_ones(wrong) {
            eprintln!("{fault}");
        }
    }

    fn new_ones(&mut self, wrong: BTreeSet<String>) -> Vec<String> {
        let new = wrong.difference(&self.0).cloned().collect();
        self.0 = wrong;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_once_until_it_changes_or_comes_back() {
        let mut faults = Faults::default();
        let mut told = |wrong: &[&str]| {
            faults.new_ones(wrong.iter().map(|fault| (*fault).to_owned()).collect())
        };
        assert_eq!(told(&["the store is gone"]), ["the store is gone"]);
        assert_eq!(told(&["the store is gone"]), [""; 0], "it lasts");
        assert_eq!(told(&["the store is full"]), ["the store is full"]);
        assert_eq!(told(&["the store is full", "so is another"]), ["so is another"]);
        assert_eq!(told(&[]), [""; 0]);
        assert_eq!(told(&["the store is full"]), ["the store is full"], "it is back");
    }
}
