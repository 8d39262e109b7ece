//! Reading both sides: what changed, and what somebody hinted at. Both are always read, also for a
//! sync that goes one way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RunError;
use super::session::{Session, app_error, later};
use crate::connectors::{Change, ErrorKind, Fetched, Query};
use crate::planner::{Presence, Settings, SideSettings, StandIn, record_keys};
use crate::record::{FieldId, FieldType, Record, RemoteId, Semantic, Side, normalise};
use crate::store::{Feed, FeedId, Observation, Observed};

/// Hints that are due so soon are read too, so that those of one moment are one run's. A little less than
/// a hint waits for others: one that comes while its record is read is due later.
const SOON: Duration = Duration::from_millis(1900);

impl Session<'_> {
    /// Reads both sides at once. Where one fails the other is read to its end all the same: it may be
    /// about to keep a new key.
    pub(super) async fn observe(&mut self) -> Result<(), RunError> {
        self.reload_feeds().await?;
        let now = self.now();
        self.read_at.extend(self.feeds.keys().map(|feed| (*feed, now)));
        let missed = AtomicU64::new(0);
        let (left, right) = tokio::join!(
            self.observe_side(Side::Left, &missed),
            self.observe_side(Side::Right, &missed)
        );
        self.report.missed_by_webhooks += missed.into_inner();
        left.and(right)
    }

    /// Another connection may have read more of a feed since it was looked at.
    pub(super) async fn reload_feeds(&mut self) -> Result<(), RunError> {
        for (id, (_, feed)) in &mut self.feeds {
            *feed = self.runner.store.feed(self.connection.workspace, *id).await?;
        }
        self.former_fields = former_fields(&self.connection.settings, &self.feeds);
        Ok(())
    }

    async fn observe_side(&self, of: Side, missed: &AtomicU64) -> Result<(), RunError> {
        for (side, feed) in self.feeds.values().filter(|(side, _)| *side == of) {
            self.read_feed(*side, feed, missed).await?;
        }
        Ok(())
    }

    /// Reads what changed in a feed, and what was told of it.
    pub(super) async fn read_feed(
        &self,
        side: Side,
        feed: &Feed,
        missed: &AtomicU64,
    ) -> Result<(), RunError> {
        self.read_changes(side, feed, missed).await?;
        self.read_hints(side, feed).await
    }

    /// What this connection needs, and what others that share the feed have read of it: a record is
    /// always remembered with all of it.
    pub(super) fn query(&self, side: Side, feed: &Feed) -> Query {
        Query {
            object: feed.object.clone(),
            collection: feed.collection.clone(),
            fields: read_fields(&self.connection.settings, side, feed),
            removals_every: self.reading.removals_every,
        }
    }

    /// Page by page: each is remembered, with where to go on, before the next is read.
    async fn read_changes(
        &self,
        side: Side,
        feed: &Feed,
        missed: &AtomicU64,
    ) -> Result<(), RunError> {
        let query = self.query(side, feed);
        // A cursor goes on only for the fields that it was begun with: where more are needed,
        // everything is read again, but for what is known of removals. What did not change in what was
        // read before stays as it was: the others that read this feed have nothing to do with the rest.
        let mut cursor = match mark(feed) {
            Some(mark) if mark.fields == query.fields => Some(mark.at),
            Some(mark) => self.connector(side).restart(&mark.at),
            None => None,
        };
        let mut is_restarted = false;
        loop {
            self.hold().await?;
            let page = match self.connector(side).changes(&query, cursor.as_deref()).await {
                Err(error) if error.kind == ErrorKind::CursorLost && cursor.is_some() => {
                    let kept = cursor.and_then(|lost| self.connector(side).restart(&lost));
                    // Should that be lost too, nothing of it is any good.
                    cursor = kept.filter(|_| !is_restarted);
                    is_restarted = true;
                    continue;
                }
                other => other.map_err(app_error(side))?,
            };
            let mut records = Vec::new();
            let mut reported_gone = BTreeSet::new();
            for change in page.changes {
                match change {
                    Change::Seen(record) => records.push(self.seen(side, feed.id, record)),
                    Change::Gone(id) => {
                        reported_gone.insert(id);
                    }
                }
            }
            records.extend(self.look_at(side, feed, &reported_gone).await?);
            let on_their_way = self.reading.on_their_way(&records, self.now());
            let was = self.former_fields.get(&feed.id).cloned().filter(|_| !page.is_last);
            let next = Mark { fields: query.fields.clone(), was, at: page.cursor.clone() };
            let cursor_now = Some(next.to_text());
            let changed = self.remember(feed.id, records, cursor_now).await?;
            let (reading, workspace) = (&self.reading, self.connection.workspace);
            let changed = changed.difference(&on_their_way).cloned().collect();
            let untold = reading.missed(self.runner, workspace, feed.id, &changed).await?;
            missed.fetch_add(untold, Ordering::Relaxed);
            if page.is_last {
                return Ok(());
            }
            cursor = Some(page.cursor);
        }
    }

    /// Reads a slice of what was told of each feed, the newest first. False if nothing is left.
    pub(super) async fn observe_told(&self) -> Result<bool, RunError> {
        let up_to = self.soon();
        let read = async |of: Side| {
            let mut is_any = false;
            for (side, feed) in self.feeds.values().filter(|(side, _)| *side == of) {
                is_any |= self.read_slice(*side, feed, up_to).await?;
            }
            Ok::<bool, RunError>(is_any)
        };
        let (left, right) = tokio::join!(read(Side::Left), read(Side::Right));
        Ok(left? | right?)
    }

    async fn read_hints(&self, side: Side, feed: &Feed) -> Result<(), RunError> {
        // Whoever is hinted at from here on is read by the next run.
        let up_to = self.soon();
        while self.read_slice(side, feed, up_to).await? {}
        Ok(())
    }

    /// Up to when hints are read that are read now.
    fn soon(&self) -> Timestamp {
        later(self.now(), SOON)
    }

    /// Reads some of the records that somebody hinted at and that are due by then. False if there are
    /// none.
    async fn read_slice(
        &self,
        side: Side,
        feed: &Feed,
        up_to: Timestamp,
    ) -> Result<bool, RunError> {
        let store = &self.runner.store;
        let max = self.connector(side).capability().read_many_max as u64;
        let due = store.due_hints(self.connection.workspace, feed.id, up_to, max).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let records = self.look_at(side, feed, &due).await?;
        let (cursor, answered, answered_up_to) = (None, due, up_to);
        let observation = Observation { feed: feed.id, records, cursor, answered, answered_up_to };
        store.observe(&self.held, &observation).await?;
        Ok(true)
    }

    /// Reads records directly. Only this makes a reported deletion believed.
    pub(super) async fn look_at(
        &self,
        side: Side,
        feed: &Feed,
        ids: &BTreeSet<RemoteId>,
    ) -> Result<Vec<Observed>, RunError> {
        let query = self.query(side, feed);
        let max = self.connector(side).capability().read_many_max.max(1);
        let ids: Vec<&RemoteId> = ids.iter().collect();
        let mut seen = Vec::new();
        for chunk in ids.chunks(max) {
            self.hold().await?;
            let chunk: BTreeSet<RemoteId> = chunk.iter().copied().cloned().collect();
            let answers = self.connector(side).fetch(&query, &chunk).await;
            for answer in answers.map_err(app_error(side))? {
                seen.push(match answer {
                    Fetched::Live(record) => self.seen(side, feed.id, record),
                    Fetched::Gone(id) => unseen(id, Presence::Gone),
                    Fetched::Forbidden(id) => unseen(id, Presence::Forbidden),
                });
            }
        }
        Ok(seen)
    }

    /// Writes a page down. Gives the records that changed.
    pub(super) async fn remember(
        &self,
        feed: FeedId,
        records: Vec<Observed>,
        cursor: Option<String>,
    ) -> Result<BTreeSet<RemoteId>, RunError> {
        let (answered, answered_up_to) = (BTreeSet::new(), Timestamp::MIN);
        let observation = Observation { feed, records, cursor, answered, answered_up_to };
        Ok(self.runner.store.observe(&self.held, &observation).await?)
    }

    /// A live record, as the store remembers it.
    pub(super) fn seen(&self, side: Side, feed: FeedId, record: Record) -> Observed {
        let settings = self.connection.settings.sides.of(side);
        let former_hash = self.former_fields.get(&feed).map(|fields| {
            let mut former = record.clone();
            former.fields.retain(|id, _| fields.contains(id));
            fingerprint(&former, settings)
        });
        Observed {
            former_hash,
            id: record.id.clone(),
            presence: Presence::Live,
            keys: record_keys(&record, settings).0,
            hash: fingerprint(&record, settings),
            record: Some(record),
        }
    }
}

