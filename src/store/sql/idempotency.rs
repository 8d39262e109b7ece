//! Requests that are done once however often they are sent.

use async_trait::async_trait;
use entity::idempotency::{ActiveModel, Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::codec::{at_most, micros, time};
use super::{SqlStore, commit};
use crate::store::rows::KeptRequest;
use crate::store::{Claim, Claimed, Error, Idempotency, Result, WorkspaceId};

#[async_trait]
impl Idempotency for SqlStore {
    async fn claim_request(&self, claim: &Claim, abandoned: Timestamp) -> Result<Claimed> {
        let tx = self.write().await?;
        let claimed = take(&tx, claim, abandoned).await?;
        commit(tx, claimed).await
    }

    async fn answer_request(&self, claim: &Claim, answer: &[u8]) -> Result<()> {
        let tx = self.write().await?;
        let answer = ActiveValue::Set(Some(answer.to_vec()));
        let answered = Entity::update_many()
            .set(ActiveModel { answer, ..Default::default() })
            .filter(open(claim))
            .exec(&tx)
            .await?;
        if answered.rows_affected == 0 {
            return Err(Error::Conflict);
        }
        commit(tx, ()).await
    }

    async fn give_up_request(&self, claim: &Claim) -> Result<()> {
        let tx = self.write().await?;
        Entity::delete_many().filter(open(claim)).exec(&tx).await?;
        commit(tx, ()).await
    }

    async fn forget_requests(&self, now: Timestamp, limit: u64) -> Result<u64> {
        let tx = self.write().await?;
        let forgotten = forget(&tx, now, limit).await?;
        commit(tx, forgotten).await
    }
}

async fn take(tx: &DatabaseTransaction, claim: &Claim, abandoned: Timestamp) -> Result<Claimed> {
    // Of two that come at once one adds the row, and the other waits here until it has.
    let there = OnConflict::columns([Column::Workspace, Column::Actor, Column::Key])
        .do_nothing()
        .to_owned();
    let added = Entity::insert(model(claim).into_active_model())
        .on_conflict(there)
        .exec_without_returning(tx)
        .await?;
    if added > 0 {
        return Ok(Claimed::Yours);
    }
    let known = Entity::find().filter(same_key(claim)).lock(LockType::NoKeyUpdate).one(tx).await?;
    // Given up or forgotten in this moment: the next try finds it free.
    let Some(known) = known else { return Ok(Claimed::GoesOn) };
    let claimed = row(known)?.met_by(claim, abandoned);
    if claimed == Claimed::Yours {
        Entity::update_many()
            .set(ActiveModel {
                request_hash: ActiveValue::Set(claim.request_hash.to_vec()),
                claimed_at: ActiveValue::Set(micros(claim.claimed_at)),
                expires_at: ActiveValue::Set(micros(claim.expires_at)),
                answer: ActiveValue::Set(None),
                ..Default::default()
            })
            .filter(same_key(claim))
            .exec(tx)
            .await?;
    }
    Ok(claimed)
}

/// Deletes what is not remembered any more. What is claimed again meanwhile waits until it is locked,
/// or is left out.
async fn forget(tx: &DatabaseTransaction, now: Timestamp, limit: u64) -> Result<u64> {
    let over = Entity::find()
        .select_only()
        .column(Column::Workspace)
        .column(Column::Actor)
        .column(Column::Key)
        .filter(Column::ExpiresAt.lte(micros(now)))
        .order_by_asc(Column::ExpiresAt)
        .order_by_asc(Column::Workspace)
        .order_by_asc(Column::Actor)
        .order_by_asc(Column::Key)
        .limit(at_most(limit))
        .lock(LockType::Update)
        .into_tuple::<(Uuid, String, String)>()
        .all(tx)
        .await?;
    let mut forgotten = 0;
    for key in over {
        forgotten += Entity::delete_by_id(key).exec(tx).await?.rows_affected;
    }
    Ok(forgotten)
}

fn same_key(claim: &Claim) -> Condition {
    Condition::all()
        .add(Column::Workspace.eq(claim.workspace.0))
        .add(Column::Actor.eq(&claim.actor))
        .add(Column::Key.eq(&claim.key))
}

/// Still this claim, without an answer.
fn open(claim: &Claim) -> Condition {
    same_key(claim)
        .add(Column::ClaimedAt.eq(micros(claim.claimed_at)))
        .add(Column::RequestHash.eq(claim.request_hash.to_vec()))
        .add(Column::Answer.is_null())
}

fn model(claim: &Claim) -> Model {
    Model {
        workspace: claim.workspace.0,
        actor: claim.actor.clone(),
        key: claim.key.clone(),
        request_hash: claim.request_hash.to_vec(),
        claimed_at: micros(claim.claimed_at),
        expires_at: micros(claim.expires_at),
        answer: None,
    }
}

fn row(model: Model) -> Result<KeptRequest> {
    let request_hash = model.request_hash.try_into();
    let claim = Claim {
        workspace: WorkspaceId(model.workspace),
        actor: model.actor,
        key: model.key,
        request_hash: request_hash.map_err(|_| Error::Bug("not a hash".to_owned()))?,
        claimed_at: time(model.claimed_at)?,
        expires_at: time(model.expires_at)?,
    };
    Ok(KeptRequest { claim, answer: model.answer })
}
