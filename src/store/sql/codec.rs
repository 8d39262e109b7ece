//! Rows of the tables and rows of the house: how each becomes the other.

use std::any::type_name;

use entity::{account, create_intent, feed, link, link_end, op, pending, run, seen};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::planner::{Seen, counted};
use crate::record::{ObjectName, PerSide, RecordName, RemoteId, Side};
use crate::store::{
    Account, AccountId, AccountStatus, ConnectionId, CutOff, End, Error, Feed, FeedId, Intent,
    LinkId, LinkRow, OpId, OpRow, Pending, Result, RunId, RunRow, SeenRow, WorkspaceId,
};

/// A document as text.
pub(super) fn document<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| broken::<T>(&error))
}

/// What a document says.
pub(super) fn from_document<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| broken::<T>(&error))
}

/// A word of an enumeration, as serde spells it.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value).map_err(|error| broken::<T>(&error))? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(Error::Bug(format!("{} is not a word", type_name::<T>()))),
    }
}

/// What a word stands for.
pub(super) fn from_word<T: DeserializeOwned>(word: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| broken::<T>(&error))
}

/// The message would quote the document, and so a person.
fn broken<T>(error: &serde_json::Error) -> Error {
    Error::Bug(format!("{} can't be written or read: {:?}", type_name::<T>(), error.classify()))
}

/// A number of another type.
pub(super) fn number<A, B: TryFrom<A>>(number: A) -> Result<B> {
    B::try_from(number).map_err(|_| Error::Bug(format!("not a {}", type_name::<B>())))
}

/// How many rows to read at most. The databases count no further than this.
pub(super) fn at_most(limit: u64) -> u64 {
    limit.min(i64::MAX.unsigned_abs())
}

/// A time in microseconds.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The time of these microseconds.
pub(super) fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| Error::Bug("not a time".to_owned()))
}

pub(super) fn account_model(row: &Account) -> Result<account::Model> {
    Ok(account::Model {
        workspace: row.workspace.0,
        id: row.id.0,
        app: row.app.clone(),
        environment: row.environment.clone(),
        remote_id: row.remote_id.clone(),
        label: row.label.clone(),
        host: row.host.clone(),
        owner_email: row.owner_email.clone(),
        expected_email: row.expected_email.clone(),
        region: row.region.clone(),
        time_zone: row.time_zone.clone(),
        allowance: row.allowance.map(number).transpose()?,
        status: document(&row.status)?,
        is_connected: is_connected(&row.status),
        connected_at: micros(row.connected_at),
    })
}

/// Whether an account holds its place, as a number.
pub(super) fn is_connected(status: &AccountStatus) -> i64 {
    i64::from(!status.is_disconnected())
}

pub(super) fn account_row(model: account::Model) -> Result<Account> {
    Ok(Account {
        workspace: WorkspaceId(model.workspace),
        id: AccountId(model.id),
        app: model.app,
        environment: model.environment,
        remote_id: model.remote_id,
        label: model.label,
        host: model.host,
        owner_email: model.owner_email,
        expected_email: model.expected_email,
        region: model.region,
        time_zone: model.time_zone,
        allowance: model.allowance.map(number).transpose()?,
        status: from_document(&model.status)?,
        connected_at: time(model.connected_at)?,
    })
}

pub(super) fn feed_row(model: feed::Model) -> Result<Feed> {
    Ok(Feed {
        workspace: WorkspaceId(model.workspace),
        id: FeedId(model.id),
        account: AccountId(model.account),
        object: ObjectName::new(model.object),
        collection: model.collection,
        cursor: model.cursor,
        last_change: number(model.last_change)?,
    })
}

/// What a record that has left is now.
pub(super) fn became(model: &seen::Model) -> Result<Option<RecordName>> {
    model.became.as_deref().map(from_document).transpose()
}

pub(super) fn seen_row(model: seen::Model) -> Result<SeenRow> {
    let became = became(&model)?;
    let (record, presence) = (from_document(&model.record)?, from_word(model.presence)?);
    let seen = Seen { record, presence, became };
    Ok(SeenRow { feed: FeedId(model.feed), change: number(model.change_no)?, seen })
}

pub(super) fn link_model(workspace: WorkspaceId, row: &LinkRow) -> Result<link::Model> {
    Ok(link::Model {
        workspace: workspace.0,
        id: row.id.0,
        connection: row.connection.0,
        state: word(&row.link.state)?,
        document: document(&row.link)?,
    })
}

pub(super) fn link_end_models(
    workspace: WorkspaceId,
    row: &LinkRow,
) -> Result<Vec<link_end::Model>> {
    let model = |(side, end): (Side, &End)| -> Result<link_end::Model> {
        Ok(link_end::Model {
            workspace: workspace.0,
            connection: row.connection.0,
            feed: end.feed.0,
            remote_id: end.id.as_str().to_owned(),
            link: row.id.0,
            side: word(&side)?,
        })
    };
    row.ends.iter().map(model).collect()
}

