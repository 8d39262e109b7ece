//! From what changed to items: linked pairs first, so that what they do to match keys is done before
//! anybody is matched; then the records that have no link.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::execute::Work;
use super::session::Session;
use crate::planner::{
    Candidate, FirstRun, Held, Key, Link, LinkState, Match, Pair, Presence, has_lost_too_much,
    match_records, plan_pair, record_keys,
};
use crate::record::{PerSide, RemoteId, Side};
use crate::store::{End, FeedId, LinkId, LinkRow, SeenRow};

/// How many records are planned at a time.
const CHUNK: usize = 200;

/// How many items that write something are gathered, so that the calls of a run are full.
const GATHERED: usize = 2_000;

/// How often the circle of those who share a key is widened; real circles close after two or three.
const WIDEN_MAX: usize = 20;

/// What is to be planned, and what will have been planned up to.
#[derive(Default)]
pub(super) struct Dirty {
    pub(super) ends: BTreeSet<End>,
    pub(super) gone: BTreeSet<End>,
    pub(super) up_to: BTreeMap<FeedId, u64>,
}

impl Dirty {
    /// Adds what became dirty later.
    pub(super) fn extend(&mut self, later: Self) {
        self.ends.extend(later.ends);
        self.gone.extend(later.gone);
        self.up_to.extend(later.up_to);
    }
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

/// A record in question, with whom it may be linked to.
struct Member {
    row: SeenRow,
    keys: BTreeSet<Key>,
    /// What it carried until it left.
    last_keys: BTreeSet<Key>,
    name: Option<String>,
    link: Option<LinkRow>,
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

    /// What is dirty without records that are gone or whose partner is, and these: how many a side has
    /// lost is weighed before anything is done about one of them.
    pub(super) async fn without_gone(&self, mut dirty: Dirty) -> Result<(Dirty, Dirty), RunError> {
        let gone = std::mem::take(&mut dirty.gone);
        let mut lost = Dirty { ends: gone.clone(), gone, up_to: dirty.up_to.clone() };
        let ends: Vec<&End> = dirty.ends.iter().collect();
        for chunk in ends.chunks(CHUNK) {
            let links = self.links_of(&chunk.iter().copied().cloned().collect()).await?;
            let ends_of = |row: &LinkRow| [row.ends.left.clone(), row.ends.right.clone()];
            let seen = self.seen_rows(&links.values().flat_map(ends_of).collect()).await?;
            let is_gone =
                |end: &End| seen.get(end).is_some_and(|row| row.seen.presence == Presence::Gone);
            for row in links.values().filter(|row| row.link.state == LinkState::Active) {
                let gone: Vec<End> = ends_of(row).into_iter().filter(is_gone).collect();
                if !gone.is_empty() {
                    lost.gone.extend(gone);
                    lost.ends.extend(ends_of(row));
                }
            }
        }
        dirty.ends.retain(|end| !lost.ends.contains(end));
        Ok((dirty, lost))
    }

    /// Plans and writes the linked pairs among these records. Gives the records that have no link.
    pub(super) async fn plan_linked(&mut self, dirty: &Dirty) -> Result<BTreeSet<End>, RunError> {
        let Linked { links, free, newly_gone } = self.linked(dirty).await?;
        self.check_losses(&newly_gone).await?;
        let links: Vec<(LinkId, End)> = links.into_iter().collect();
        let mut gathered = Vec::new();
        for chunk in links.chunks(CHUNK) {
            let ends = chunk.iter().map(|(_, end)| end.clone()).collect();
            let rows: Vec<LinkRow> = self.links_of(&ends).await?.into_values().collect();
            let ends = rows.iter().flat_map(|row| row.ends.iter().map(|(_, end)| end.clone()));
            let seen = self.seen_rows(&ends.collect()).await?;
            let works = rows.iter().map(|row| self.work_on_link(row, &seen)).collect();
            self.gather(works, &mut gathered).await?;
        }
        self.execute(gathered).await?;
        Ok(free)
    }

