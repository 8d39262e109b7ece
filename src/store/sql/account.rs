//! Accounts, and what they say of themselves.

use entity::{account, account_description};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::batch::{insert, upsert};
use super::codec::{account_model, account_row, document, from_document, is_connected, number};
use super::secret;
use crate::store::{Account, AccountId, AccountStatus, Description, Error, Result, WorkspaceId};

pub(super) async fn add(tx: &DatabaseTransaction, account: &Account, sealed: &[u8]) -> Result<()> {
    insert::<account::Entity>(tx, vec![account_model(account)?]).await?;
    secret::put(tx, account.workspace, account.id, sealed).await?;
    Ok(())
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: AccountId,
) -> Result<Account> {
    let model = account::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    account_row(model.ok_or(Error::NotFound("account"))?)
}

pub(super) async fn all(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<Vec<Account>> {
    let models = account::Entity::find()
        .filter(account::Column::Workspace.eq(workspace.0))
        .order_by_asc(account::Column::ConnectedAt)
        .order_by_asc(account::Column::Id)
        .all(db)
        .await?;
    models.into_iter().map(account_row).collect()
}

/// Changes what may change of an account. Until this transaction ends, nobody else changes it or
/// gives it credentials that a person typed.
pub(super) async fn set(tx: &DatabaseTransaction, account: &Account) -> Result<()> {
    let changed = account::Entity::update_many()
        .set(account::ActiveModel {
            label: ActiveValue::Set(account.label.clone()),
            host: ActiveValue::Set(account.host.clone()),
            owner_email: ActiveValue::Set(account.owner_email.clone()),
            expected_email: ActiveValue::Set(account.expected_email.clone()),
            region: ActiveValue::Set(account.region.clone()),
            time_zone: ActiveValue::Set(account.time_zone.clone()),
            allowance: ActiveValue::Set(account.allowance.map(number).transpose()?),
            status: ActiveValue::Set(document(&account.status)?),
            is_connected: ActiveValue::Set(is_connected(&account.status)),
            ..Default::default()
        })
        .filter(account::Column::Workspace.eq(account.workspace.0))
        .filter(account::Column::Id.eq(account.id.0))
        .exec(tx)
        .await?;
    if changed.rows_affected == 0 {
        return Err(Error::NotFound("account"));
    }
    if account.status.is_disconnected() {
        secret::take_away(tx, account.workspace, account.id).await?;
    }
    Ok(())
}

pub(super) async fn reconnect(
    tx: &DatabaseTransaction,
    account: &Account,
    sealed: &[u8],
) -> Result<u64> {
    set(tx, account).await?;
    secret::put(tx, account.workspace, account.id, sealed).await
}

/// Puts credentials in the place of those of the expected generation, and takes back that they were
/// refused.
pub(super) async fn replace_credentials(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: AccountId,
    expected: u64,
    sealed: &[u8],
) -> Result<u64> {
    let account = lock(tx, workspace, id).await?.ok_or(Error::NotFound("credentials"))?;
    let generation = secret::replace(tx, workspace, id, expected, sealed).await?;
    if let AccountStatus::NeedsReconnecting { .. } = account.status {
        set(tx, &Account { status: AccountStatus::Connected, ..account }).await?;
    }
    Ok(generation)
}

/// Puts this status in the place of being connected, as long as the credentials are of this generation.
pub(super) async fn refused(
    tx: &DatabaseTransaction,
    (workspace, id): (WorkspaceId, AccountId),
    generation: u64,
    status: AccountStatus,
) -> Result<bool> {
    let account = lock(tx, workspace, id).await?.ok_or(Error::NotFound("account"))?;
    if account.status != AccountStatus::Connected
        || secret::get(tx, workspace, id).await?.generation != generation
    {
        return Ok(false);
    }
    set(tx, &Account { status, ..account }).await?;
    Ok(true)
}

/// An account that nobody else changes, or gives credentials, until this transaction ends.
async fn lock(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: AccountId,
) -> Result<Option<Account>> {
    let known = account::Entity::find_by_id((workspace.0, id.0)).lock(LockType::NoKeyUpdate);
    known.one(tx).await?.map(account_row).transpose()
}

pub(super) async fn describe(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    id: AccountId,
    description: &Description,
) -> Result<()> {
    get(tx, workspace, id).await?;
    let row = account_description::Model {
        workspace: workspace.0,
        account: id.0,
        document: document(description)?,
    };
    upsert::<account_description::Entity>(tx, vec![row]).await
}

pub(super) async fn description(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    id: AccountId,
) -> Result<Option<Description>> {
    let model = account_description::Entity::find_by_id((workspace.0, id.0)).one(db).await?;
    model.map(|model| from_document(&model.document)).transpose()
}
