//! From what changed to items: linked pairs first, so that what they do to match keys is done before
//! anybody is matched.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::approval::Mode;
use super::execute::Work;
use super::session::Session;
use crate::planner::{
    FirstRun, Link, LinkState, Match, OpKind, Other, Pair, Presence, Sync, has_lost_too_much,
    plan_pair,
};
use crate::record::{PerSide, RemoteId, Side};
use crate::store::{End, FeedId, LinkId, LinkRow, SeenRow};

/// How many records are planned at a time.
pub(super) const CHUNK: usize = 200;

/// How many items that write something are gathered, so that the calls of a run are full.
const GATHERED: usize = 2_000;

/// What is to be planned, and what will have been planned up to.
#[derive(Default)]
pub(super) struct Dirty {
    pub(super) ends: BTreeSet<End>,
    pub(super) gone: BTreeSet<End>,
    pub(super) up_to: BTreeMap<FeedId, u64>,
}

impl Dirty {
    /// Takes in both ends of a link of which one was just found orphaned. True if none was.
    fn take_in(&mut self, row: &LinkRow, orphaned: Orphaned) -> bool {
        let is_whole = orphaned.gone.is_empty() && !orphaned.has_left;
        if row.link.state != LinkState::Active || is_whole {
            return true;
        }
        self.gone.extend(orphaned.gone);
        self.ends.extend([row.ends.left.clone(), row.ends.right.clone()]);
        false
    }

    /// Adds what became dirty later.
    pub(super) fn extend(&mut self, later: Self) {
        self.ends.extend(later.ends);
        self.gone.extend(later.gone);
        self.up_to.extend(later.up_to);
    }
}

/// What a link has lost.
struct Orphaned {
    /// Those of its records that are gone.
    gone: BTreeSet<End>,
    /// Whether one is another record by now, and nobody says which.
    has_left: bool,
}

/// Which records are linked.
struct Linked {
    /// The links by one of their ends, in the order in which they are planned.
    links: BTreeMap<LinkId, End>,
    /// The records that have no link.
    free: BTreeSet<End>,
    /// How many linked records of each side are gone, and were not before.
    newly_gone: PerSide<u64>,
}