    /// Settles the items that write nothing, and gathers the others until there are enough of them.
    async fn gather(&mut self, works: Vec<Work>, gathered: &mut Vec<Work>) -> Result<(), RunError> {
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

    async fn seen_rows(&self, ends: &BTreeSet<End>) -> Result<BTreeMap<End, SeenRow>, RunError> {
        let mut seen = BTreeMap::new();
        for (feed, ids) in by_feed(ends) {
            let rows = self.runner.store.seen_by_id(self.connection.workspace, feed, &ids).await?;
            seen.extend(rows.into_iter().map(|row| (end_of(&row), row)));
        }
        Ok(seen)
    }

    /// A side that loses a large part of its records at once stops everything.
    async fn check_losses(&self, newly_gone: &PerSide<u64>) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
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

    fn work_on_link(&self, row: &LinkRow, seen: &BTreeMap<End, SeenRow>) -> Work {
        let rows = PerSide::from_fn(|side| seen.get(row.ends.of(side)));
        let ends = PerSide::from_fn(|side| Some(row.ends.of(side).clone()));
        self.work(rows, ends, Some((row.id, Some(row.link.clone()))), Match::Unique)
    }

    /// Plans a pair or a single record.
    fn work(
        &self,
        rows: PerSide<Option<&SeenRow>>,
        ends: PerSide<Option<End>>,
        link: Option<(LinkId, Option<Link>)>,
        matched: Match,
    ) -> Work {
        let pair = Pair {
            seen: PerSide::from_fn(|side| rows.of(side).map(|row| row.seen.clone())),
            link: link.as_ref().and_then(|(_, link)| link.clone()),
            matched,
            baseline: PerSide::from_fn(|source| self.is_baseline(source, &rows)),
        };
        let item = plan_pair(&self.connection.settings, &pair);
        let records = PerSide::from_fn(|side| pair.live(side).cloned());
        Work::new(item, ends, records, link)
    }

    /// Whether these records stand as they stood when the NEW_ONLY sync that reads `source` began.
    fn is_baseline(&self, source: Side, rows: &PerSide<Option<&SeenRow>>) -> bool {
        let Some(sync) = self.connection.settings.sync(source) else { return false };
        let Some(baseline) = &self.connection.progress.of(source).baseline else { return false };
        let before = |row: &SeenRow| baseline.get(&row.feed).is_some_and(|at| row.change <= *at);
        sync.first_run == FirstRun::NewOnly
            && Side::BOTH.iter().all(|side| rows.of(*side).is_none_or(before))
    }

    /// Matches the records that have no link, with everybody they share a key with, and plans them.
    ///
    /// `gone` are records that left: who shared a key with them may be free to match by now.
    pub(super) async fn plan_unlinked(
        &mut self,
        free: BTreeSet<End>,
        gone: &BTreeSet<End>,
    ) -> Result<(), RunError> {
        let mut done: BTreeSet<End> = BTreeSet::new();
        let mut gathered = Vec::new();
        let all: Vec<End> = free.union(gone).cloned().collect();
        for chunk in all.chunks(CHUNK) {
            let fresh: BTreeSet<End> =
                chunk.iter().filter(|end| !done.contains(end)).cloned().collect();
            let mut members = self.circle(&fresh).await?;
            // They only lead to others; those that had a link are planned with it.
            members.retain(|end, _| free.contains(end) || !gone.contains(end));
            // Who shares a key is planned together: nobody here waits for what is gathered.
            let works = self.match_up(&members, &mut done);
            self.gather(works, &mut gathered).await?;
        }
        self.execute(gathered).await
    }

    /// These records, and all who share a key with them, or with those who do.
    async fn circle(&self, ends: &BTreeSet<End>) -> Result<BTreeMap<End, Member>, RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let mut members: BTreeMap<End, Member> = BTreeMap::new();
        let mut asked: BTreeSet<Key> = BTreeSet::new();
        let mut arrivals: Vec<SeenRow> = self.seen_rows(ends).await?.into_values().collect();
        for _ in 0..WIDEN_MAX {
            let mut keys = BTreeSet::new();
            for row in arrivals {
                let member = self.member(row);
                let known = member.keys.iter().chain(&member.last_keys);
                keys.extend(known.filter(|key| !asked.contains(key)).cloned());
                members.insert(end_of(&member.row), member);
            }
            if keys.is_empty() {
                break;
            }
            arrivals = Vec::new();
            for feed in self.feeds.keys() {
                let rows = store.seen_by_keys(workspace, *feed, &keys).await?;
                arrivals.extend(rows.into_iter().filter(|row| !members.contains_key(&end_of(row))));
            }
            asked.extend(keys);
        }
        for row in self.links_of(&members.keys().cloned().collect()).await?.into_values() {
            for (_, end) in row.ends.iter() {
                if let Some(member) = members.get_mut(end) {
                    member.link = Some(row.clone());
                }
            }
        }
        Ok(members)
    }

