//! Observations: what was seen of records, and what they are recognised by.

use std::collections::{BTreeMap, BTreeSet};

use entity::{feed, seen, seen_key};
use jiff::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::batch::{CHUNK, insert, upsert};
use super::codec::{at_most, became, document, from_word, number, seen_row, word};
use super::feed as feeds;
use crate::planner::{Key, Presence};
use crate::record::RemoteId;
use crate::store::key::hash;
use crate::store::{End, FeedId, Observation, Observed, Result, SeenRow, WorkspaceId};

pub(super) async fn observe(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    observation: &Observation,
) -> Result<BTreeSet<RemoteId>> {
    let before = feeds::lock_one(tx, workspace, observation.feed).await?;
    let mut feed = before.clone();
    let saw = see(tx, &mut feed, &observation.records.iter().collect::<Vec<_>>()).await?;
    if let Some(step) = observation.step.as_ref().filter(|step| step.from == feed.cursor) {
        feed.cursor = Some(step.to.clone());
    }
    if feed != before {
        feeds::save(tx, feed).await?;
    }
    let (answered, up_to) = (&observation.answered, observation.answered_up_to);
    feeds::answer(tx, workspace, observation.feed, answered, up_to).await?;
    feeds::put_hints(tx, workspace, &saw.outdated).await?;
    Ok(saw.changed)
}

/// What became of observations.
#[derive(Default)]
pub(super) struct Saw {
    /// The records of which anything that is compared changed.
    pub(super) changed: BTreeSet<RemoteId>,
    /// Those that were left as they are, to be looked at again.
    pub(super) outdated: Vec<(End, Timestamp)>,
}

/// Remembers observations of a feed that is locked, in order, and counts its changes; the caller
/// saves the feed, and adds the hints.
pub(super) async fn see(
    tx: &DatabaseTransaction,
    feed: &mut feed::Model,
    observed: &[&Observed],
) -> Result<Saw> {
    let mut page = Page::load(tx, feed, observed).await?;
    for one in observed {
        page.see(feed, one)?;
    }
    page.save(tx).await?;
    Ok(page.saw)
}

/// What is stored of a record.
struct Stored {
    row: seen::Model,
    keys: BTreeSet<Vec<u8>>,
}

/// The records of a page: as they were stored, and as they are now. Most are the same, and cost no
/// write.
struct Page {
    workspace: Uuid,
    feed: Uuid,
    before: BTreeMap<String, Stored>,
    after: BTreeMap<String, Stored>,
    /// The last change before it.
    since: i64,
    saw: Saw,
}

