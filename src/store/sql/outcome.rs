//! How records stand.

use std::collections::BTreeMap;

use entity::record_outcome::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::batch::{CHUNK, latest, write};
use super::codec::{at_most, document, from_document, from_word, micros, number, time, word};
use crate::record::RemoteId;
use crate::store::{
    ConnectionId, End, FeedId, OutcomeFilter, RecordOutcome, Result, RunId, WorkspaceId,
};

/// Writes how records stand now. Where all is well nothing is kept.
pub(super) async fn put(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    connection: ConnectionId,
    rows: &[RecordOutcome],
) -> Result<()> {
    let mut models = Vec::new();
    let mut calm: BTreeMap<FeedId, Vec<&str>> = BTreeMap::new();
    for row in latest(rows.iter().map(|row| (&row.end, row))) {
        if row.is_calm() {
            calm.entry(row.end.feed).or_default().push(row.end.id.as_str());
        } else {
            models.push(model(workspace, connection, row)?);
        }
    }
    for (feed, ids) in calm {
        for page in ids.chunks(CHUNK) {
            Entity::delete_many()
                .filter(Column::Workspace.eq(workspace.0))
                .filter(Column::Connection.eq(connection.0))
                .filter(Column::Feed.eq(feed.0))
                .filter(Column::RemoteId.is_in(page.iter().copied()))
                .exec(tx)
                .await?;
        }
    }
    write::<Entity>(tx, models, Some(take_over())).await
}

/// A row takes the place of the one that is there; its beginning only where the outcome is another.
fn take_over() -> OnConflict {
    let stored = |column: Column| Expr::col((Entity, column));
    let new = |column: Column| Expr::col(("excluded", column));
    let is_same = stored(Column::Document).eq(new(Column::Document));
    let since = Expr::case(is_same, stored(Column::Since)).finally(new(Column::Since));
    let key = [Column::Workspace, Column::Connection, Column::Feed, Column::RemoteId];
    let rest = [
        Column::Side,
        Column::Outcome,
        Column::Document,
        Column::Findings,
        Column::Code,
        Column::Run,
    ];
    OnConflict::columns(key).update_columns(rest).value(Column::Since, since).to_owned()
}

pub(super) async fn after(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    filter: &OutcomeFilter,
    after: Option<&End>,
    limit: u64,
) -> Result<Vec<RecordOutcome>> {
    let mut query = Entity::find()
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Connection.eq(connection.0))
        .order_by_asc(Column::Feed)
        .order_by_asc(Column::RemoteId)
        .limit(at_most(limit));
    if let Some(outcome) = &filter.outcome {
        query = query.filter(Column::Outcome.eq(outcome.as_str()));
    }
    if let Some(side) = &filter.side {
        query = query.filter(Column::Side.eq(word(side)?));
    }
    if let Some(end) = after {
        let last = Expr::tuple([Expr::val(end.feed.0), Expr::val(end.id.as_str())]);
        let place = Expr::tuple([Expr::col(Column::Feed), Expr::col(Column::RemoteId)]);
        query = query.filter(place.gt(last));
    }
    query.all(db).await?.into_iter().map(row).collect()
}

pub(super) async fn of(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
    end: &End,
) -> Result<Option<RecordOutcome>> {
    let key = (workspace.0, connection.0, end.feed.0, end.id.as_str().to_owned());
    Entity::find_by_id(key).one(db).await?.map(row).transpose()
}

pub(super) async fn count(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<BTreeMap<String, u64>> {
    let counted = Entity::find()
        .select_only()
        .column(Column::Outcome)
        .column_as(Column::RemoteId.count(), "records")
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Connection.eq(connection.0))
        .group_by(Column::Outcome)
        .into_tuple::<(String, i64)>()
        .all(db)
        .await?;
    let mut counts = BTreeMap::new();
    for (outcome, records) in counted {
        counts.insert(outcome, number(records)?);
    }
    Ok(counts)
}

fn model(workspace: WorkspaceId, connection: ConnectionId, row: &RecordOutcome) -> Result<Model> {
    Ok(Model {
        workspace: workspace.0,
        connection: connection.0,
        feed: row.end.feed.0,
        remote_id: row.end.id.as_str().to_owned(),
        side: word(&row.side)?,
        outcome: row.outcome.name().to_owned(),
        document: document(&row.outcome)?,
        findings: document(&row.findings)?,
        code: row.code.clone(),
        run: row.run.0,
        since: micros(row.since),
    })
}

fn row(model: Model) -> Result<RecordOutcome> {
    Ok(RecordOutcome {
        end: End { feed: FeedId(model.feed), id: RemoteId::new(model.remote_id) },
        side: from_word(model.side)?,
        outcome: from_document(&model.document)?,
        findings: from_document(&model.findings)?,
        code: model.code,
        run: RunId(model.run),
        since: time(model.since)?,
    })
}
