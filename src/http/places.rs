//! How many sockets are open at once: of all, of those who have not said who they are, and of each
//! workspace.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Of those who have said who they are.
const KNOWN: usize = 256;
/// Of others.
const UNKNOWN: usize = 256;
/// Of one workspace: it leaves some to the others.
const OF_ONE: usize = 64;

/// The places of workspaces `W`; a clone has the same.
#[derive(Clone)]
pub(super) struct Places<W> {
    /// Of those who have not said who they are: strangers keep out nobody who is in.
    unknown: Arc<Semaphore>,
    known: Arc<Semaphore>,
    of: Arc<Mutex<HashMap<W, Arc<Semaphore>>>>,
}

/// A place of one socket, until it is dropped.
pub(super) struct Place {
    _held: Vec<OwnedSemaphorePermit>,
}

impl<W: Copy + Eq + Hash> Places<W> {
    pub(super) fn new() -> Self {
        let [unknown, known] = [UNKNOWN, KNOWN].map(|count| Arc::new(Semaphore::new(count)));
        Self { unknown, known, of: Arc::default() }
    }

    /// A place of somebody who has not said who they are; none if too many have not.
    pub(super) fn of_stranger(&self) -> Option<Place> {
        let held = self.unknown.clone().try_acquire_owned().ok()?;
        Some(Place { _held: vec![held] })
    }

    /// A place of a workspace; none if it has too many, or all have.
    pub(super) fn of_workspace(&self, workspace: W) -> Option<Place> {
        let own = {
            let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that are all free are as good as new.
            of.retain(|id, own| *id == workspace || own.available_permits() < OF_ONE);
            let own = of.entry(workspace).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE)));
            own.clone().try_acquire_owned().ok()?
        };
        let held = self.known.clone().try_acquire_owned().ok()?;
        Some(Place { _held: vec![own, held] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_leaves_places_to_others_and_gets_its_own_back() {
        let places = Places::new();
        let mut own: Vec<Place> = (0..OF_ONE).filter_map(|_| places.of_workspace(1)).collect();
        assert_eq!(own.len(), OF_ONE);
        assert!(places.of_workspace(1).is_none());
        assert!(places.of_workspace(2).is_some());
        assert!(places.of_stranger().is_some());
        own.pop();
        assert!(places.of_workspace(1).is_some());
        assert!(places.of_workspace(2).is_some());
        assert_eq!(places.of.lock().unwrap().len(), 2, "who is gone is forgotten");
        drop(own);
        assert!(places.of_workspace(3).is_some());
        assert_eq!(places.of.lock().unwrap().len(), 1);
    }

    #[test]
    fn all_together_have_so_many_and_what_was_not_got_is_given_back() {
        let places = Places::new();
        let each = |number: usize| places.of_workspace(number % 10);
        let all: Vec<Place> = (0..KNOWN).filter_map(each).collect();
        assert_eq!(all.len(), KNOWN);
        for _ in 0..OF_ONE {
            assert!(places.of_workspace(11).is_none());
        }
        drop(all);
        assert!(places.of_workspace(11).is_some());
    }
}