    fn member(&self, row: SeenRow) -> Member {
        let kinds = &self.connection.settings.match_keys;
        let side = self.side(row.feed);
        let (mut keys, name) = match side {
            Some(side) => record_keys(&row.seen.record, self.connection.settings.sides.of(side)),
            None => (BTreeSet::new(), None),
        };
        keys.retain(|key| kinds.contains(&key.kind));
        let is_live = row.seen.presence == Presence::Live;
        let (keys, last_keys) =
            if is_live { (keys, BTreeSet::new()) } else { (BTreeSet::new(), keys) };
        Member { row, keys, last_keys, name, link: None }
    }

    fn match_up(&self, members: &BTreeMap<End, Member>, done: &mut BTreeSet<End>) -> Vec<Work> {
        let mut by_name: BTreeMap<(Side, RemoteId), &End> = BTreeMap::new();
        let mut candidates = Vec::new();
        for (end, member) in members {
            let Some(side) = self.side(end.feed) else { continue };
            if member.row.seen.presence != Presence::Live {
                continue;
            }
            let id = unique_name(end);
            by_name.insert((side, id.clone()), end);
            candidates.push(Candidate {
                side,
                id,
                created_at: member.row.seen.record.created_at,
                keys: member.keys.clone(),
                name: member.name.clone(),
                held: held(side, member.link.as_ref()),
            });
        }
        let kinds = &self.connection.settings.match_keys;
        let verdicts = match_records(&candidates, kinds, &BTreeSet::new());
        let mut works = Vec::new();
        for ((side, id), (verdict, partner)) in verdicts {
            let Some(end) = by_name.get(&(side, id)) else { continue };
            if !done.insert((*end).clone()) {
                continue;
            }
            let partner = partner.and_then(|id| by_name.get(&(side.other(), id)));
            if let Some(partner) = partner {
                done.insert((*partner).clone());
            }
            let ends = PerSide::from_fn(|at| match partner {
                _ if at == side => Some((*end).clone()),
                Some(partner) => Some((*partner).clone()),
                None => None,
            });
            let rows = PerSide::from_fn(|at| {
                ends.of(at).as_ref().and_then(|end| members.get(end)).map(|member| &member.row)
            });
            let widow = partner.and_then(|end| members.get(*end)).and_then(|m| m.link.as_ref());
            let link = widow.map(|row| (row.id, Some(reattached(&row.link))));
            works.push(self.work(rows, ends, link, verdict));
        }
        works.extend(self.unreadable(members, done));
        works
    }

    /// Records without a link that are gone or out of reach: counted, nothing more.
    fn unreadable(&self, members: &BTreeMap<End, Member>, done: &mut BTreeSet<End>) -> Vec<Work> {
        let mut works = Vec::new();
        for (end, member) in members {
            let Some(side) = self.side(end.feed) else { continue };
            if member.row.seen.presence == Presence::Live || !done.insert(end.clone()) {
                continue;
            }
            let ends = PerSide::from_fn(|at| (at == side).then(|| end.clone()));
            let rows = PerSide::from_fn(|at| (at == side).then_some(&member.row));
            works.push(self.work(rows, ends, None, Match::Alone));
        }
        works
    }
}

/// A link whose gone end is taken by a new record: they meet for the first time.
fn reattached(link: &Link) -> Link {
    let mut link = link.clone();
    link.bases.clear();
    link.unconfirmed = PerSide::default();
    link
}

fn held(side: Side, link: Option<&LinkRow>) -> Held {
    match link {
        None => Held::Free,
        Some(row) if row.link.state.is_gone(side.other()) && !row.link.state.is_gone(side) => {
            Held::Widowed
        }
        Some(_) => Held::Linked,
    }
}

/// Ids are unique in their feed only; a side may have several.
fn unique_name(end: &End) -> RemoteId {
    RemoteId::new(format!("{}/{}", end.feed, end.id))
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
