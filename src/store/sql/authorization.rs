//! Authorization requests and OAuth clients.

use async_trait::async_trait;
use entity::app_registration;
use entity::authorization_request::{Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::batch::{insert, upsert};
use super::codec::{micros, time};
use super::{SqlStore, account, commit};
use crate::store::{
    AccountId, AuthorizationRequest, AuthorizationRequests, Error, RegistrationRow, Result,
    WorkspaceId,
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

    async fn set_registration(&self, registration: &RegistrationRow) -> Result<()> {
        let tx = self.write().await?;
        let row = app_registration::Model {
            workspace: registration.workspace.0,
            app: registration.app.clone(),
            place: registration.place.clone().unwrap_or_default(),
            client_id: registration.client_id.clone(),
            sealed: registration.sealed.clone(),
        };
        upsert::<app_registration::Entity>(&tx, vec![row]).await?;
        commit(tx, ()).await
    }

    async fn registrations(
        &self,
        workspace: WorkspaceId,
        app: &str,
    ) -> Result<Vec<RegistrationRow>> {
        use app_registration::Column;
        let known = app_registration::Entity::find()
            .filter(Column::Workspace.eq(workspace.0))
            .filter(Column::App.eq(app))
            .order_by_asc(Column::Place);
        let rows = known.all(&self.db).await?.into_iter().map(|model| RegistrationRow {
            workspace: WorkspaceId(model.workspace),
            app: model.app,
            place: (!model.place.is_empty()).then_some(model.place),
            client_id: model.client_id,
            sealed: model.sealed,
        });
        Ok(rows.collect())
    }

    async fn remove_registration(
        &self,
        workspace: WorkspaceId,
        app: &str,
        place: Option<&str>,
    ) -> Result<bool> {
        let tx = self.write().await?;
        let key = (workspace.0, app.to_owned(), place.unwrap_or_default().to_owned());
        let removed = app_registration::Entity::delete_by_id(key).exec(&tx).await?;
        commit(tx, removed.rows_affected > 0).await
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
        email: request.email.clone(),
        place: request.place.clone(),
        redirect_uri: request.redirect_uri.clone(),
        return_url: request.return_url.clone(),
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
        email: model.email,
        place: model.place,
        redirect_uri: model.redirect_uri,
        return_url: model.return_url,
        expires_at: time(model.expires_at)?,
    })
}