impl Page {
    async fn load(
        tx: &DatabaseTransaction,
        feed: &feed::Model,
        observed: &[&Observed],
    ) -> Result<Self> {
        let ids: BTreeSet<&str> = observed.iter().map(|one| one.id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut before = BTreeMap::new();
        for page in ids.chunks(CHUNK) {
            let rows = seen::Entity::find()
                .filter(seen::Column::Workspace.eq(feed.workspace))
                .filter(seen::Column::Feed.eq(feed.id))
                .filter(seen::Column::RemoteId.is_in(page.iter().copied()))
                .all(tx)
                .await?;
            let keys = seen_key::Entity::find()
                .filter(seen_key::Column::Workspace.eq(feed.workspace))
                .filter(seen_key::Column::Feed.eq(feed.id))
                .filter(seen_key::Column::RemoteId.is_in(page.iter().copied()))
                .all(tx)
                .await?;
            for row in rows {
                before.insert(row.remote_id.clone(), Stored { row, keys: BTreeSet::new() });
            }
            for key in keys {
                if let Some(stored) = before.get_mut(&key.remote_id) {
                    stored.keys.insert(key.key);
                }
            }
        }
        Ok(Self {
            workspace: feed.workspace,
            feed: feed.id,
            before,
            after: BTreeMap::new(),
            since: feed.last_change,
            saw: Saw::default(),
        })
    }

    fn see(&mut self, feed: &mut feed::Model, observed: &Observed) -> Result<()> {
        let id = observed.id.as_str();
        let known = self.after.get(id).or_else(|| self.before.get(id)).map(|stored| &stored.row);
        let record = match (&observed.record, known) {
            (Some(record), _) => document(record)?,
            (None, Some(row)) => row.record.clone(),
            // Nothing can be said of a record that is gone and was never seen.
            (None, None) => return Ok(()),
        };
        if let Some(row) = known
            && from_word::<Presence>(row.presence.clone())?.outlasts(observed.presence)
        {
            return Ok(());
        }
        let presence = word(&observed.presence)?;
        let known_as = known.map(became).transpose()?.flatten();
        let became = observed.now(known_as.as_ref());
        let is_same = known.is_some_and(|row| {
            observed.is_as(&row.hash) && row.presence == presence && known_as == became
        });
        if let Some(row) = known
            // What came before it on the same page is no newer.
            && row.change_no <= self.since
            && number::<_, u64>(row.change_no)? > observed.as_of
        {
            // What is the same by fewer fields has still to be read with all of them.
            if row.hash != observed.hash || row.presence != presence {
                let end = End { feed: FeedId(self.feed), id: observed.id.clone() };
                self.saw.outdated.push((end, observed.at));
            }
            return Ok(());
        }
        let change_no = match known {
            Some(row) if is_same => row.change_no,
            _ => {
                feed.last_change += 1;
                self.saw.changed.insert(observed.id.clone());
                feed.last_change
            }
        };
        let row = seen::Model {
            workspace: self.workspace,
            feed: self.feed,
            remote_id: id.to_owned(),
            change_no,
            presence,
            became: became.as_ref().map(document).transpose()?,
            record,
            hash: observed.hash.to_vec(),
        };
        let keys = keys_of(WorkspaceId(self.workspace), observed);
        self.after.insert(id.to_owned(), Stored { row, keys });
        Ok(())
    }

    async fn save(&self, tx: &DatabaseTransaction) -> Result<()> {
        upsert::<seen::Entity>(tx, self.rewritten()).await?;
        let rekeyed = self.rekeyed();
        for page in rekeyed.chunks(CHUNK) {
            let ids = page.iter().map(|stored| stored.row.remote_id.as_str());
            let old = seen_key::Entity::delete_many()
                .filter(seen_key::Column::Workspace.eq(self.workspace))
                .filter(seen_key::Column::Feed.eq(self.feed))
                .filter(seen_key::Column::RemoteId.is_in(ids));
            old.exec(tx).await?;
        }
        let keys = rekeyed.into_iter().flat_map(|stored| {
            stored.keys.iter().map(move |key| seen_key::Model {
                workspace: self.workspace,
                feed: self.feed,
                key: key.clone(),
                remote_id: stored.row.remote_id.clone(),
            })
        });
        insert::<seen_key::Entity>(tx, keys.collect()).await
    }

    /// Rows that are not as they were stored.
    fn rewritten(&self) -> Vec<seen::Model> {
        let differs = |stored: &&Stored| {
            let before = self.before.get(&stored.row.remote_id);
            before.is_none_or(|before| before.row != stored.row)
        };
        self.after.values().filter(differs).map(|stored| stored.row.clone()).collect()
    }

    /// Records whose keys are not as they were stored.
    fn rekeyed(&self) -> Vec<&Stored> {
        let differs = |stored: &&Stored| {
            let before = self.before.get(&stored.row.remote_id);
            before.map_or(!stored.keys.is_empty(), |before| before.keys != stored.keys)
        };
        self.after.values().filter(differs).collect()
    }
}

/// The keys under which a record is found: none, once it is out of reach.
fn keys_of(workspace: WorkspaceId, observed: &Observed) -> BTreeSet<Vec<u8>> {
    match observed.presence {
        Presence::Live => observed.keys.iter().map(|key| hash(workspace, key).to_vec()).collect(),
        Presence::Gone | Presence::Forbidden | Presence::Left => BTreeSet::new(),
    }
}

pub(super) async fn after(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    feed: FeedId,
    change: u64,
    limit: u64,
) -> Result<Vec<SeenRow>> {
    let models = seen::Entity::find()
        .filter(seen::Column::Workspace.eq(workspace.0))
        .filter(seen::Column::Feed.eq(feed.0))
        .filter(seen::Column::ChangeNo.gt(number::<_, i64>(change)?))
        .order_by_asc(seen::Column::ChangeNo)
        .limit(at_most(limit))
        .all(db)
        .await?;
    models.into_iter().map(seen_row).collect()
}

pub(super) async fn by_id(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    feed: FeedId,
    ids: &BTreeSet<RemoteId>,
) -> Result<Vec<SeenRow>> {
    let ids: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
    let mut rows = Vec::with_capacity(ids.len());
    for page in ids.chunks(CHUNK) {
        let models = seen::Entity::find()
            .filter(seen::Column::Workspace.eq(workspace.0))
            .filter(seen::Column::Feed.eq(feed.0))
            .filter(seen::Column::RemoteId.is_in(page.iter().copied()))
            .order_by_asc(seen::Column::RemoteId)
            .all(db)
            .await?;
        for model in models {
            rows.push(seen_row(model)?);
        }
    }
    Ok(rows)
}

pub(super) async fn by_keys(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    feed: FeedId,
    keys: &BTreeSet<Key>,
) -> Result<Vec<SeenRow>> {
    let hashes: Vec<Vec<u8>> = keys.iter().map(|key| hash(workspace, key).to_vec()).collect();
    let mut ids = BTreeSet::new();
    for page in hashes.chunks(CHUNK) {
        let found = seen_key::Entity::find()
            .select_only()
            .column(seen_key::Column::RemoteId)
            .filter(seen_key::Column::Workspace.eq(workspace.0))
            .filter(seen_key::Column::Feed.eq(feed.0))
            .filter(seen_key::Column::Key.is_in(page.iter().cloned()))
            .into_tuple::<String>()
            .all(tx)
            .await?;
        ids.extend(found.into_iter().map(RemoteId::new));
    }
    by_id(tx, workspace, feed, &ids).await
}

pub(super) async fn count_live(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    feed: FeedId,
) -> Result<u64> {
    let live = seen::Entity::find()
        .select_only()
        .column_as(seen::Column::RemoteId.count(), "live")
        .filter(seen::Column::Workspace.eq(workspace.0))
        .filter(seen::Column::Feed.eq(feed.0))
        .filter(seen::Column::Presence.eq(word(&Presence::Live)?))
        .into_tuple::<i64>()
        .one(db)
        .await?;
    number(live.unwrap_or_default())
}
