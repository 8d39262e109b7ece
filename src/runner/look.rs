//! The look before a write: what was read long ago is read again, and what is not as it was planned
//! upon is left for the next plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::RunError;
use super::execute::{Shipment, Work};
use super::plan::end_of;
use super::reading::Missed;
use super::session::Session;
use super::settle::Answer;
use crate::planner::{Key, Presence};
use crate::record::{Record, RemoteId, Side};
use crate::store::{End, FeedId, Observed, Settlement};

impl Session<'_> {
    /// Targets of which the knowledge is old are read again before they are written. One that was
    /// changed meanwhile is left for the next plan.
    pub(super) async fn leave_out_changed(
        &mut self,
        side: Side,
        shipments: Vec<Shipment>,
        works: &mut [Work],
    ) -> Result<Vec<Shipment>, RunError> {
        let mut doubted: BTreeMap<FeedId, BTreeSet<RemoteId>> = BTreeMap::new();
        for shipment in shipments.iter().filter(|shipment| self.is_old(shipment.feed.id)) {
            doubted.entry(shipment.feed.id).or_default().extend(shipment.write.id.clone());
        }
        let mut read_now: BTreeMap<(FeedId, RemoteId), Observed> = BTreeMap::new();
        for (feed, ids) in doubted.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            let read = self.look_at(side, feed, &ids).await?;
            read_now.extend(read.iter().map(|one| ((feed, one.id.clone()), one.clone())));
            self.remember(feed, read).await?;
        }
        // Against what was planned upon: what is stored may be newer by now than that.
        let is_changed = |shipment: &Shipment| {
            let id = shipment.write.id.clone();
            let now = id.and_then(|id| read_now.get(&(shipment.feed.id, id)));
            let planned = works.get(shipment.work).and_then(|work| work.records.of(side).clone());
            let planned = planned.map(|record| self.fingerprint(side, &record));
            now.is_some_and(|now| now.record.is_none() || Some(now.hash) != planned)
        };
        let (left_out, rest) = shipments.into_iter().partition(is_changed);
        self.leave_out(left_out, works).await?;
        Ok(rest)
    }

    /// Nobody is made who has turned up since it was planned that they are missing: a feed of which the
    /// knowledge is old is read on first.
    pub(super) async fn leave_out_arrived(
        &mut self,
        side: Side,
        shipments: Vec<Shipment>,
        works: &mut [Work],
    ) -> Result<Vec<Shipment>, RunError> {
        if !self.connection.settings.avoid_duplicates {
            return Ok(shipments);
        }
        let wanted: BTreeSet<Key> =
            shipments.iter().flat_map(|shipment| self.keys_to_make(side, shipment)).collect();
        if wanted.is_empty() {
            return Ok(shipments);
        }
        let mut arrived: BTreeSet<Key> = BTreeSet::new();
        for feed in self.feeds_of(side) {
            if self.is_old(feed) {
                self.read_on(side, feed).await?;
            }
            for record in self.arrived(feed, &wanted).await? {
                arrived.extend(self.keys_of(side, &record.object, &record.fields));
            }
        }
        let has_arrived = |shipment: &Shipment| {
            let mut keys = self.keys_to_make(side, shipment).into_iter();
            keys.any(|key| arrived.contains(&key))
        };
        let (left_out, rest) = shipments.into_iter().partition(has_arrived);
        self.leave_out(left_out, works).await?;
        Ok(rest)
    }

    /// Nobody becomes a record that another has become, or is linked to, by now.
    pub(super) async fn leave_out_claimed(
        &mut self,
        side: Side,
        shipments: Vec<Shipment>,
        works: &mut [Work],
    ) -> Result<Vec<Shipment>, RunError> {
        let named = |session: &Self, shipment: &Shipment| {
            let becomes = shipment.write.becomes.as_ref()?;
            let feed = session.feed_of(side, &becomes.object)?;
            Some(End { feed: feed.id, id: becomes.into.clone()? })
        };
        let wanted = shipments.iter().filter_map(|shipment| named(self, shipment)).collect();
        let linked = self.linked_of(&wanted).await?;
        let seen = self.seen_rows(&wanted).await?;
        let is_live =
            |end: &End| seen.get(end).is_some_and(|row| row.seen.presence == Presence::Live);
        let mut is_claimed = |shipment: &Shipment| {
            named(self, shipment).is_some_and(|end| {
                linked.contains(&end) || !is_live(&end) || !self.claimed.insert(end)
            })
        };
        let (left_out, rest) = shipments.into_iter().partition(|one| is_claimed(one));
        self.leave_out(left_out, works).await?;
        Ok(rest)
    }

    /// Who carries one of these keys and was not there, or not so, when it was planned. Those who are
    /// linked are somebody else.
    async fn arrived(&self, feed: FeedId, keys: &BTreeSet<Key>) -> Result<Vec<Record>, RunError> {
        let planned_upon = self.planned_upon.get(&feed).copied().unwrap_or_default();
        let mut rows =
            self.runner.store.seen_by_keys(self.connection.workspace, feed, keys).await?;
        rows.retain(|row| row.change > planned_upon && row.seen.presence == Presence::Live);
        let ends: BTreeSet<End> = rows.iter().map(end_of).collect();
        let linked = self.linked_of(&ends).await?;
        rows.retain(|row| !linked.contains(&end_of(row)));
        Ok(rows.into_iter().map(|row| row.seen.record).collect())
    }

    /// What whoever is made by a write is recognised by: a new record, or the one that another becomes.
    fn keys_to_make(&self, side: Side, shipment: &Shipment) -> BTreeSet<Key> {
        let write = &shipment.write;
        let is_named = write.becomes.as_ref().is_some_and(|becomes| becomes.into.is_some());
        let fields = match (&write.id, &write.becomes, &write.known) {
            (None, ..) => &write.fields,
            (Some(_), Some(_), Some(known)) if !is_named => &known.fields,
            _ => return BTreeSet::new(),
        };
        self.keys_of(side, &write.object, fields)
    }

    /// Whether what is known of a feed is too old to write by.
    fn is_old(&self, feed: FeedId) -> bool {
        let oldest = self.now().checked_sub(self.runner.timings.fresh).unwrap_or(Timestamp::MIN);
        self.read_at.get(&feed).is_none_or(|at| *at < oldest)
    }

    /// Before anything is written, the sides where somebody is to be made are read on, where they were read
    /// before all of that which is planned upon: somebody may have come to both meanwhile.
    pub(super) async fn catch_up(&mut self, made: BTreeSet<Side>) -> Result<(), RunError> {
        for side in made {
            for feed in self.feeds_of(side) {
                if self.read_at.get(&feed).is_none_or(|at| *at < self.observed_at) {
                    self.read_on(side, feed).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads what changed in a feed, and what was told of it, since it was read.
    async fn read_on(&mut self, side: Side, feed: FeedId) -> Result<(), RunError> {
        self.read_at.insert(feed, self.now());
        let missed = Missed::default();
        let read = self.read_feed(side, feed, &missed).await;
        self.note_missed(&missed);
        read
    }

    async fn leave_out(
        &mut self,
        shipments: Vec<Shipment>,
        works: &mut [Work],
    ) -> Result<(), RunError> {
        let mut settlement = Settlement::default();
        for shipment in &shipments {
            self.settle_one(shipment, Answer::HeldBack, works, &mut settlement);
        }
        self.write_down(settlement).await
    }
}
