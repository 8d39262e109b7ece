//! The two ways that jobs take.

/// Who waits for whom: jobs of one lane never wait for those of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Runs that may take long: first runs, and those that read everything that changed.
    Runs,
    /// Runs that read only what an app told of. Somebody has just typed it.
    Hooks,
}

impl Lane {
    pub(super) const ALL: [Self; 2] = [Self::Runs, Self::Hooks];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Runs => Self::Hooks,
            Self::Hooks => Self::Runs,
        }
    }

    /// The name of its queue in the database. Jobs that wait under another name are never found, so it
    /// stays.
    pub(super) fn queue(self) -> &'static str {
        match self {
            Self::Runs => "concord.look",
            Self::Hooks => "concord.hook",
        }
    }
}

/// Something of each lane.
#[derive(Clone, Default)]
pub(super) struct PerLane<T> {
    runs: T,
    hooks: T,
}

impl<T> PerLane<T> {
    pub(super) fn from_fn(of: impl Fn(Lane) -> T) -> Self {
        Self { runs: of(Lane::Runs), hooks: of(Lane::Hooks) }
    }

    pub(super) fn of(&self, lane: Lane) -> &T {
        match lane {
            Lane::Runs => &self.runs,
            Lane::Hooks => &self.hooks,
        }
    }

    pub(super) fn of_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::Runs => &mut self.runs,
            Lane::Hooks => &mut self.hooks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_never_renamed() {
        assert_eq!(Lane::ALL.map(Lane::queue), ["concord.look", "concord.hook"]);
    }
}
