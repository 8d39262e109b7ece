//! Authorization requests.

use async_trait::async_trait;
use entity::authorization_request::{Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::batch::insert;
use super::codec::{micros, time};
use super::{SqlStore, account, commit};
use crate::store::{
    AccountId, AuthorizationRequest, AuthorizationRequests, Error, Result, WorkspaceId,
};

#[async_trait]
impl AuthorizationRequests for SqlStore {
    async fn add_authorization_request(
        &self,
        request: &AuthorizationRequest,
        now: Timestamp,
    ) -> Result<()> {
        let tx = self.write().await?;
        if let Some(id) = request.account {
            account::get(&tx, request.workspace, id).await?;
        }
        Entity::delete_many().filter(Column::ExpiresAt.lte(micros(now))).exec(&tx).await?;
        insert::<Entity>(&tx, vec![model(request)]).await?;
        commit(tx, ()).await
    }

    async fn authorization_request(
        &self,
        state_hash: &[u8; 32],
    ) -> Result<Option<AuthorizationRequest>> {
        let known = Entity::find().filter(Column::StateHash.eq(state_hash.to_vec()));
        known.one(&self.db).await?.map(row).transpose()
    }

    async fn take_authorization_request(&self, request: &AuthorizationRequest) -> Result<bool> {
        let tx = self.write().await?;
        let key = (request.workspace.0, request.state_hash.to_vec());
        let taken = Entity::delete_by_id(key).exec(&tx).await?;
        commit(tx, taken.rows_affected > 0).await
    }
}

fn model(request: &AuthorizationRequest) -> Model {
    Model {
        workspace: request.workspace.0,
        state_hash: request.state_hash.to_vec(),
        actor: request.actor.clone(),
        app: request.app.clone(),
        account: request.account.map(|account| account.0),
        label: request.label.clone(),
        redirect_uri: request.redirect_uri.clone(),
        expires_at: micros(request.expires_at),
    }
}

fn row(model: Model) -> Result<AuthorizationRequest> {
    let state_hash = model.state_hash.try_into();
    Ok(AuthorizationRequest {
        state_hash: state_hash.map_err(|_| Error::Bug("not a hash".to_owned()))?,
        workspace: WorkspaceId(model.workspace),
        actor: model.actor,
        app: model.app,
        account: model.account.map(AccountId),
        label: model.label,
        redirect_uri: model.redirect_uri,
        expires_at: time(model.expires_at)?,
    })
}
