//! Writing: ops go into the journal before they are sent, and are settled with the answer.

use std::collections::{BTreeMap, BTreeSet};

use super::RunError;
use super::approval::Mode;
use super::session::{Session, app_error};
use super::settle::Answer;
use crate::connectors::{Write, Written};
use crate::planner::{Item, Key, Link, Op, OpKind, Outcome, Settings, Wait, record_keys};
use crate::record::{FieldId, ObjectName, PerSide, Record, Side, Toll, Value};
use crate::store::{
    End, Feed, Intent, IntentState, LinkId, OpId, OpRow, OpState, PendingReason, Settlement,
};

/// An item on its way through the run.
pub(super) struct Work {
    pub(super) item: Item,
    pub(super) ends: PerSide<Option<End>>,
    /// The records as last seen, with our own writes.
    pub(super) records: PerSide<Option<Record>>,
    /// The link that is there, and what was remembered of it.
    pub(super) link: Option<(LinkId, Option<Link>)>,
    /// How many of its shipments are still to be settled.
    pub(super) open: usize,
    /// What went wrong, if something did.
    pub(super) failed: Option<PendingReason>,
    /// The app's code for it, and the field that it did not like.
    pub(super) code: Option<String>,
    pub(super) field: Option<FieldId>,
    /// The ops that were done.
    pub(super) done: BTreeSet<(Side, OpKind)>,
    /// Whether a person agreed to exactly this.
    pub(super) is_approved: bool,
    /// Whether it was tried so often that it is not tried again.
    pub(super) is_given_up: bool,
    /// The sides on which everything was written.
    pub(super) landed: PerSide<bool>,
    /// The only side whose record it is about, where the other is another's partner.
    pub(super) only: Option<Side>,
    /// Whether one of its records takes the place of another that its link had.
    pub(super) is_moved: bool,
    /// The link with what was written so far, should the rest not come to pass.
    pub(super) progress: Option<Link>,
}

impl Work {
    pub(super) fn new(
        item: Item,
        ends: PerSide<Option<End>>,
        records: PerSide<Option<Record>>,
        link: Option<(LinkId, Option<Link>)>,
    ) -> Self {
        let progress = link.as_ref().and_then(|(_, stored)| stored.clone());
        let landed = PerSide::default();
        Self {
            item,
            ends,
            records,
            link,
            open: 0,
            failed: None,
            code: None,
            field: None,
            done: BTreeSet::new(),
            is_approved: false,
            is_given_up: false,
            landed,
            only: None,
            is_moved: false,
            progress,
        }
    }

    /// The same, about the record of this side only: that of the other is the partner of somebody else.
    pub(super) fn beside(self, side: Side) -> Self {
        Self { only: Some(side), ..self }
    }

    /// Whether anything is to become something else.
    pub(super) fn converts(&self) -> bool {
        self.item.ops.iter().any(|op| op.kind == OpKind::Convert)
    }

    /// The records that it is about.
    pub(super) fn subjects(&self) -> impl Iterator<Item = (Side, &End)> {
        let is_about = |side: Side| self.only.is_none_or(|only| only == side);
        let ends = self.ends.iter().filter(move |(side, _)| is_about(*side));
        ends.filter_map(|(side, end)| Some((side, end.as_ref()?)))
    }

    /// What the link takes over once an op on this side has landed.
    pub(super) fn planned_for(&self, settings: &Settings, side: Side) -> Option<Link> {
        let link = self.item.link.as_ref()?;
        let due = self.item.ops.iter().filter(|op| !self.landed.of(op.side));
        Some(link.planned_for(settings, side, due))
    }

    /// The record under whose name it waits, if it has to.
    pub(super) fn anchor(&self) -> Option<&End> {
        self.subjects().next().map(|(_, end)| end)
    }
}

/// Ops of one item that travel together, as one record of one call.
pub(super) struct Shipment {
    pub(super) work: usize,
    pub(super) ops: Vec<(OpId, Op)>,
    pub(super) write: Write,
    pub(super) feed: Feed,
}

/// Something that is sent to a side, in its wave.
struct Sent<T> {
    wave: usize,
    side: Side,
    it: T,
}

/// What is sent in which order: permission first and alone, then changes, then what becomes something
/// else, then new records.
const WAVES: [&[OpKind]; 4] = [
    &[OpKind::Consent],
    &[OpKind::Fields, OpKind::Tags, OpKind::Mark],
    &[OpKind::Convert],
    &[OpKind::Create],
];

