//! Whether a worker whose lease was taken keeps its hands off.

use super::world::World;
use crate::connectors::memory::Author;
use crate::record::{PerSide, Side};
use crate::store::{Connection, Error, LinkRow, OpRow, RunRow};

/// What only the holder of the lease writes, as it is at one moment.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) journal: Vec<OpRow>,
    pub(super) links: Vec<LinkRow>,
    pub(super) runs: Vec<RunRow>,
    pub(super) connection: Connection,
    /// How often each app was written by us.
    pub(super) writes: PerSide<usize>,
}

/// More than any seed has.
const LIMIT: u64 = 100_000;

impl Kept {
    pub(super) async fn read(world: &World) -> Result<Self, Error> {
        let (store, workspace, id) = (&world.store, world.workspace, world.connection);
        Ok(Self {
            journal: store.ops(workspace, id, None, LIMIT).await?,
            links: store.links(workspace, id, None, LIMIT).await?,
            runs: store.runs(workspace, id, LIMIT).await?,
            connection: store.connection(workspace, id).await?,
            writes: PerSide::from_fn(|side| {
                let history = world.vendors.of(side).history();
                history.iter().filter(|event| event.by == Author::Engine).count()
            }),
        })
    }

    /// S12: what a worker did that came back after another had taken its place. The one call that was
    /// under way may still arrive; nothing else does.
    pub(super) fn check_fenced(&self, later: &Self, call: &PerSide<usize>) -> Vec<String> {
        let mut wrong = Vec::new();
        let kept = [
            ("the journal", self.journal == later.journal),
            ("links", self.links == later.links),
            ("runs", self.runs == later.runs),
            ("the connection", self.connection == later.connection),
        ];
        for (what, _) in kept.iter().filter(|(_, is_same)| !is_same) {
            wrong.push(format!("S12: a worker wrote {what} after its lease was taken"));
        }
        let more = PerSide::from_fn(|side| later.writes.of(side) - self.writes.of(side));
        let is_too_much = Side::BOTH.iter().any(|side| more.of(*side) > call.of(*side));
        if is_too_much || (more.left > 0 && more.right > 0) {
            wrong.push("S12: a worker wrote to an app after its lease was taken".to_owned());
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand_chacha::ChaCha12Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::lab::simulate::world;
    use crate::store::MemoryStore;

    async fn kept(writes: (usize, usize)) -> Result<Kept, Error> {
        let (clock, mut rng) = (world::clock(), ChaCha12Rng::seed_from_u64(1));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let world = World::build(1, &mut rng, clock, store).await?;
        let (left, right) = writes;
        Ok(Kept { writes: PerSide { left, right }, ..Kept::read(&world).await? })
    }

    #[tokio::test]
    async fn only_the_call_that_was_under_way_may_still_arrive() -> Result<(), Error> {
        let before = kept((7, 7)).await?;
        let call = PerSide { left: 4, right: 2 };
        for (writes, broken) in
            [((7, 7), 0), ((11, 7), 0), ((7, 9), 0), ((12, 7), 1), ((7, 10), 1), ((8, 8), 1)]
        {
            let wrong = before.check_fenced(&kept(writes).await?, &call);
            assert_eq!(wrong.len(), broken, "{writes:?}: {wrong:?}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn nothing_that_the_lease_guards_may_change() -> Result<(), Error> {
        let (before, mut after) = (kept((0, 0)).await?, kept((0, 0)).await?);
        after.connection.again = true;
        let wrong = before.check_fenced(&after, &PerSide { left: 4, right: 2 });
        assert_eq!(wrong, ["S12: a worker wrote the connection after its lease was taken"]);
        Ok(())
    }
}