impl Session<'_> {
    /// What changed since it was last planned, and what waited until now.
    pub(super) async fn dirty(&self) -> Result<Dirty, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut dirty = Dirty::default();
        for feed in &self.connection.feeds {
            let mut at = if self.is_reconfigured { 0 } else { feed.planned_to };
            loop {
                let rows = store.seen_after(workspace, feed.feed, at, CHUNK as u64).await?;
                let Some(last) = rows.last() else { break };
                at = last.change;
                for row in rows {
                    let end = End { feed: row.feed, id: row.seen.record.id };
                    if row.seen.presence == Presence::Gone {
                        dirty.gone.insert(end.clone());
                    }
                    dirty.ends.insert(end);
                }
            }
            dirty.up_to.insert(feed.feed, at);
        }
        for row in store.due_pending(workspace, self.connection.id, self.now()).await? {
            dirty.ends.insert(row.end);
        }
        Ok(dirty)
    }

    /// Plans and writes the linked pairs among these records. Gives the records that have no link.
    pub(super) async fn plan_linked(&mut self, dirty: &Dirty) -> Result<BTreeSet<End>, RunError> {
        let Linked { links, mut free, newly_gone } = self.linked(dirty).await?;
        self.check_losses(&newly_gone).await?;
        free.extend(self.plan_links(links, None).await?);
        Ok(free.difference(&self.followed).cloned().collect())
    }

    /// Plans and writes the linked pairs among these records, but for those that have lost a record: how
    /// many a side has lost is weighed before anything is done about one of them. Gives what is left.
    pub(super) async fn plan_whole_pairs(&mut self, dirty: Dirty) -> Result<Dirty, RunError> {
        let Linked { links, free, .. } = self.linked(&dirty).await?;
        let fresh = dirty.ends.clone();
        let mut left = Dirty { ends: free, ..dirty };
        let companions = self.plan_links(links, Some((&mut left, &fresh))).await?;
        left.ends.extend(companions);
        left.ends.retain(|end| !self.followed.contains(end));
        Ok(left)
    }

    /// Pairs that have lost a record are planned too, unless there is where to put them. Gives the other
    /// records of these people that are to be planned for it.
    async fn plan_links(
        &mut self,
        links: BTreeMap<LinkId, End>,
        mut lost: Option<(&mut Dirty, &BTreeSet<End>)>,
    ) -> Result<BTreeSet<End>, RunError> {
        let links: Vec<(LinkId, End)> = links.into_iter().collect();
        let (mut gathered, mut companions) = (Vec::new(), BTreeSet::new());
        for chunk in links.chunks(CHUNK) {
            let ends = chunk.iter().map(|(_, end)| end.clone()).collect();
            let rows = self.links_of(&ends).await?.into_values().collect();
            // How many a side has lost is weighed before another takes the place of one of them.
            let followed = self.follow(rows, lost.is_none()).await?;
            let mut rows = followed.rows;
            let ends = rows.iter().flat_map(|row| row.ends.iter().map(|(_, end)| end.clone()));
            let mut seen = self.seen_rows(&ends.collect()).await?;
            for end in &followed.lost {
                if let Some(row) = seen.get_mut(end) {
                    row.seen.presence = Presence::Gone;
                }
            }
            if let Some((lost, fresh)) = &mut lost {
                rows.retain(|row| lost.take_in(row, self.orphaned(row, &seen, fresh)));
            }
            companions.extend(self.companions(&rows, &seen).await?);
            let mut others = self.others(&rows, &seen).await?;
            let survivors = self.survivors(&rows, &seen).await?;
            let works = rows.iter().map(|row| match survivors.get(&row.id) {
                Some((side, survivor)) => self.work_on_merged(row, &seen, *side, survivor),
                None => self.work_on_link(row, &seen, others.remove(&row.id).unwrap_or_default()),
            });
            let mut works: Vec<Work> = works.collect();
            // Who becomes somebody new waits, as whoever is new does, until it was read who is there.
            if let Some((lost, _)) = &mut lost {
                let waiting: Vec<Work> = works.extract_if(.., |work| work.converts()).collect();
                for mut work in waiting {
                    lost.ends.extend(work.subjects().map(|(_, end)| end.clone()));
                    // Nothing else waits for it.
                    work.item.ops.retain(|op| op.kind != OpKind::Convert);
                    works.extend((!work.item.ops.is_empty()).then_some(work));
                }
            }
            self.gather(works, &mut gathered).await?;
        }
        self.execute(gathered).await?;
        Ok(companions)
    }

    /// What this link has lost, by what has changed. Another of the same person may take the place of it, who
    /// has to be read first.
    fn orphaned(
        &self,
        row: &LinkRow,
        seen: &BTreeMap<End, SeenRow>,
        fresh: &BTreeSet<End>,
    ) -> Orphaned {
        let mut orphaned = Orphaned { gone: BTreeSet::new(), has_left: false };
        let is_due = self.pending.contains_key(&row.ends.left);
        for (side, end) in row.ends.iter() {
            let Some(row) = seen.get(end) else { continue };
            match row.seen.presence {
                Presence::Gone => _ = orphaned.gone.insert(end.clone()),
                Presence::Left => {
                    orphaned.has_left |= (fresh.contains(end) || is_due)
                        && self.has_several_objects(side)
                        && self.successor(side, &row.seen).is_none();
                }
                Presence::Live | Presence::Forbidden => {}
            }
        }
        orphaned
    }

    /// Settles the items that write nothing, and gathers the others until there are enough of them.
    pub(super) async fn gather(
        &mut self,
        works: Vec<Work>,
        gathered: &mut Vec<Work>,
    ) -> Result<(), RunError> {
        let (writing, quiet): (Vec<Work>, Vec<Work>) =
            works.into_iter().partition(|work| !work.item.ops.is_empty());
        gathered.extend(writing);
        self.execute(quiet).await?;
        if gathered.len() >= GATHERED {
            self.execute(std::mem::take(gathered)).await?;
        }
        Ok(())
    }

    /// Which of these records are linked. Of the links only their names are kept: there may be very
    /// many.
    async fn linked(&self, dirty: &Dirty) -> Result<Linked, RunError> {
        let mut linked = Linked {
            links: BTreeMap::new(),
            free: dirty.ends.clone(),
            newly_gone: PerSide::default(),
        };
        let ends: Vec<&End> = dirty.ends.iter().collect();
        for chunk in ends.chunks(CHUNK) {
            let chunk = chunk.iter().copied().cloned().collect();
            for (id, row) in self.links_of(&chunk).await? {
                for (side, end) in row.ends.iter() {
                    linked.free.remove(end);
                    let is_news = row.link.state == LinkState::Active && dirty.gone.contains(end);
                    if is_news && !linked.links.contains_key(&id) {
                        *linked.newly_gone.of_mut(side) += 1;
                    }
                }
                linked.links.insert(id, row.ends.left);
            }
        }
        Ok(linked)
    }

    pub(super) async fn links_of(
        &self,
        ends: &BTreeSet<End>,
    ) -> Result<BTreeMap<LinkId, LinkRow>, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut links = BTreeMap::new();
        for (feed, ids) in by_feed(ends) {
            for row in store.links_of(workspace, self.connection.id, feed, &ids).await? {
                links.insert(row.id, row);
            }
        }
        Ok(links)
    }

    pub(super) async fn seen_rows(
        &self,
        ends: &BTreeSet<End>,
    ) -> Result<BTreeMap<End, SeenRow>, RunError> {
        let mut seen = BTreeMap::new();
        for (feed, ids) in by_feed(ends) {
            let rows = self.runner.store.seen_by_id(self.connection.workspace, feed, &ids).await?;
            seen.extend(rows.into_iter().map(|row| (end_of(&row), row)));
        }
        Ok(seen)
    }

    /// A side that loses a large part of its records at once stops everything, unless somebody has seen in
    /// a plan how many they are. A plan itself writes nothing.
    async fn check_losses(&self, newly_gone: &PerSide<u64>) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        if matches!(self.mode, Mode::Plan(_))
            || newly_gone.left + newly_gone.right <= self.losses_agreed_to().await?
        {
            return Ok(());
        }
        for (side, gone) in newly_gone.iter() {
            let gone = *gone;
            if gone == 0 {
                continue;
            }
            let links = store.count_links(workspace, self.connection.id).await?;
            if has_lost_too_much(links, gone) {
                return Err(RunError::SideLost { side, gone, links });
            }
        }
        Ok(())
    }

    fn work_on_link(
        &self,
        row: &LinkRow,
        seen: &BTreeMap<End, SeenRow>,
        others: PerSide<Vec<Other>>,
    ) -> Work {
        let rows = PerSide::from_fn(|side| seen.get(row.ends.of(side)));
        let ends = PerSide::from_fn(|side| Some(row.ends.of(side).clone()));
        let link = Some((row.id, Some(row.link.clone())));
        self.work_with(rows, ends, link, Match::Unique, others)
    }

    /// Plans the record of a side that is left over of a pair, with the one that its partner became.
    fn work_on_merged(
        &self,
        row: &LinkRow,
        seen: &BTreeMap<End, SeenRow>,
        side: Side,
        survivor: &SeenRow,
    ) -> Work {
        let rows =
            PerSide::from_fn(
                |at| {
                    if at == side { seen.get(row.ends.of(at)) } else { Some(survivor) }
                },
            );
        let ends = PerSide::from_fn(|at| {
            Some(if at == side { row.ends.of(at).clone() } else { end_of(survivor) })
        });
        let link = Some((row.id, Some(row.link.clone())));
        self.work(rows, ends, link, Match::Unique).beside(side)
    }

    /// Plans a pair or a single record.
    pub(super) fn work(
        &self,
        rows: PerSide<Option<&SeenRow>>,
        ends: PerSide<Option<End>>,
        link: Option<(LinkId, Option<Link>)>,
        matched: Match,
    ) -> Work {
        self.work_with(rows, ends, link, matched, PerSide::default())
    }

    /// The same, of records that may become others.
    pub(super) fn work_with(
        &self,
        rows: PerSide<Option<&SeenRow>>,
        ends: PerSide<Option<End>>,
        link: Option<(LinkId, Option<Link>)>,
        matched: Match,
        others: PerSide<Vec<Other>>,
    ) -> Work {
        let pair = Pair {
            seen: PerSide::from_fn(|side| rows.of(side).map(|row| row.seen.clone())),
            link: link.as_ref().and_then(|(_, link)| link.clone()),
            matched,
            others,
            baseline: PerSide::from_fn(|source| self.is_baseline(source, rows.iter())),
            is_old: PerSide::from_fn(|source| {
                self.is_baseline(source, rows.iter().filter(|(side, _)| *side == source))
                    || self.is_only_ours(source, *rows.of(source), &link)
            }),
        };
        let item = plan_pair(&self.connection.settings, &pair);
        let records = PerSide::from_fn(|side| pair.live(side).cloned());
        Work::new(item, ends, records, link)
    }

    /// Whether a record that was there in the first run of the NEW_ONLY sync that reads `source` stands as we
    /// wrote it.
    fn is_only_ours(
        &self,
        source: Side,
        row: Option<&SeenRow>,
        link: &Option<(LinkId, Option<Link>)>,
    ) -> bool {
        let is_new_only = |sync: &Sync| sync.first_run == FirstRun::NewOnly;
        let begun = self.connection.progress.of(source).began_at();
        let (Some(row), Some((_, Some(link))), Some(begun)) = (row, link, begun) else {
            return false;
        };
        let record = &row.seen.record;
        let written = link.written.of(source);
        self.connection.settings.sync(source).is_some_and(is_new_only)
            && record.created_at.is_some_and(|at| at <= begun)
            && written.is_some()
            && *written == record.revision
    }

    /// Whether these records stand as they stood when the NEW_ONLY sync that reads `source` began.
    fn is_baseline<'r>(
        &self,
        source: Side,
        mut rows: impl Iterator<Item = (Side, &'r Option<&'r SeenRow>)>,
    ) -> bool {
        let Some(sync) = self.connection.settings.sync(source) else { return false };
        let Some(baseline) = &self.connection.progress.of(source).baseline else { return false };
        let before = |row: &SeenRow| baseline.get(&row.feed).is_some_and(|at| row.change <= *at);
        sync.first_run == FirstRun::NewOnly && rows.all(|(_, row)| row.is_none_or(before))
    }
}

pub(super) fn end_of(row: &SeenRow) -> End {
    End { feed: row.feed, id: row.seen.record.id.clone() }
}

fn by_feed(ends: &BTreeSet<End>) -> BTreeMap<FeedId, BTreeSet<RemoteId>> {
    let mut feeds: BTreeMap<FeedId, BTreeSet<RemoteId>> = BTreeMap::new();
    for end in ends {
        feeds.entry(end.feed).or_default().insert(end.id.clone());
    }
    feeds
}