impl Session<'_> {
    /// Writes and settles these items.
    pub(super) async fn execute(&mut self, mut works: Vec<Work>) -> Result<(), RunError> {
        if works.is_empty() {
            return Ok(());
        }
        if matches!(self.mode, Mode::Plan(_)) {
            // What the brake would hold back belongs to what would happen.
            if self.is_preview() {
                for work in &mut works {
                    self.admit(work);
                }
            }
            return self.note(&works).await;
        }
        self.stop_if_changed().await?;
        self.hold_beyond(&mut works).await?;
        for work in &mut works {
            self.admit(work);
        }
        let mut shipments: Vec<Sent<Shipment>> = Vec::new();
        for (at, work) in works.iter_mut().enumerate() {
            let new = self.shipments(at, work)?;
            work.open = new.len();
            shipments.extend(new);
        }
        let mut settlement = Settlement::default();
        for work in &mut works {
            if work.open == 0 {
                self.conclude(work, &mut settlement);
            } else {
                self.link_first(work, &mut settlement);
            }
        }
        self.write_down(settlement).await?;
        let made = shipments.iter().filter(|sent| sent.it.write.id.is_none());
        self.catch_up(made.map(|sent| sent.side).collect()).await?;
        for (side, loads) in self.loads(shipments, |shipment| &shipment.write) {
            for load in loads {
                self.stop_if_changed().await?;
                self.ship(side, load, &mut works).await?;
            }
            self.note_progress().await?;
        }
        self.note_progress().await
    }

    /// A sync that was paused, or anything else that was published meanwhile, takes hold at once.
    async fn stop_if_changed(&self) -> Result<(), RunError> {
        let (store, workspace) = (&self.runner.store, self.connection.workspace);
        let live = store.connection(workspace, self.connection.id).await?.settings.version;
        if live == self.connection.settings.version {
            return Ok(());
        }
        store.ask_again(workspace, self.connection.id).await?;
        Err(RunError::Changed)
    }

    /// The brake: what it holds waits, all but permission.
    fn admit(&mut self, work: &mut Work) {
        let brake = match &mut self.mode {
            Mode::Approved { beyond, .. } if !work.is_approved => beyond,
            Mode::Approved { .. } | Mode::Write | Mode::Plan(_) => &mut self.brake,
        };
        let Err(held) = brake.admit(&work.item) else { return };
        self.braked.insert(held);
        work.item.ops.retain(|op| op.kind == OpKind::Consent);
        work.item.outcome = Outcome::Waiting(Wait::Brake);
        // That two records are the same person stays known; all else waits.
        let stored = work.link.as_ref().and_then(|(_, link)| link.clone());
        let is_pair = work.ends.left.is_some() && work.ends.right.is_some();
        let planned = work.item.link.take().filter(|_| is_pair && work.item.is_new_link);
        work.item.is_new_link = planned.is_some();
        work.item.link = stored.or(planned.map(|planned| planned.bare()));
    }

    fn shipments(&self, at: usize, work: &Work) -> Result<Vec<Sent<Shipment>>, RunError> {
        let mut shipments = Vec::new();
        for Sent { wave, side, it: (ops, write) } in parcels(work) {
            let feed = match work.ends.of(side) {
                Some(end) => self.feeds.get(&end.feed).map(|(_, feed)| feed),
                None => self.feed_of(side, &write.object),
            };
            let Some(feed) = feed else {
                let what = crate::store::Error::NotFound("feed");
                return Err(what.into());
            };
            let ids = ops.iter().map(|_| OpId(self.runner.ids.next(self.now())));
            let ops = ids.zip(ops.iter().copied().cloned()).collect();
            let it = Shipment { work: at, ops, write, feed: feed.clone() };
            shipments.push(Sent { wave, side, it });
        }
        Ok(shipments)
    }

    /// What these works ask of a side's app.
    pub(super) fn tolls<'w>(&self, works: impl Iterator<Item = &'w Work>) -> PerSide<Toll> {
        let mut tolls = PerSide::<Toll>::default();
        let of_work =
            |work| parcels(work).map(|Sent { wave, side, it: (_, it) }| Sent { wave, side, it });
        for (side, loads) in self.loads(works.flat_map(of_work).collect(), |write| write) {
            *tolls.of_mut(side) += loads.iter().map(|load| self.connector(side).toll(load)).sum();
        }
        tolls
    }

    /// The calls that are made for what is sent, in their order: those of each wave to one side together.
    fn loads<T>(
        &self,
        all: Vec<Sent<T>>,
        write: impl Fn(&T) -> &Write,
    ) -> Vec<(Side, Vec<Vec<T>>)> {
        let mut groups: BTreeMap<(usize, Side), Vec<T>> = BTreeMap::new();
        for Sent { wave, side, it } in all {
            groups.entry((wave, side)).or_default().push(it);
        }
        let split = |((_, side), mut group): ((usize, Side), Vec<T>)| {
            // Some apps take an object a call, and change tags by a call for each set of them.
            group.sort_by(|one, other| likeness(write(one)).cmp(&likeness(write(other))));
            let max = self.connector(side).capability().write_many_max.max(1);
            let mut loads = Vec::new();
            while !group.is_empty() {
                let rest = group.split_off(group.len().min(max));
                loads.push(std::mem::replace(&mut group, rest));
            }
            (side, loads)
        };
        groups.into_iter().map(split).collect()
    }

    /// One call: journal, send, settle.
    async fn ship(
        &mut self,
        side: Side,
        shipments: Vec<Shipment>,
        works: &mut [Work],
    ) -> Result<(), RunError> {
        let shipments = self.leave_out_changed(side, shipments, works).await?;
        let shipments = self.leave_out_arrived(side, shipments, works).await?;
        let shipments = self.leave_out_claimed(side, shipments, works).await?;
        let (rows, intents) = self.journal_rows(&shipments, works);
        let intents: BTreeMap<OpId, Intent> = intents.into_iter().map(|i| (i.op, i)).collect();
        let list: Vec<Intent> = intents.values().cloned().collect();
        let refused = self.runner.store.journal(&self.held, &rows, &list).await?;
        let intents: BTreeMap<OpId, Intent> =
            intents.into_iter().filter(|(op, _)| !refused.contains(op)).collect();
        let (held_back, sent): (Vec<Shipment>, Vec<Shipment>) = shipments
            .into_iter()
            .partition(|shipment| shipment.ops.iter().any(|(id, _)| refused.contains(id)));
        let mut settlement = Settlement::default();
        for shipment in &held_back {
            // Somebody is making the same person: wait for that to be settled, then match.
            self.settle_one(shipment, Answer::HeldBack, works, &mut settlement);
        }
        if sent.is_empty() {
            return self.write_down(settlement).await;
        }
        self.hold().await?;
        let ids: BTreeSet<OpId> =
            sent.iter().flat_map(|shipment| shipment.ops.iter().map(|(id, _)| *id)).collect();
        self.runner.store.mark_sent(&self.held, &ids, self.now()).await?;
        let writes: Vec<Write> = sent.iter().map(|shipment| shipment.write.clone()).collect();
        let answers = match self.connector(side).apply(&writes).await {
            Ok(answers) => answers,
            Err(error) => {
                // Certainly nothing was written: everything is planned again by the next run.
                settlement.ops.extend(
                    ids.iter().map(|id| (*id, (OpState::Dropped, Some(error.code.clone())))),
                );
                settlement.intents.extend(intents.into_values().map(closed));
                self.write_down(settlement).await?;
                return Err(app_error(side)(error));
            }
        };
        let missing = || Written::Unknown { code: "no_answer".to_owned() };
        let mut answers = answers.into_iter();
        let answers: Vec<Written> =
            sent.iter().map(|_| answers.next().unwrap_or_else(missing)).collect();
        let written = sent.iter().zip(&answers).filter_map(|(shipment, answer)| match answer {
            Written::Applied { id, .. } => Some(End { feed: shipment.feed.id, id: id.clone() }),
            _ => None,
        });
        let mut stored = self.seen_rows(&written.collect()).await?;
        for (shipment, written) in sent.iter().zip(answers) {
            let intent =
                shipment.ops.iter().find_map(|(id, _)| intents.get(id)).cloned().map(Box::new);
            let stored = match &written {
                Written::Applied { id, .. } => {
                    stored.remove(&End { feed: shipment.feed.id, id: id.clone() }).map(Box::new)
                }
                _ => None,
            };
            let answer = Answer::Given { written, intent, stored };
            self.settle_one(shipment, answer, works, &mut settlement);
        }
        self.write_down(settlement).await
    }

    fn journal_rows(&self, shipments: &[Shipment], works: &[Work]) -> (Vec<OpRow>, Vec<Intent>) {
        let (mut rows, mut intents) = (Vec::new(), Vec::new());
        for shipment in shipments {
            let Some(work) = works.get(shipment.work) else { continue };
            let item = work.item.hash().to_hex().to_string();
            for (id, op) in &shipment.ops {
                let mut planned = work.planned_for(&self.connection.settings, op.side);
                if let Some(planned) = &mut planned {
                    self.expect(op.side, shipment, None, planned);
                }
                rows.push(OpRow {
                    id: *id,
                    run: self.run,
                    connection: self.connection.id,
                    account: shipment.feed.account,
                    feed: shipment.feed.id,
                    target: op.id.clone(),
                    source: work.anchor().cloned(),
                    item: item.clone(),
                    op: op.clone(),
                    planned,
                    state: OpState::Planned,
                    sent_at: None,
                    error: None,
                });
                if op.kind == OpKind::Create
                    && let Some(source) = work.anchor()
                {
                    intents.push(self.intent(*id, op, &shipment.feed, source));
                }
            }
        }
        (rows, intents)
    }

    fn intent(&self, id: OpId, op: &Op, feed: &Feed, source: &End) -> Intent {
        let keys = self.keys_of(op.side, &op.object, &op.fields);
        Intent {
            op: id,
            connection: self.connection.id,
            feed: feed.id,
            source: source.clone(),
            keys,
            state: IntentState::Open,
            sent_at: None,
            resolve_at: None,
            attempts: 0,
        }
    }

    /// What a record with these fields would be matched by.
    pub(super) fn keys_of(
        &self,
        side: Side,
        object: &ObjectName,
        fields: &BTreeMap<FieldId, Value>,
    ) -> BTreeSet<Key> {
        let mut record = Record::new(object.clone(), "");
        record.fields.clone_from(fields);
        let settings = &self.connection.settings;
        let (mut keys, _) = record_keys(&record, settings.sides.of(side));
        keys.retain(|key| settings.match_keys.contains(&key.kind));
        keys
    }

    pub(super) async fn write_down(&self, settlement: Settlement) -> Result<(), RunError> {
        if settlement.is_empty() {
            return Ok(());
        }
        Ok(self.runner.store.settle(&self.held, &settlement).await?)
    }
}

