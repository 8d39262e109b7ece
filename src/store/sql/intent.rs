//! Intents: what keeps a person from being made twice.

use std::collections::{BTreeMap, BTreeSet};

use entity::{create_intent, create_intent_key};
use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::batch::{CHUNK, insert, latest, upsert};
use super::codec::{intent_model, intent_row, micros, word};
use super::feed;
use crate::store::key::hash;
use crate::store::{
    ConnectionId, FeedId, Intent, IntentState, OpId, Result, Settlement, WorkspaceId,
};

/// The ops whose intents are held by others, or by earlier ones of the same list. Until this
/// transaction ends, nobody else takes keys in these feeds.
pub(super) async fn held_by_others(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    intents: &[Intent],
) -> Result<BTreeSet<OpId>> {
    let feeds: BTreeSet<FeedId> = intents.iter().map(|intent| intent.feed).collect();
    feed::lock(tx, workspace, &feeds).await?;
    let mut taken = taken(tx, workspace, intents).await?;
    let mut held = BTreeSet::new();
    for intent in intents {
        let keys: Vec<(FeedId, String)> =
            keys(workspace, intent).into_iter().map(|key| (intent.feed, key)).collect();
        if keys.iter().any(|key| taken.contains(key)) {
            held.insert(intent.op);
        } else if intent.state != IntentState::Closed {
            taken.extend(keys);
        }
    }
    Ok(held)
}

/// Those keys of intents that are taken.
async fn taken(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    intents: &[Intent],
) -> Result<BTreeSet<(FeedId, String)>> {
    let mut wanted: BTreeMap<FeedId, Vec<String>> = BTreeMap::new();
    for intent in intents {
        wanted.entry(intent.feed).or_default().extend(keys(workspace, intent));
    }
    let mut taken = BTreeSet::new();
    for (feed, keys) in wanted {
        for page in keys.chunks(CHUNK) {
            let found = create_intent_key::Entity::find()
                .filter(create_intent_key::Column::Workspace.eq(workspace.0))
                .filter(create_intent_key::Column::Feed.eq(feed.0))
                .filter(create_intent_key::Column::Key.is_in(page.iter().map(String::as_str)))
                .all(tx)
                .await?;
            taken.extend(found.into_iter().map(|row| (feed, row.key)));
        }
    }
    Ok(taken)
}

/// What an intent takes: what the new record will be recognised by, and the record that is copied.
fn keys(workspace: WorkspaceId, intent: &Intent) -> Vec<String> {
    let source = &intent.source;
    let copied = format!("from:{}:{}:{}", intent.connection, source.feed, source.id);
    let recognised =
        intent.keys.iter().map(|key| format!("{:032x}", u128::from_be_bytes(hash(workspace, key))));
    recognised.chain([copied]).collect()
}

/// Writes intents as they are now, and takes their keys, or lets them go.
pub(super) async fn put(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    intents: &[Intent],
) -> Result<()> {
    let intents = latest(intents.iter().map(|intent| (intent.op, intent)));
    let mut rows = Vec::new();
    let mut taken = Vec::new();
    for intent in &intents {
        rows.push(intent_model(workspace, intent)?);
        if intent.state != IntentState::Closed {
            taken.extend(keys(workspace, intent).into_iter().map(|key| create_intent_key::Model {
                workspace: workspace.0,
                feed: intent.feed.0,
                key,
                op: intent.op.0,
            }));
        }
    }
    upsert::<create_intent::Entity>(tx, rows).await?;
    for page in intents.chunks(CHUNK) {
        let old = create_intent_key::Entity::delete_many()
            .filter(create_intent_key::Column::Workspace.eq(workspace.0))
            .filter(create_intent_key::Column::Op.is_in(page.iter().map(|intent| intent.op.0)));
        old.exec(tx).await?;
    }
    insert::<create_intent_key::Entity>(tx, taken).await
}

/// Closes intents, and puts others in doubt. Those that are not there are left out.
pub(super) async fn amend(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    settlement: &Settlement,
) -> Result<()> {
    let ops: BTreeSet<OpId> =
        settlement.closed.iter().chain(settlement.doubtful.keys()).copied().collect();
    let mut intents = by_op(tx, workspace, &ops).await?;
    for intent in &mut intents {
        if settlement.closed.contains(&intent.op) {
            intent.state = IntentState::Closed;
            intent.resolve_at = None;
        }
        if let Some(due) = settlement.doubtful.get(&intent.op) {
            intent.state = IntentState::Unknown;
            intent.resolve_at = Some(*due);
        }
    }
    put(tx, workspace, &intents).await
}

async fn by_op(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    ops: &BTreeSet<OpId>,
) -> Result<Vec<Intent>> {
    let ops: Vec<OpId> = ops.iter().copied().collect();
    let mut intents = Vec::with_capacity(ops.len());
    for page in ops.chunks(CHUNK) {
        let models = create_intent::Entity::find()
            .filter(create_intent::Column::Workspace.eq(workspace.0))
            .filter(create_intent::Column::Op.is_in(page.iter().map(|op| op.0)))
            .all(tx)
            .await?;
        for model in models {
            intents.push(intent_row(model)?);
        }
    }
    Ok(intents)
}

/// Notes that the creates of these ops are being sent.
pub(super) async fn mark_sent(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    ops: &[OpId],
    at: Timestamp,
) -> Result<()> {
    create_intent::Entity::update_many()
        .col_expr(create_intent::Column::SentAt, Expr::val(micros(at)))
        .filter(create_intent::Column::Workspace.eq(workspace.0))
        .filter(create_intent::Column::Op.is_in(ops.iter().map(|op| op.0)))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn doubtful(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<Vec<Intent>> {
    let is_doubtful = Condition::any()
        .add(create_intent::Column::State.eq(word(&IntentState::Unknown)?))
        .add(create_intent::Column::ResolveAt.lte(micros(now)));
    let models = create_intent::Entity::find()
        .filter(create_intent::Column::Workspace.eq(workspace.0))
        .filter(create_intent::Column::Connection.eq(connection.0))
        .filter(is_doubtful)
        .order_by_asc(create_intent::Column::Op)
        .all(db)
        .await?;
    models.into_iter().map(intent_row).collect()
}
