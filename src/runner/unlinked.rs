//! Who has no link: with everybody they share a key with they are matched, and then planned.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::approval::Mode;
use super::execute::Work;
use super::plan::{CHUNK, end_of};
use super::session::Session;
use crate::planner::{Candidate, Held, Key, Link, Match, Other, Presence, match_records};
use crate::record::{PerSide, Side};
use crate::store::{End, LinkRow, SeenRow, Settlement};

/// How often the circle of those who share a key is widened; real circles close after two or three.
const WIDEN_MAX: usize = 20;

/// A record in question, with whom it may be linked to.
struct Member {
    row: SeenRow,
    keys: BTreeSet<Key>,
    /// What it carried until it left.
    last_keys: BTreeSet<Key>,
    link: Option<LinkRow>,
}

/// What is planned for the members of a circle.
#[derive(Default)]
struct Matched {
    works: Vec<Work>,
    /// Those that are further records of somebody: planned later.
    further: BTreeSet<End>,
    /// The links of those whose person another record of their side is, too.
    shared: Vec<(Side, LinkRow)>,
}

impl Session<'_> {
    /// Matches the records that have no link, with everybody they share a key with, and plans them.
    ///
    /// `gone` are records that left: who shared a key with them may be free to match by now.
    pub(super) async fn plan_unlinked(
        &mut self,
        free: BTreeSet<End>,
        gone: &BTreeSet<End>,
    ) -> Result<(), RunError> {
        let mut done: BTreeSet<End> = BTreeSet::new();
        let (mut gathered, mut companions) = (Vec::new(), BTreeSet::new());
        let all: Vec<End> = free.union(gone).cloned().collect();
        for chunk in all.chunks(CHUNK) {
            let fresh: BTreeSet<End> =
                chunk.iter().filter(|end| !done.contains(end)).cloned().collect();
            let mut members = self.circle(&fresh).await?;
            // They only lead to others; those that had a link are planned with it.
            members.retain(|end, _| free.contains(end) || !gone.contains(end));
            // Who shares a key is planned together: nobody here waits for what is gathered.
            let Matched { works, further, shared } = self.match_up(&members, &mut done);
            companions.extend(further);
            self.look_for_heirs(shared).await?;
            self.gather(works, &mut gathered).await?;
        }
        self.execute(gathered).await?;
        self.plan_companions(&companions).await
    }

    /// Links of which a record has left without anybody saying what it became are planned again: somebody
    /// new carries its keys.
    async fn look_for_heirs(&self, shared: Vec<(Side, LinkRow)>) -> Result<(), RunError> {
        let ends = shared.iter().map(|(side, row)| row.ends.of(*side).clone()).collect();
        let seen = self.seen_rows(&ends).await?;
        let is_orphaned = |(side, row): &&(Side, LinkRow)| {
            let end = seen.get(row.ends.of(*side));
            end.is_some_and(|row| row.seen.presence == Presence::Left)
        };
        let orphaned = shared.iter().filter(is_orphaned);
        let pending = orphaned.map(|(_, row)| self.due(&row.ends.left)).collect();
        if matches!(self.mode, Mode::Plan(_)) {
            return Ok(());
        }
        self.write_down(Settlement { pending, ..Settlement::default() }).await
    }

    /// Plans the further records of people, once it is settled who they are linked with.
    async fn plan_companions(&mut self, companions: &BTreeSet<End>) -> Result<(), RunError> {
        let companions: Vec<End> = companions.iter().cloned().collect();
        for chunk in companions.chunks(CHUNK) {
            let chunk: BTreeSet<End> = chunk.iter().cloned().collect();
            let members = self.circle(&chunk).await?;
            let verdicts = self.verdicts(&members);
            let (mut pairs, mut settlement) = (Vec::new(), Settlement::default());
            for (end, (verdict, _)) in verdicts {
                let Some(side) = self.side(end.feed).filter(|_| chunk.contains(&end)) else {
                    continue;
                };
                let Match::Companion { of } = &verdict else {
                    // What was written meanwhile has made somebody else of it.
                    settlement.pending.push(self.due(&end));
                    continue;
                };
                let principal = self.end(side, of).and_then(|of| members.get(&of));
                let link = principal.and_then(|member| member.link.as_ref());
                let partner = link.map(|row| row.ends.of(side.other()).clone());
                pairs.push((end, side, partner, verdict));
            }
            let partners = pairs.iter().filter_map(|(_, _, partner, _)| partner.clone()).collect();
            let partners = self.seen_rows(&partners).await?;
            let works =
                pairs.into_iter().map(|(end, side, partner, verdict)| {
                    let partner = partner.filter(|partner| partners.contains_key(partner));
                    let ends = PerSide::from_fn(|at| {
                        if at == side { Some(end.clone()) } else { partner.clone() }
                    });
                    let rows = PerSide::from_fn(|at| {
                        let end = ends.of(at).as_ref()?;
                        partners.get(end).or_else(|| members.get(end).map(|member| &member.row))
                    });
                    self.work(rows, ends, None, verdict).beside(side)
                });
            let works = works.collect();
            if !matches!(self.mode, Mode::Plan(_)) {
                self.write_down(settlement).await?;
            }
            self.execute(works).await?;
        }
        Ok(())
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
        let side = self.side(row.feed);
        let candidate = side.map(|side| self.candidate(side, &row, Held::Free));
        let keys = candidate.map(|candidate| candidate.keys).unwrap_or_default();
        let is_live = row.seen.presence == Presence::Live;
        let (keys, last_keys) =
            if is_live { (keys, BTreeSet::new()) } else { (BTreeSet::new(), keys) };
        Member { row, keys, last_keys, link: None }
    }

    /// What matching says of the members that have no link, with the partner of those who have one.
    fn verdicts(&self, members: &BTreeMap<End, Member>) -> BTreeMap<End, (Match, Option<End>)> {
        let mut candidates = Vec::new();
        for (end, member) in members {
            let Some(side) = self.side(end.feed) else { continue };
            if member.row.seen.presence != Presence::Live {
                continue;
            }
            let held = held(side, member.link.as_ref());
            candidates.push(self.candidate(side, &member.row, held));
        }
        let kinds = &self.connection.settings.match_keys;
        let verdicts = match_records(&candidates, kinds, &BTreeSet::new()).into_iter();
        verdicts
            .filter_map(|((side, id), (verdict, partner))| {
                let partner = partner.and_then(|partner| self.end(side.other(), &partner));
                Some((self.end(side, &id)?, (verdict, partner)))
            })
            .collect()
    }

    fn match_up(&self, members: &BTreeMap<End, Member>, done: &mut BTreeSet<End>) -> Matched {
        let mut matched = Matched::default();
        for (end, (verdict, partner)) in self.verdicts(members) {
            let Some(side) = self.side(end.feed) else { continue };
            if !done.insert(end.clone()) {
                continue;
            }
            if matches!(verdict, Match::Companion { .. }) {
                matched.further.insert(end);
                continue;
            }
            if let Match::Duplicate { of } = &verdict
                && self.has_several_objects(side)
                && let Some(holder) = self.end(side.other(), of)
                && let Some(link) = members.get(&holder).and_then(|member| member.link.clone())
            {
                matched.shared.push((side, link));
            }
            done.extend(partner.clone());
            let ends =
                PerSide::from_fn(|at| if at == side { Some(end.clone()) } else { partner.clone() });
            let rows = PerSide::from_fn(|at| {
                ends.of(at).as_ref().and_then(|end| members.get(end)).map(|member| &member.row)
            });
            let widow = partner.and_then(|end| members.get(&end)).and_then(|m| m.link.as_ref());
            let link = widow.map(|row| (row.id, Some(reattached(&row.link))));
            let is_moved = link.is_some();
            let others = self.others_in(members, &rows);
            let work = self.work_with(rows, ends, link, verdict, others);
            matched.works.push(Work { is_moved, ..work });
        }
        matched.works.extend(self.unreadable(members, done));
        matched
    }

    /// Whom two records that meet may become, where a rule makes something else of one of them.
    fn others_in(
        &self,
        members: &BTreeMap<End, Member>,
        rows: &PerSide<Option<&SeenRow>>,
    ) -> PerSide<Vec<Other>> {
        let as_one = |side: Side, row: &SeenRow, link: Option<&LinkRow>| {
            self.candidate(side, row, held(side, link))
        };
        let (Some(left), Some(right)) = (rows.left, rows.right) else { return PerSide::default() };
        let pair = [as_one(Side::Left, left, None), as_one(Side::Right, right, None)];
        PerSide::from_fn(|side| {
            let becomes = rows.of(side).and_then(|row| self.becomes(side, row));
            let Some(feed) = becomes else { return Vec::new() };
            let of_feed = members.iter().filter(|(end, member)| {
                end.feed == feed.id && member.row.seen.presence == Presence::Live
            });
            let found: Vec<Candidate> = of_feed
                .map(|(_, member)| as_one(side, &member.row, member.link.as_ref()))
                .collect();
            self.same_person(&pair, &found)
        })
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
