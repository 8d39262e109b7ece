//! Credentials of accounts, as they are kept: sealed. Once they are taken away their generation
//! stays: who read the old ones must not take the next ones for them.

use entity::account_secret::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};

use super::batch::upsert;
use super::codec::number;
use crate::store::{AccountId, Error, Result, Sealed, WorkspaceId};

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    account: AccountId,
) -> Result<Sealed> {
    kept(Entity::find_by_id((workspace.0, account.0)).one(db).await?)
}

fn kept(row: Option<Model>) -> Result<Sealed> {
    let missing = Error::NotFound("credentials");
    let Some(Model { generation, sealed: Some(bytes), .. }) = row else { return Err(missing) };
    Ok(Sealed { generation: number(generation)?, bytes })
}

/// Puts credentials in the place of those of the expected generation.
pub(super) async fn replace(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    account: AccountId,
    expected: u64,
    sealed: &[u8],
) -> Result<u64> {
    let before = kept(lock(tx, workspace, account).await?)?;
    if before.generation != expected {
        return Err(Error::Conflict);
    }
    save(tx, workspace, account, expected + 1, sealed).await
}

/// Puts credentials in the place of whatever was there.
pub(super) async fn put(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    account: AccountId,
    sealed: &[u8],
) -> Result<u64> {
    let before: u64 = match lock(tx, workspace, account).await? {
        Some(row) => number(row.generation)?,
        None => 0,
    };
    save(tx, workspace, account, before + 1, sealed).await
}

/// The row of an account that nobody else changes until this transaction ends.
async fn lock(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    account: AccountId,
) -> Result<Option<Model>> {
    let row = Entity::find_by_id((workspace.0, account.0)).lock(LockType::NoKeyUpdate);
    Ok(row.one(tx).await?)
}

async fn save(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    account: AccountId,
    generation: u64,
    sealed: &[u8],
) -> Result<u64> {
    let row = Model {
        workspace: workspace.0,
        account: account.0,
        generation: number(generation)?,
        sealed: Some(sealed.to_vec()),
    };
    upsert::<Entity>(tx, vec![row]).await?;
    Ok(generation)
}

pub(super) async fn take_away(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    account: AccountId,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Sealed, Expr::val(None::<Vec<u8>>))
        .filter(Column::Workspace.eq(workspace.0))
        .filter(Column::Account.eq(account.0))
        .exec(tx)
        .await?;
    Ok(())
}
