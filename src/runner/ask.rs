//! What is asked of an app, and what is known of its feed at that moment: which fields are read, how far,
//! and what an answer takes the place of.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RunError;
use super::session::Session;
use crate::connectors::{Connector, Departure, Query};
use crate::planner::{Entry, Presence, Settings, SideSettings, StandIn, record_keys};
use crate::record::{FieldId, FieldType, Record, RemoteId, Semantic, Side, normalise};
use crate::store::{Feed, FeedId, Observed, SeenRow};

/// A feed as it was just before something was asked of its app: others may read and write it meanwhile.
pub(super) struct Asked<'a> {
    pub(super) feed: Feed,
    pub(super) query: Query,
    /// The fields by which those records are known that were not read again yet, if more are read than
    /// before.
    former: Option<BTreeSet<FieldId>>,
    settings: &'a SideSettings,
    /// The last change of the feed that was known at the moment of which the answer tells.
    as_of: u64,
    at: Timestamp,
}

impl Session<'_> {
    /// Before an app is asked for records: holds on to the lease, and looks at what is known. What this
    /// connection needs is read, and what others that share the feed have read of it: a record is
    /// always remembered with all of it.
    pub(super) async fn ask(&self, side: Side, feed: FeedId) -> Result<Asked<'_>, RunError> {
        self.hold().await?;
        let feed = self.runner.store.feed(self.connection.workspace, feed).await?;
        let settings = &self.connection.settings;
        let fields = read_fields(settings, side, &feed);
        let former = mark(&feed)
            .and_then(|mark| if mark.fields == fields { mark.was } else { Some(mark.fields) });
        let query = Query {
            object: feed.object.clone(),
            collection: feed.collection.clone(),
            fields,
            removals_every: self.reading.removals_every,
            moment: feed.last_change,
        };
        let (as_of, settings) = (feed.last_change, settings.sides.of(side));
        Ok(Asked { feed, query, former, settings, as_of, at: self.now() })
    }

    /// What our own write made of a record that is stored so; none if nobody has seen it yet.
    pub(super) fn own(&self, side: Side, record: Record, over: Option<&SeenRow>) -> Observed {
        let as_of = over.map_or(0, |row| row.change);
        live(record, self.connection.settings.sides.of(side), as_of, self.now())
    }

    /// A fingerprint of what is compared of a record.
    pub(super) fn fingerprint(&self, side: Side, record: &Record) -> [u8; 32] {
        fingerprint(record, self.connection.settings.sides.of(side))
    }
}

impl Asked<'_> {
    /// The answer tells of this moment.
    pub(super) fn tells_of(&mut self, moment: u64) {
        self.as_of = moment;
    }

    /// Where changes are read on. A cursor goes on only for the fields that it was begun with: where
    /// more are needed, everything is read again, but for what is known of removals. What did not change
    /// in what was read before stays as it was: the others that read this feed have nothing to do with
    /// the rest.
    pub(super) fn cursor(&self, connector: &dyn Connector) -> Option<String> {
        let mark = mark(&self.feed)?;
        if mark.fields == self.query.fields { Some(mark.at) } else { connector.restart(&mark.at) }
    }

    /// Where changes are read on after a page.
    pub(super) fn mark(&self, at: String, is_last: bool) -> String {
        let was = self.former.clone().filter(|_| !is_last);
        Mark { fields: self.query.fields.clone(), was, at }.to_text()
    }

    /// A live record, as the store remembers it.
    pub(super) fn seen(&self, record: Record) -> Observed {
        let former_hash = self.former.as_ref().map(|fields| {
            let mut former = record.clone();
            former.fields.retain(|id, _| fields.contains(id));
            fingerprint(&former, self.settings)
        });
        Observed { former_hash, ..live(record, self.settings, self.as_of, self.at) }
    }

    /// A record that is one of this object no more.
    pub(super) fn left(&self, departure: Departure) -> Observed {
        let Departure { id, became } = departure;
        Observed { became, ..self.unseen(id, Presence::Left) }
    }

    /// A record of which nothing can be read.
    pub(super) fn unseen(&self, id: RemoteId, presence: Presence) -> Observed {
        Observed {
            id,
            presence,
            record: None,
            became: None,
            keys: BTreeSet::new(),
            hash: [0; 32],
            former_hash: None,
            as_of: self.as_of,
            at: self.at,
        }
    }
}

fn live(record: Record, settings: &SideSettings, as_of: u64, at: Timestamp) -> Observed {
    Observed {
        id: record.id.clone(),
        presence: Presence::Live,
        keys: record_keys(&record, settings).0,
        hash: fingerprint(&record, settings),
        former_hash: None,
        record: Some(record),
        became: None,
        as_of,
        at,
    }
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
    let is_for =
        |entry: &Entry| entry.objects.of(side).as_ref().is_none_or(|object| *object == feed.object);
    for (source, entry) in settings.entries().filter(|(_, entry)| is_for(entry)) {
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
