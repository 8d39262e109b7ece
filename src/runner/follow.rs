//! Records that have become others: a lead that was converted is a contact from then on, and what was
//! linked to the lead is linked to the contact.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::approval::Mode;
use super::beside::all_keys;
use super::session::Session;
use crate::planner::{Candidate, Held, LinkState, Presence, Seen, Skip, heir, record_keys};
use crate::record::{RemoteId, Side};
use crate::store::{End, FeedId, LinkRow, Pending, PendingReason, SeenRow, Settlement};

/// The place of what is of no object any more.
const NONE: usize = usize::MAX;

/// A record of a link, and the one that takes its place.
struct Step {
    /// The place of the link among those that are looked at.
    at: usize,
    side: Side,
    from: SeenRow,
    to: End,
    /// Whether the app says that it became that.
    is_told: bool,
}

/// Links with the records that theirs have become.
pub(super) struct Followed {
    pub(super) rows: Vec<LinkRow>,
    /// The records of these that became something which is gone.
    pub(super) lost: BTreeSet<End>,
}

/// What is known of records, and those of which the app says that they are not there.
struct Read {
    seen: BTreeMap<End, SeenRow>,
    gone: BTreeSet<End>,
}

impl Session<'_> {
    /// These links, with the records that theirs have become: the one that the app names; or, `with_heirs`,
    /// where one is gone, another of the same person that its side has of another object. The moves are
    /// written down before anything is planned, and what they are about waits until it was.
    pub(super) async fn follow(
        &mut self,
        mut rows: Vec<LinkRow>,
        with_heirs: bool,
    ) -> Result<Followed, RunError> {
        let mut lost = BTreeSet::new();
        if !Side::BOTH.iter().any(|side| self.has_several_objects(*side)) {
            return Ok(Followed { rows, lost });
        }
        let steps = self.steps(&rows, with_heirs).await?;
        let targets: BTreeSet<End> = steps.iter().map(|step| step.to.clone()).collect();
        let known = self.read_unseen(&targets).await?;
        let holders = self.links_of(&targets).await?;
        let mut taken: BTreeSet<End> =
            holders.into_values().flat_map(|row| [row.ends.left, row.ends.right]).collect();
        let mut settlement = Settlement::default();
        for step in steps {
            if known.gone.contains(&step.to) {
                lost.insert(End { feed: step.from.feed, id: step.from.seen.record.id });
                continue;
            }
            let (Some(row), Some(to)) = (rows.get_mut(step.at), known.seen.get(&step.to)) else {
                continue;
            };
            if !taken.insert(step.to.clone()) {
                // Who is gone has become nobody: another of them was there first.
                if step.is_told {
                    row.link = row.link.merged();
                    settlement.links.push(row.clone());
                    let left = row.ends.of(step.side).clone();
                    self.tell_unlinked(left, Skip::Left, &mut settlement);
                }
                continue;
            }
            // Whoever was there before was told of as somebody else.
            let (store, workspace) = (&self.runner.store, self.connection.workspace);
            let before = store.outcome_of(workspace, self.connection.id, &step.to).await?;
            let is_made = step.is_told && before.is_none();
            let (from, to) = (&step.from.seen.record, &to.seen.record);
            row.link = row.link.moved(&self.connection.settings, step.side, from, to, is_made);
            self.followed.insert(step.to.clone());
            let left = std::mem::replace(row.ends.of_mut(step.side), step.to);
            let why = if step.is_told { Skip::Left } else { Skip::Gone };
            self.tell_unlinked(left, why, &mut settlement);
            settlement.pending.push(self.due(&row.ends.left));
            settlement.links.push(row.clone());
        }
        // A plan looks at how it will be, and leaves it as it is.
        if !matches!(self.mode, Mode::Plan(_)) {
            let waiting = settlement.pending.iter();
            self.pending.extend(waiting.map(|row| (row.end.clone(), row.clone())));
            self.write_down(settlement).await?;
        }
        Ok(Followed { rows, lost })
    }

    /// A record that is to be planned, now or by the next run.
    pub(super) fn due(&self, end: &End) -> Pending {
        Pending {
            connection: self.connection.id,
            end: end.clone(),
            side: self.side(end.feed).unwrap_or(Side::Left),
            reason: PendingReason::Failed,
            attempts: 0,
            next_at: Some(self.now()),
        }
    }

    /// The record that one has become, as its app says.
    pub(super) fn successor(&self, side: Side, seen: &Seen) -> Option<End> {
        self.end(side, seen.became.as_ref()?)
    }

    /// Which records of these links others take the place of.
    async fn steps(&self, rows: &[LinkRow], with_heirs: bool) -> Result<Vec<Step>, RunError> {
        let ends = rows.iter().flat_map(|row| [row.ends.left.clone(), row.ends.right.clone()]);
        let mut seen = self.seen_rows(&ends.collect()).await?;
        let (mut steps, mut orphaned) = (Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            if matches!(row.link.state, LinkState::Severed | LinkState::Merged) {
                continue;
            }
            for (side, end) in row.ends.iter() {
                let is_news = !row.link.state.is_gone(side);
                let Some(from) = seen.remove(end).filter(|_| is_news) else { continue };
                match (from.seen.presence, self.successor(side, &from.seen)) {
                    (Presence::Left, Some(to)) => {
                        steps.push(Step { at, side, from, to, is_told: true });
                    }
                    (Presence::Left | Presence::Gone, _) => orphaned.push((at, side, from)),
                    (Presence::Live | Presence::Forbidden, _) => {}
                }
            }
        }
        if with_heirs {
            steps.extend(self.heirs(orphaned).await?);
        }
        Ok(steps)
    }

    /// Who takes the place of records that are gone, or of which nobody says what they became.
    async fn heirs(&self, orphaned: Vec<(usize, Side, SeenRow)>) -> Result<Vec<Step>, RunError> {
        let mut steps = Vec::new();
        for of in Side::BOTH.into_iter().filter(|side| self.has_several_objects(*side)) {
            let mine = || orphaned.iter().filter(|(_, side, _)| *side == of);
            let gone = mine().map(|(.., row)| {
                let gone = self.candidate(of, row, Held::Linked);
                // A new record of the same object takes the place of one that is removed by being matched.
                let is_removed = row.seen.presence == Presence::Gone;
                Candidate { rank: if is_removed { gone.rank } else { NONE }, ..gone }
            });
            let gone: Vec<Candidate> = gone.collect();
            let keys = all_keys(&gone);
            if keys.is_empty() {
                continue;
            }
            let found = self.carriers(of, &self.feeds_of(of), &keys).await?;
            for ((at, side, from), gone) in mine().zip(gone) {
                let heir = heir(&gone, &found, &self.connection.settings.match_keys);
                if let Some(to) = heir.and_then(|heir| self.end(of, &heir.id)) {
                    let (at, side, from) = (*at, *side, from.clone());
                    steps.push(Step { at, side, from, to, is_told: false });
                }
            }
        }
        Ok(steps)
    }

    /// What is known of these records; those that nobody has seen yet are read.
    async fn read_unseen(&self, ends: &BTreeSet<End>) -> Result<Read, RunError> {
        let seen = self.seen_rows(ends).await?;
        let mut unseen: BTreeMap<FeedId, BTreeSet<RemoteId>> = BTreeMap::new();
        for end in ends.iter().filter(|end| !seen.contains_key(end)) {
            unseen.entry(end.feed).or_default().insert(end.id.clone());
        }
        let mut gone = BTreeSet::new();
        if unseen.is_empty() {
            return Ok(Read { seen, gone });
        }
        for (feed, ids) in unseen {
            let Some(side) = self.side(feed) else { continue };
            let read = self.look_at(side, feed, &ids).await?;
            let removed = read.iter().filter(|one| one.presence == Presence::Gone);
            gone.extend(removed.map(|one| End { feed, id: one.id.clone() }));
            self.remember(feed, read).await?;
        }
        Ok(Read { seen: self.seen_rows(ends).await?, gone })
    }

    /// A record as matching sees it.
    pub(super) fn candidate(&self, side: Side, row: &SeenRow, held: Held) -> Candidate {
        let settings = &self.connection.settings;
        let record = &row.seen.record;
        let (mut keys, name) = record_keys(record, settings.sides.of(side));
        keys.retain(|key| settings.match_keys.contains(&key.kind));
        Candidate {
            side,
            rank: settings.sides.of(side).rank(&record.object),
            id: record.name(),
            created_at: record.created_at,
            keys,
            name,
            held,
        }
    }
}