fn unseen(id: RemoteId, presence: Presence) -> Observed {
    Observed { id, presence, record: None, keys: BTreeSet::new(), hash: [0; 32], former_hash: None }
}

/// How far a feed was read, and which of its fields.
#[derive(Serialize, Deserialize)]
struct Mark {
    fields: BTreeSet<FieldId>,
    /// Those that were read before, until all have been read again with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<BTreeSet<FieldId>>,
    at: String,
}

impl Mark {
    fn to_text(&self) -> String {
        // Plain text only: serialising it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn mark(feed: &Feed) -> Option<Mark> {
    serde_json::from_str(feed.cursor.as_deref()?).ok()
}

/// What is read of a feed: what these settings ask about, and what was read before.
fn read_fields(settings: &Settings, side: Side, feed: &Feed) -> BTreeSet<FieldId> {
    let mut fields = needed_fields(settings, side, feed);
    fields.extend(mark(feed).map(|mark| mark.fields).unwrap_or_default());
    fields
}

/// Of feeds of which more is read than before: the fields by which those records are known that were
/// not read again yet.
pub(super) fn former_fields(
    settings: &Settings,
    feeds: &BTreeMap<FeedId, (Side, Feed)>,
) -> BTreeMap<FeedId, BTreeSet<FieldId>> {
    let former = |side: Side, feed: &Feed| {
        let mark = mark(feed)?;
        if mark.fields == read_fields(settings, side, feed) { mark.was } else { Some(mark.fields) }
    };
    feeds.iter().filter_map(|(id, (side, feed))| Some((*id, former(*side, feed)?))).collect()
}

/// A fingerprint of what is compared: the fields in normal form.
fn fingerprint(record: &Record, side: &SideSettings) -> [u8; 32] {
    let schema = side.schema(&record.object);
    let mut hasher = blake3::Hasher::new();
    for (id, value) in &record.fields {
        let normal = schema
            .and_then(|schema| schema.get(id))
            .map(|field| normalise(value, field, side.region.as_ref()));
        // Plain data with string keys only: serialising it cannot fail.
        let line = match normal {
            Some(normal) => serde_json::to_vec(&(id, normal)),
            None => serde_json::to_vec(&(id, value)),
        };
        hasher.update(&line.unwrap_or_default());
    }
    hasher.finalize().into()
}

/// The fields of a side that anything asks about: mappings, filters, permission, tags, keys.
fn needed_fields(settings: &Settings, side: Side, feed: &Feed) -> BTreeSet<FieldId> {
    let mut needed = BTreeSet::new();
    for (source, entry) in settings.entries() {
        if source == side {
            needed.extend(entry.inputs.iter().cloned());
            needed.extend(entry.fallback.iter().filter_map(|stand_in| match stand_in {
                StandIn::Field(field) | StandIn::LocalPart(field) => Some(field.clone()),
                StandIn::Value(_) => None,
            }));
        } else {
            needed.insert(entry.target.clone());
        }
    }
    for rule in settings.sync(side).into_iter().flat_map(|sync| &sync.rules) {
        needed.extend(rule.filter.conditions().iter().map(|condition| condition.field.clone()));
    }
    needed.extend(settings.consent.iter().map(|channel| channel.fields.of(side).clone()));
    let own = settings.sides.of(side);
    needed.extend(own.tags.clone());
    let schema = own.schema(&feed.object).into_iter().flat_map(crate::record::Schema::iter);
    for field in schema {
        let is_key = matches!(field.kind, FieldType::Email | FieldType::Phone);
        let is_name = matches!(
            field.semantic,
            Some(Semantic::NameFirst | Semantic::NameLast | Semantic::NameFull)
        );
        if is_key || is_name {
            needed.insert(field.id.clone());
        }
        // A part is written by writing the whole, so the whole must be known.
        if needed.contains(&field.id) {
            needed.extend(field.part_of.clone());
        }
    }
    needed
}