pub(super) fn link_row(model: link::Model, ends: Vec<link_end::Model>) -> Result<LinkRow> {
    let mut found: PerSide<Option<End>> = PerSide::default();
    for end in ends {
        let side = from_word(end.side)?;
        *found.of_mut(side) =
            Some(End { feed: FeedId(end.feed), id: RemoteId::new(end.remote_id) });
    }
    let (Some(left), Some(right)) = (found.left, found.right) else {
        return Err(Error::Bug("a link lacks an end".to_owned()));
    };
    Ok(LinkRow {
        id: LinkId(model.id),
        connection: ConnectionId(model.connection),
        ends: PerSide { left, right },
        link: from_document(&model.document)?,
    })
}

pub(super) fn pending_model(workspace: WorkspaceId, row: &Pending) -> Result<pending::Model> {
    Ok(pending::Model {
        workspace: workspace.0,
        connection: row.connection.0,
        feed: row.end.feed.0,
        remote_id: row.end.id.as_str().to_owned(),
        side: word(&row.side)?,
        reason: word(&row.reason)?,
        attempts: row.attempts.into(),
        next_at: row.next_at.map(micros),
    })
}

pub(super) fn pending_row(model: pending::Model) -> Result<Pending> {
    Ok(Pending {
        connection: ConnectionId(model.connection),
        end: End { feed: FeedId(model.feed), id: RemoteId::new(model.remote_id) },
        side: from_word(model.side)?,
        reason: from_word(model.reason)?,
        attempts: number(model.attempts)?,
        next_at: model.next_at.map(time).transpose()?,
    })
}

pub(super) fn run_model(workspace: WorkspaceId, row: &RunRow) -> Result<run::Model> {
    Ok(run::Model {
        workspace: workspace.0,
        id: row.id.0,
        connection: row.connection.0,
        kind: word(&row.kind)?,
        trigger: word(&row.trigger)?,
        state: word(&row.state)?,
        version: row.version.into(),
        started_at: micros(row.started_at),
        ended_at: row.ended_at.map(micros),
        report: document(&row.report)?,
        error: row.error.clone(),
        cut_off: row.cut_off.times.into(),
        resumed_at: row.cut_off.resumed_at.map(micros),
        put_down: row.cut_off.is_put_down,
    })
}

pub(super) fn run_row(model: run::Model) -> Result<RunRow> {
    Ok(RunRow {
        id: RunId(model.id),
        connection: ConnectionId(model.connection),
        kind: from_word(model.kind)?,
        trigger: from_word(model.trigger)?,
        state: from_word(model.state)?,
        version: number(model.version)?,
        started_at: time(model.started_at)?,
        ended_at: model.ended_at.map(time).transpose()?,
        report: from_document(&model.report)?,
        error: model.error,
        cut_off: CutOff {
            times: number(model.cut_off)?,
            resumed_at: model.resumed_at.map(time).transpose()?,
            is_put_down: model.put_down,
        },
    })
}

pub(super) fn op_model(workspace: WorkspaceId, row: &OpRow) -> Result<op::Model> {
    Ok(op::Model {
        workspace: workspace.0,
        id: row.id.0,
        run: row.run.0,
        connection: row.connection.0,
        account: row.account.0,
        feed: row.feed.0,
        target: row.target.as_ref().map(|target| target.as_str().to_owned()),
        source: row.source.as_ref().map(document).transpose()?,
        item: row.item.clone(),
        document: document(&row.op)?,
        side: Some(word(&row.op.side)?),
        counted: Some(document(&counted(&row.op))?),
        planned: row.planned.as_ref().map(document).transpose()?,
        state: word(&row.state)?,
        sent_at: row.sent_at.map(micros),
        error: row.error.clone(),
    })
}

pub(super) fn op_row(model: op::Model) -> Result<OpRow> {
    Ok(OpRow {
        id: OpId(model.id),
        run: RunId(model.run),
        connection: ConnectionId(model.connection),
        account: AccountId(model.account),
        feed: FeedId(model.feed),
        target: model.target.map(RemoteId::new),
        source: model.source.as_deref().map(from_document).transpose()?,
        item: model.item,
        op: from_document(&model.document)?,
        planned: model.planned.as_deref().map(from_document).transpose()?,
        state: from_word(model.state)?,
        sent_at: model.sent_at.map(time).transpose()?,
        error: model.error,
    })
}

pub(super) fn intent_model(workspace: WorkspaceId, row: &Intent) -> Result<create_intent::Model> {
    Ok(create_intent::Model {
        workspace: workspace.0,
        op: row.op.0,
        connection: row.connection.0,
        feed: row.feed.0,
        source: document(&row.source)?,
        keys: document(&row.keys)?,
        state: word(&row.state)?,
        sent_at: row.sent_at.map(micros),
        resolve_at: row.resolve_at.map(micros),
        attempts: row.attempts.into(),
    })
}

pub(super) fn intent_row(model: create_intent::Model) -> Result<Intent> {
    Ok(Intent {
        op: OpId(model.op),
        connection: ConnectionId(model.connection),
        feed: FeedId(model.feed),
        source: from_document(&model.source)?,
        keys: from_document(&model.keys)?,
        state: from_word(model.state)?,
        sent_at: model.sent_at.map(time).transpose()?,
        resolve_at: model.resolve_at.map(time).transpose()?,
        attempts: number(model.attempts)?,
    })
}