pub(super) fn closed(intent: Intent) -> Intent {
    Intent { state: IntentState::Closed, resolve_at: None, ..intent }
}

/// What writes should have in common that travel in one call: the object, and the tags that records get and
/// lose, those with any first. New records have theirs in them, and stay in their order.
fn likeness(write: &Write) -> impl Ord {
    let has_none = write.tags_add.is_empty() && write.tags_remove.is_empty();
    let tags = (has_none, write.tags_add.as_slice(), write.tags_remove.as_slice());
    (&write.object, write.id.as_ref().map(|_| tags))
}

/// The ops of a work that travel together, and what is sent for them.
fn parcels(work: &Work) -> impl Iterator<Item = Sent<(Vec<&Op>, Write)>> {
    let waves = WAVES.iter().enumerate();
    let places = waves.flat_map(|(wave, kinds)| Side::BOTH.map(|side| (wave, *kinds, side)));
    places.filter_map(|(wave, kinds, side)| {
        let is_of_it = |op: &&Op| op.side == side && kinds.contains(&op.kind);
        let ops: Vec<&Op> = work.item.ops.iter().filter(is_of_it).collect();
        let first = *ops.first()?;
        let known = work.ends.of(side).as_ref().and(work.records.of(side).clone());
        let write = write_of(first, &ops, known);
        Some(Sent { wave, side, it: (ops, write) })
    })
}

/// What is sent for ops that travel together.
fn write_of(first: &Op, ops: &[&Op], known: Option<Record>) -> Write {
    let mut write = Write {
        object: first.object.clone(),
        id: first.id.clone(),
        known,
        fields: BTreeMap::new(),
        tags_add: Vec::new(),
        tags_remove: Vec::new(),
        becomes: first.becomes.clone(),
    };
    for op in ops {
        write.fields.extend(op.fields.clone());
        write.tags_add.extend(op.tags.add.clone());
        write.tags_remove.extend(op.tags.remove.clone());
    }
    write
}
